import type { Path } from './problem.ts';

/** Told of every entry of a tree: its container, its key or index, and the offsets of key and value in the text. */
export type Mark = (container: object, part: string | number, key: number, value: number) => void;

/** Where everything in one tree stands. */
export type Places = {
  readonly mark: Mark;
  /** The offset of a key or value; for what is absent, that of the nearest container that is there. */
  offset(root: Root, path: Path, at: 'key' | 'value'): number;
};

export type Root = { readonly tree: unknown; readonly start: number };

type Entry = { readonly key: number; readonly value: number };

/** Begins to collect the places of a tree. */
export function collectPlaces(): Places {
  const entries = new WeakMap<object, Map<string | number, Entry>>();
  return {
    mark(container, part, key, value) {
      let known = entries.get(container);
      if (!known) {
        known = new Map();
        entries.set(container, known);
      }
      known.set(part, { key, value });
    },
    offset({ tree, start }, path, at) {
      let container: unknown = tree;
      let found: Entry = { key: start, value: start };
      for (const part of path) {
        const entry = isContainer(container) ? entries.get(container)?.get(part) : undefined;
        // What is missing is missed in its mapping: point to the key of that.
        if (!entry) return found.key;
        found = entry;
        container = (container as Readonly<Record<string | number, unknown>>)[part];
      }
      return found[at];
    },
  };
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;
