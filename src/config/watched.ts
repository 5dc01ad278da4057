import { basename, dirname } from 'node:path';
import type { Outcome } from './check.ts';
import { matchesPattern } from './include-pattern.ts';

/** Folders in which a change can matter, and which names in them do. */
export type Watched = ReadonlyMap<string, (name: string) => boolean>;

/** Mounted configuration is replaced by turning this link; the files themselves never change (Kubernetes). */
const MOUNTED = '..data';

/** What to watch, so that every file that was read, or would be, is read again when it changes. */
export function watchedFolders({ files, patterns }: Pick<Outcome, 'files' | 'patterns'>): Watched {
  const names = new Map<string, Set<string>>();
  const matchers = new Map<string, string[]>();
  for (const file of files) nameIn(names, dirname(file)).add(basename(file));
  for (const pattern of patterns) {
    const folder = dirname(pattern);
    const own = matchers.get(folder);
    if (own) own.push(basename(pattern));
    else matchers.set(folder, [basename(pattern)]);
    nameIn(names, folder);
    // The folder itself may go and come back.
    nameIn(names, dirname(folder)).add(basename(folder));
  }
  return new Map(
    [...names].map(([folder, exact]) => [
      folder,
      (name) =>
        name === MOUNTED ||
        exact.has(name) ||
        (matchers.get(folder)?.some((own) => matchesPattern(own, name)) ?? false),
    ]),
  );
}

function nameIn(names: Map<string, Set<string>>, folder: string): Set<string> {
  const known = names.get(folder);
  if (known) return known;
  const fresh = new Set<string>();
  names.set(folder, fresh);
  return fresh;
}
