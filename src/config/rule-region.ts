/**
 * Conditions as regions, so that rule-reach.ts can compare them. What rules may look at has dimensions (a header, the
 * portal, the client's address, …). In each of them, the values that the file mentions divide all possible values
 * into a finite number of atoms: for every mentioned value or range, what falls into it and into no narrower one; and
 * one more for everything else. A set of atoms is a bit mask, a box restricts some of the dimensions, and a region is
 * a list of boxes: the disjunctive normal form of a condition.
 *
 * Dimensions are taken to be independent and every atom to be possible. Where that is not so, a region is larger than
 * the truth; so what is found to be empty really is, and what is found to be covered really is.
 */
import { addressPrefix } from './address-prefix.ts';
import { conditionsIn, type RuleValues, valuesOf } from './rule-values.ts';
import type { WhenEntry } from './schema-discovery.ts';

/** A dimension that is absent is not restricted; no mask in a box is empty. */
export type Box = ReadonlyMap<string, bigint>;
export type Region = readonly Box[];

/** All that the conditions of one file can look at. */
export type Space = ReadonlyMap<string, Dimension>;

type Dimension = {
  /** Every atom. */
  readonly all: bigint;
  /** The atoms of these keys, and of every mentioned key that begins with one of them. */
  maskOf(keys: readonly string[]): bigint;
};

/** Boxes of one region, at the most; a condition that needs more is not judged. */
const MOST_BOXES = 256;

const EVERYTHING: Region = [new Map()];

/** Prepares to compare these conditions, in a file with these portals. */
export function openSpace(conditions: readonly WhenEntry[], portals: readonly string[]): Space {
  const looks = conditions.flatMap((when) => conditionsIn(when, [])).flatMap(({ when }) => looksOf(when));
  const space = new Map<string, Dimension>();
  for (const [dimension, all] of Map.groupBy(looks, (look) => look.dimension)) {
    const keys = all.flatMap((look) => look.keys);
    space.set(dimension, openDimension(keys, 'others too'));
  }
  return space.set('portal', openDimension(portals.map(exactly), 'these only'));
}

/** Where a condition holds; `undefined` where that is too complicated to say. */
export function regionOf(space: Space, when: WhenEntry, holds = true): Region | undefined {
  const read = (nested: WhenEntry) => regionOf(space, nested, holds);
  const { any, all, not } = when;
  const parts = [
    ...looksOf(when).map((look) => restricted(space, look, holds)),
    ...(all ?? []).map(read),
    ...(any ? [holds ? union(any.map(read)) : intersection(any.map(read))] : []),
    ...(not ? [regionOf(space, not, !holds)] : []),
  ];
  return holds ? intersection(parts) : union(parts);
}

/** Where the portal is one of these. */
export const atPortals = (space: Space, names: Iterable<string>): Region =>
  restricted(space, { dimension: 'portal', keys: [...names].map(exactly) }, true);

/** What lies in all of these regions; `undefined` where that is too complicated to say. */
export function intersection(regions: readonly (Region | undefined)[]): Region | undefined {
  let common = EVERYTHING;
  for (const region of regions) {
    if (!region || common.length * region.length > MOST_BOXES) return undefined;
    common = common.flatMap((a) => region.flatMap((b) => meet(a, b) ?? []));
  }
  return common;
}

/** What of a region lies outside a box; `undefined` where that is too complicated to say. */
export function outside(space: Space, region: Region, box: Box): Region | undefined {
  const left = region.flatMap((one) => cutOut(space, one, box));
  return left.length > MOST_BOXES ? undefined : left;
}

function union(regions: readonly (Region | undefined)[]): Region | undefined {
  const boxes: Box[] = [];
  for (const region of regions) {
    if (!region || boxes.length + region.length > MOST_BOXES) return undefined;
    boxes.push(...region);
  }
  return boxes;
}

function restricted(space: Space, { dimension, keys }: Look, holds: boolean): Region {
  const { all, maskOf } = dimensionOf(space, dimension);
  const mask = holds ? maskOf(keys) : all & ~maskOf(keys);
  return mask === 0n ? [] : [new Map([[dimension, mask]])];
}

function meet(a: Box, b: Box): Box | undefined {
  const met = new Map(a);
  for (const [dimension, mask] of b) {
    const both = mask & (a.get(dimension) ?? mask);
    if (both === 0n) return undefined;
    met.set(dimension, both);
  }
  return met;
}

/** Slices off what the hole does not reach, one dimension after the other; what is left then lies in the hole. */
function cutOut(space: Space, box: Box, hole: Box): Box[] {
  if (!meet(box, hole)) return [box];
  const slices: Box[] = [];
  const rest = new Map(box);
  for (const [dimension, mask] of hole) {
    const own = rest.get(dimension) ?? dimensionOf(space, dimension).all;
    const beyond = own & ~mask;
    if (beyond !== 0n) slices.push(new Map(rest).set(dimension, beyond));
    rest.set(dimension, own & mask);
  }
  return slices;
}

function dimensionOf(space: Space, name: string): Dimension {
  const dimension = space.get(name);
  if (!dimension) throw new Error(`${name} is looked at and was not prepared`);
  return dimension;
}

/** One part of a condition: it holds for the values that begin with one of these keys. */
type Look = { readonly dimension: string; readonly keys: readonly string[] };

/** Keys as they would be compared: header names, hosts and languages in lower case. */
function looksOf({ header, query, host, portal, client_ip: ranges, language }: WhenEntry): Look[] {
  const looks: Look[] = [];
  const look = (dimension: string, values: RuleValues | undefined, key: (value: string) => string) => {
    if (values !== undefined) looks.push({ dimension, keys: valuesOf(values, []).map(({ value }) => key(value)) });
  };
  look(`header ${header?.name.toLowerCase()}`, header?.in, exactly);
  look(`query ${query?.name}`, query?.in, exactly);
  look('host', host, (value) => exactly(value.toLowerCase()));
  look('portal', portal, exactly);
  look('client_ip', ranges, addressPrefix);
  // `de` is the beginning of `de-at`, and not of `den`.
  look('language', language, (value) => `${value.toLowerCase()}-`);
  return looks;
}

/** The beginning of itself only: values hold no control characters. */
const exactly = (value: string): string => `${value}\0`;

function openDimension(mentioned: readonly string[], beside: 'others too' | 'these only'): Dimension {
  const keys = [...new Set(mentioned)].sort();
  const places = new Map(keys.map((key, place) => [key, place]));
  /** The first place behind all keys that begin with this one. */
  const endOf = (key: string, start: number): number => {
    let low = start;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((keys[middle] ?? '').startsWith(key)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const bits = (from: number, to: number): bigint => ((1n << BigInt(to - from)) - 1n) << BigInt(from);
  return {
    all: bits(0, keys.length + (beside === 'others too' ? 1 : 0)),
    maskOf: (asked) =>
      asked.reduce((mask, key) => {
        const start = places.get(key);
        return start === undefined ? mask : mask | bits(start, endOf(key, start));
      }, 0n),
  };
}
