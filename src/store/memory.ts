import { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../core/time.ts';
import { openHeld } from './memory-held.ts';
import { openCommits } from './sqlite-commits.ts';
import { openNotices } from './sqlite-notices.ts';
import type { Claimed, SingleUse, Store } from './store.ts';

/** How often forgotten keys are swept out. Seconds. */
const SWEEP_EVERY = 60;

/**
 * `memory:` keeps its promises for the life of the process: for tests, and for trying things out. Its outbox is a
 * database in memory, since who is next is told in SQL already.
 */
export function openMemoryStore(): Store {
  const claimed = new Map<string, Instant>();
  const kept = new Map<string, string>();
  const outbox = new DatabaseSync(':memory:');
  const commits = openCommits(outbox);
  let decisions: string[] = [];
  let latestKeep = 0;
  let sweepAt = 0;

  const sweep = (now: Instant) => {
    sweepAt = now + SWEEP_EVERY;
    for (const [key, until] of claimed) if (until < now) claimed.delete(key);
  };
  const claim = (keys: readonly SingleUse[], now: Instant): Claimed => {
    if (now >= sweepAt) sweep(now);
    for (const { key } of keys) {
      const until = claimed.get(key);
      if (until !== undefined && until >= now) return { replayed: key };
    }
    for (const { key, until } of keys) claimed.set(key, until);
    return 'first';
  };

  return {
    claim: async (keys, now) => claim(keys, now),
    keep: async (name, make) => {
      const value = kept.get(name) ?? make();
      kept.set(name, value);
      return value;
    },
    replace: async (name, old, next) => {
      if (kept.get(name) !== old) return false;
      kept.set(name, next);
      return true;
    },
    record: (decision, keep) => {
      decisions.push(decision);
      // Trimmed now and then: an array gives up its first entry only by moving all others.
      if (decisions.length >= 2 * keep) decisions = decisions.slice(-keep);
      latestKeep = keep;
    },
    async *recorded() {
      yield* decisions.slice(-latestKeep);
    },
    ...openHeld(),
    notices: openNotices(outbox, commits),
    ping: async () => {},
    close: async () => {
      commits.flush();
      if (outbox.isOpen) outbox.close();
    },
  };
}
