import { isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { newMapping } from './mapping.ts';
import { collectPlaces } from './places.ts';
import { type Path, quoted } from './problem.ts';

/** Says that something is wrong with what stands at an offset of the text. */
export type FaultAt = (path: Path, offset: number, message: string, remedy: string) => void;

export type PlainTree = {
  readonly tree: unknown;
  /** See `Places`. */
  offset(path: Path, at: 'key' | 'value'): number;
};

/** Values that aliases may add to the tree. A file that needs more is an alias bomb. */
const MOST_ALIASED = 100_000;

type Planted = { readonly value: unknown; readonly size: number };

/**
 * The nodes of `yaml` → plain data, in time linear in its size. Objects have no prototype, so a key is only ever
 * a key; the one word that JavaScript still treats specially, `__proto__`, is refused. Of two equal keys the
 * first counts. An alias becomes the very object of its anchor, so positions inside it are those of the anchor.
 */
export function plainTree(root: Node | null, fault: FaultAt): PlainTree {
  const places = collectPlaces();
  const anchors = new Map<string, Planted>();
  const path: (string | number)[] = [];
  let aliased = 0;

  const plant = (node: unknown): Planted => {
    if (isAlias(node)) return follow(node.source, startOf(node));
    const planted = isMap(node)
      ? plantMap(node.items as Pair[])
      : isSeq(node)
        ? plantList(node.items)
        : plantScalar(node);
    const anchor = (node as Node | null)?.anchor;
    if (anchor) anchors.set(anchor, planted);
    return planted;
  };

  const follow = (anchor: string, offset: number): Planted => {
    const planted = anchors.get(anchor);
    if (!planted) {
      fault(path, offset, 'this alias has no anchor above it', 'Write &name before the value that *name stands for.');
      return { value: undefined, size: 1 };
    }
    const before = aliased;
    aliased += planted.size;
    if (aliased <= MOST_ALIASED) return planted;
    if (before <= MOST_ALIASED) fault(path, offset, 'aliases make this file too large', 'Write the values out.');
    return { value: undefined, size: 1 };
  };

  const plantMap = (pairs: readonly Pair[]): Planted => {
    const mapping = newMapping();
    const seen = new Set<string>();
    let size = 1;
    for (const { key, value } of pairs) {
      // Any other key is a fault of the syntax already.
      if (!isScalar(key) || typeof key.value !== 'string') continue;
      const name = key.value;
      path.push(name);
      const at = startOf(key);
      const planted = plant(value);
      size += planted.size;
      if (seen.has(name)) fault(path, at, 'duplicate key', `Keep one of the two ${quoted(name)}.`);
      else if (name === '__proto__') fault(path, at, 'this word cannot be a key', 'Use another name.');
      else {
        mapping[name] = planted.value;
        seen.add(name);
        places.mark(mapping, name, at, isEmpty(value) ? at : startOf(value as Node));
      }
      path.pop();
    }
    return { value: mapping, size };
  };

  const plantList = (items: readonly unknown[]): Planted => {
    const list: unknown[] = [];
    let size = 1;
    for (const [index, item] of items.entries()) {
      path.push(index);
      const planted = plant(item);
      size += planted.size;
      const at = startOf(item as Node);
      places.mark(list, index, at, at);
      path.pop();
      list.push(planted.value);
    }
    return { value: list, size };
  };

  const plantScalar = (node: unknown): Planted => ({ value: isScalar(node) ? node.value : null, size: 1 });

  const { value: tree } = plant(root);
  const start = root ? startOf(root) : 0;
  return { tree, offset: (to, at) => places.offset({ tree, start }, to, at) };
}

const startOf = (node: Node | null): number => node?.range?.[0] ?? 0;

/** Nothing is written after the colon. */
const isEmpty = (node: unknown): boolean => !node || (isScalar(node) && node.range?.[0] === node.range?.[1]);
