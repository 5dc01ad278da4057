import { basename, dirname, join, relative, sep } from 'node:path';

/** The names in a folder, or a word that says why they cannot be told (`ENOENT`). */
export type ListFolder = (folder: string) => readonly FolderEntry[] | { readonly error: string };

/** `link`: where it leads has to be asked. */
export type FolderEntry = { readonly name: string; readonly link: boolean };

/** A path with all links followed, or a word that says why that cannot be done (`ENOENT`, `ELOOP`). */
export type RealPath = (path: string) => string | { readonly error: string };

/** `environments.d/*.yaml`: a relative path without `..`, with `*` in its last segment or nowhere. */
export const INCLUDE_PATTERN = /^(?!(?:.*\/)?\.\.(?:\/|$))(?:[^/*\\]+\/)*[^/\\]+$/;

type Folders = { readonly file: string; readonly listFolder: ListFolder; readonly realPath: RealPath };
type Say = (severity: 'fault' | 'notice', message: string, remedy: string) => void;

/**
 * The files that a pattern stands for, sorted by name; those that cannot be named are said to `say`. None lies outside
 * the folder of the routes file, wherever links lead: what is read as configuration stays where its owner looks for it.
 */
export function matchingFiles(pattern: string, { file, listFolder, realPath }: Folders, say: Say): readonly string[] {
  const routesFolder = dirname(file);
  const home = realPath(routesFolder);
  const isInside = (target: string): boolean => {
    const name = JSON.stringify(relative(routesFolder, target));
    const real = typeof home === 'string' ? realPath(target) : home;
    if (typeof real !== 'string') {
      say('fault', `${name} cannot be read (${real.error})`, RELATIVE);
      return false;
    }
    if (real === home || real.startsWith(`${home}${home === sep ? '' : sep}`)) return true;
    say('fault', `${name} leads out of the folder of the routes file`, 'Keep included files in it or below it.');
    return false;
  };

  const [folder, last] = [dirname(pattern), basename(pattern)];
  if (!last.includes('*')) return isInside(pattern) ? [pattern] : [];
  if (!isInside(folder)) return [];
  const entries = listFolder(folder);
  if ('error' in entries) {
    say('fault', `the folder cannot be read (${entries.error})`, RELATIVE);
    return [];
  }
  const found = entries.filter(({ name }) => matchesPattern(last, name));
  if (found.length === 0) say('notice', 'no file matches', 'Names that start with a dot are passed over.');
  return found
    .flatMap(({ name, link }) => {
      const target = join(folder, name);
      return !link || isInside(target) ? [target] : [];
    })
    .sort();
}

/** Whether a file's name fits the last segment of a pattern; `*` stands for any characters, but for no dot in front. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || (first === '' && name.startsWith('.'))) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

const RELATIVE = 'The path is relative to the routes file.';
