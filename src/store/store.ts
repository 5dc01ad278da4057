/**
 * The contract of a store: the few things that must outlive a request. A login start keeps nothing here. A store
 * owns atomicity and durability; it leaves to others what a key means. Time is handed in. When it cannot do what
 * it promises it throws, and the caller answers 503: nothing is accepted that was not claimed.
 */
import type { Instant } from '../core/time.ts';
import type { Notices } from './notices.ts';

export type Claimed = 'first' | { readonly replayed: string };

/** Of any number who spend the same thing, one is `first`; `unknown`: nothing is held under this name (any more). */
export type Spent = 'first' | 'spent' | 'unknown';

export type Store = {
  /**
   * Takes all of these single-use keys, or none of them. Of any number of claims that share a key, at any time
   * and from any process on the same store, exactly one is answered `first`. Durable before it is answered
   * (`sqlite:`; Redis as far as it is set up to be; `memory:` keeps it for the life of the process).
   *
   * `until`: the last instant at which the key could be presented again; it may be forgotten after that.
   */
  claim(keys: readonly SingleUse[], now: Instant): Promise<Claimed>;

  /** The value kept under this name; `make` is called where there is none yet, and the first writer wins. */
  keep(name: string, make: () => string): Promise<string>;

  /**
   * Puts another value in the place of one that is kept, where that is still `old`: of any number who replace the
   * same one, one does. Durable before it returns. Whether it was this one.
   */
  replace(name: string, old: string, next: string): Promise<boolean>;

  /**
   * Keeps one routing decision, and of all of them the latest `keep`. Returns at once and promises little: decisions
   * are written in batches, and dropped where the store is slow or cannot be written. What the text says is left
   * to others (core/record.ts).
   */
  record(decision: string, keep: number): void;

  /** The decisions that are kept, oldest first. */
  recorded(): AsyncIterable<string>;

  /**
   * Holds things of limited life under their names, all of them or none, in place of what stood there before (one that
   * is spent stays spent). Durable before it returns, as a claim is. Names and values are the caller's business; the
   * store keeps neither longer than it has to.
   */
  hold(things: readonly Thing[], now: Instant): Promise<void>;

  /** What is held under this name, up to and including its last instant. */
  held(name: string, now: Instant): Promise<Held | undefined>;

  /** Uses a thing up, exactly once, with the promises of `claim`. It can still be read: that it is spent tells a replay. */
  spend(name: string, now: Instant): Promise<Spent>;

  /** Forgets these things; those that are not there are passed over. */
  release(names: readonly string[]): Promise<void>;

  /** Forgets everything that was held with this group. */
  releaseGroup(group: string): Promise<void>;

  /** What is held with this group, the newest first, at most so many. */
  heldIn(group: string, most: number, now: Instant): Promise<readonly (Held & { readonly name: string })[]>;

  /** The outbox. */
  readonly notices: Notices;

  /** What the operator should know of how it keeps its promises; for the log. */
  readonly warnings?: readonly string[];

  /** Whether the store answers at all, for /readyz. Throws when it does not. */
  ping(): Promise<void>;

  close(): Promise<void>;
};

export type SingleUse = { readonly key: string; readonly until: Instant };

export type Thing = {
  readonly name: string;
  readonly value: string;
  /** The last instant at which it is held. */
  readonly until: Instant;
  /** What it can be found and forgotten together with. */
  readonly groups?: readonly string[];
};

export type Held = { readonly value: string; readonly spentAt?: Instant };
