import { isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { type Path, quoted } from './problem.ts';

/** Says that something is wrong with what stands at an offset of the text. */
export type FaultAt = (path: Path, offset: number, message: string, remedy: string) => void;

export type PlainTree = {
  readonly tree: unknown;
  /** The offset of a key or value; for what is absent, that of the nearest container that is there. */
  offset(path: Path, at: 'key' | 'value'): number;
};

/** Values that aliases may add to the tree. A file that needs more is an alias bomb. */
const MOST_ALIASED = 100_000;

type Mapping = Record<string, unknown>;
type Entry = { readonly key: number; readonly value: number };
type Planted = { readonly value: unknown; readonly size: number };

/**
 * The nodes of `yaml` → plain data, in time linear in its size. Objects have no prototype, so a key is only ever
 * a key; the one word that JavaScript still treats specially, `__proto__`, is refused. Of two equal keys the
 * first counts. An alias becomes the very object of its anchor, so positions inside it are those of the anchor.
 */
export function plainTree(root: Node | null, fault: FaultAt): PlainTree {
  const entries = new WeakMap<object, Map<string | number, Entry>>();
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
    const mapping: Mapping = Object.create(null);
    const positions = new Map<string | number, Entry>();
    let size = 1;
    entries.set(mapping, positions);
    for (const { key, value } of pairs) {
      // Any other key is a fault of the syntax already.
      if (!isScalar(key) || typeof key.value !== 'string') continue;
      const name = key.value;
      path.push(name);
      const at = startOf(key);
      const planted = plant(value);
      size += planted.size;
      const twin = positions.get(name);
      if (twin) fault(path, at, 'duplicate key', `Keep one of the two ${quoted(name)}.`);
      else if (name === '__proto__') fault(path, at, 'this word cannot be a key', 'Use another name.');
      else {
        mapping[name] = planted.value;
        positions.set(name, { key: at, value: isEmpty(value) ? at : startOf(value as Node) });
      }
      path.pop();
    }
    return { value: mapping, size };
  };

  const plantList = (items: readonly unknown[]): Planted => {
    const positions = new Map<string | number, Entry>();
    let size = 1;
    const list = items.map((item, index) => {
      path.push(index);
      const planted = plant(item);
      size += planted.size;
      const at = startOf(item as Node);
      positions.set(index, { key: at, value: at });
      path.pop();
      return planted.value;
    });
    entries.set(list, positions);
    return { value: list, size };
  };

  const plantScalar = (node: unknown): Planted => ({ value: isScalar(node) ? node.value : null, size: 1 });

  const { value: tree } = plant(root);
  const rootOffset = root ? startOf(root) : 0;

  const offset: PlainTree['offset'] = (to, at) => {
    let container: unknown = tree;
    let found: Entry = { key: rootOffset, value: rootOffset };
    for (const [index, part] of to.entries()) {
      const entry = isContainer(container) ? entries.get(container)?.get(part) : undefined;
      // What is missing is missed in its mapping: point to the key of that.
      if (!entry) return found.key;
      found = entry;
      if (index < to.length - 1) container = (container as Mapping)[part];
    }
    return found[at];
  };
  return { tree, offset };
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

const startOf = (node: Node | null): number => node?.range?.[0] ?? 0;

/** Nothing is written after the colon. */
const isEmpty = (node: unknown): boolean => !node || (isScalar(node) && node.range?.[0] === node.range?.[1]);
