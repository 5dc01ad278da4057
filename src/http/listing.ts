import type { Environment } from '../core/environment.ts';
import { type Directory, MOST_SHOWN, MOST_WITHOUT_SEARCH, search } from './directory.ts';

/** What the picker shows of the environments that it may offer. */
export type Listing = {
  readonly listed: readonly Environment[];
  /** How many more there are. */
  readonly more: number;
  readonly suggested?: Environment;
  readonly searchable: boolean;
  /** What was typed, where something was, and how many it found. */
  readonly typed?: string;
  readonly found?: number;
};

/** Without a search all of them, the suggested one apart; with one, what it finds. `find` may come from a link. */
export function listOf(
  directory: Directory,
  { offered, suggested }: { readonly offered: readonly Environment[]; readonly suggested?: Environment },
  find: string | undefined,
): Listing {
  const typed = find?.trim();
  const searchable = offered.length > MOST_WITHOUT_SEARCH || find !== undefined;
  if (typed) {
    const found = search(directory, offered, typed);
    return { ...cut(found), searchable, typed, found: found.length };
  }
  const others = suggested ? offered.filter((environment) => environment !== suggested) : offered;
  return { ...cut(others), searchable, ...(suggested && { suggested }) };
}

const cut = (environments: readonly Environment[]) => ({
  listed: environments.slice(0, MOST_SHOWN),
  more: Math.max(0, environments.length - MOST_SHOWN),
});
