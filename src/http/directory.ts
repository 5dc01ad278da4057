import type { Environment } from '../core/environment.ts';
import type { EnvironmentName } from '../core/names.ts';

/** What the list of environments is shown and searched by, prepared when the routes are read. */
export type Directory = {
  /** Title, name and group, folded: words between single spaces, a space before the first. */
  readonly folded: ReadonlyMap<EnvironmentName, string>;
  /** Pictures beside the titles, as data: URIs. */
  readonly icons: ReadonlyMap<EnvironmentName, string>;
};

/** Above so many environments there is a search. */
export const MOST_WITHOUT_SEARCH = 12;

/** So many are shown at once. */
export const MOST_SHOWN = 50;

/** Characters of what was typed that are looked at. */
const LONGEST_FIND = 100;

/** Words of it that are looked for. */
const MOST_WORDS = 8;

/** Letters that Unicode does not take apart (NFKD), as people without them on the keyboard write them. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
};

export function openDirectory(
  environments: Iterable<{ readonly environment: Environment; readonly icon?: string }>,
): Directory {
  const folded = new Map<EnvironmentName, string>();
  const icons = new Map<EnvironmentName, string>();
  for (const { environment, icon } of environments) {
    const { name, title, group = '' } = environment;
    folded.set(name, ` ${fold(`${title} ${name} ${group}`)}`);
    if (icon !== undefined) icons.set(name, icon);
  }
  return { folded, icons };
}

/** A text without case, accents and punctuation: its words, with single spaces between them. */
export const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[ßæœøđðþłı]/g, (letter) => PLAIN[letter] ?? letter)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/**
 * Those of the offered environments in which every typed word occurs: first whose title begins with what was typed,
 * then those whose words begin with the typed ones, then the rest, each in the order in which they are offered.
 */
export function search({ folded }: Directory, offered: readonly Environment[], typed: string): readonly Environment[] {
  const wanted = fold(typed.slice(0, LONGEST_FIND));
  if (wanted === '') return offered;
  const words = [...new Set(wanted.split(' '))].slice(0, MOST_WORDS);
  const begins: Environment[] = [];
  const starts: Environment[] = [];
  const holds: Environment[] = [];
  for (const environment of offered) {
    const text = folded.get(environment.name) ?? '';
    if (!words.every((word) => text.includes(word))) continue;
    if (text.startsWith(wanted, 1)) begins.push(environment);
    else if (words.every((word) => text.includes(` ${word}`))) starts.push(environment);
    else holds.push(environment);
  }
  return [...begins, ...starts, ...holds];
}
