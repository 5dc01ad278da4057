import english from './texts/en.json' with { type: 'json' };

/** The words of every page. A catalog has exactly the keys of the English one. */
export type Texts = typeof english;

export const texts: Texts = english;

/** Puts values into a text's `{name}` places. Escaping is the template's work, not this one's. */
export const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
