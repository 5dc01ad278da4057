/** A mapping of a file, as a plain object: a key is only ever a key, since no prototype holds any. */
export type Mapping = Record<string, unknown>;

function Bare() {}
Bare.prototype = Object.create(null);

/** An empty one. Made by a constructor: what `Object.create(null)` makes is a hash table of twice the size in V8. */
export const newMapping = (): Mapping => new (Bare as unknown as new () => Mapping)();

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
