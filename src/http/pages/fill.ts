import type { Speech } from './speech.ts';

/** Letters of scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|[\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Puts values into a text's `{name}` places. Where directions may mix, a value is isolated (Unicode UAX #9 §2.5, FSI
 * and PDI), so that it does not reorder the sentence around it. Escaping is the template's work, not this one's.
 */
export const fill = (text: string, values: Readonly<Record<string, string>>, { dir }: Pick<Speech, 'dir'>): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    return value === undefined ? place : isolate(value, dir);
  });

/** A name from the routes as it may stand beside text of this direction. */
export const isolate = (name: string, dir: Speech['dir']): string =>
  dir === 'rtl' || RIGHT_TO_LEFT.test(name) ? `\u2068${name}\u2069` : name;
