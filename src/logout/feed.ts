/**
 * The pull feed: a party that cannot be reached asks what it has to know. A request with nothing to tell it may wait
 * until there is something, and says afterwards how far it has come.
 */
import type { Clock } from '../core/time.ts';
import type { Notice, Notices } from '../store/notices.ts';
import type { After } from '../system/after.ts';

export type Feed = {
  /**
   * What a lane has to be told after this cursor, in the order in which it came about; where that is nothing, what
   * there is after at the most so many seconds. `full`: too many of this lane, or of all, wait already.
   */
  read(lane: string, cursor: number, waitSeconds: number): Promise<readonly Notice[] | 'full'>;
  /** The party has all that came up to this cursor, itself included. Returns what is delivered by that. */
  acknowledge(lane: string, upTo: number): Promise<readonly Notice[]>;
  /** Something was posted to this lane. */
  wake(lane: string): void;
  /** Whoever waits is answered at once, now and from now on. */
  close(): void;
};

/** Notices in one answer. */
const MOST = 100;

/** Requests that wait, of one lane and of all. */
const WAITING_PER_LANE = 8;
const WAITING = 1_000;

/** Milliseconds between two looks at what other routers on the same store have posted. */
const POLL_MS = 2_000;

export function openFeed(notices: Notices, clock: Clock, after: After): Feed {
  const waiting = new Map<string, Set<() => void>>();
  let closed = false;
  const all = () => [...waiting.values()].reduce((count, { size }) => count + size, 0);

  const sleep = (lane: string, ms: number) =>
    new Promise<void>((resolve) => {
      const sleepers = waiting.get(lane) ?? new Set();
      waiting.set(lane, sleepers);
      const wake = () => {
        cancel();
        sleepers.delete(wake);
        if (sleepers.size === 0 && waiting.get(lane) === sleepers) waiting.delete(lane);
        resolve();
      };
      const cancel = after(ms, wake);
      sleepers.add(wake);
    });

  return {
    async read(lane, cursor, waitSeconds) {
      let found = await notices.feed(lane, cursor, MOST, clock());
      if (found.length > 0 || waitSeconds === 0 || closed) return found;
      if ((waiting.get(lane)?.size ?? 0) >= WAITING_PER_LANE || all() >= WAITING) return 'full';
      const until = performance.now() + waitSeconds * 1_000;
      while (found.length === 0 && !closed) {
        const left = until - performance.now();
        if (left <= 0) break;
        await sleep(lane, Math.min(left, POLL_MS));
        found = await notices.feed(lane, cursor, MOST, clock());
      }
      return found;
    },
    async acknowledge(lane, upTo) {
      const acknowledged: Notice[] = [];
      for (let from = 0; ; ) {
        const found = await notices.feed(lane, from, MOST, clock());
        acknowledged.push(...found.filter(({ cursor }) => cursor <= upTo));
        from = found.at(-1)?.cursor ?? upTo;
        if (found.length < MOST || from >= upTo) break;
      }
      if (acknowledged.length > 0) await notices.acknowledge(lane, upTo, clock());
      return acknowledged;
    },
    wake(lane) {
      for (const wake of [...(waiting.get(lane) ?? [])]) wake();
    },
    close() {
      closed = true;
      for (const sleepers of [...waiting.values()]) for (const wake of [...sleepers]) wake();
    },
  };
}
