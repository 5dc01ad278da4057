import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../core/time.ts';
import { openDecisions } from './sqlite-decisions.ts';
import { openHeld } from './sqlite-held.ts';
import type { Claimed, SingleUse, Store } from './store.ts';

/** How often keys whose time is over are deleted, in seconds, and how many in one commit. */
const SWEEP_EVERY = 30;
const SWEEP_ROWS = 5_000;

/** How long another process's commit is waited for. Nothing else runs meanwhile, so it is short. Milliseconds. */
const BUSY_MS = 500;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS claims_until ON claims (until);
  CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

type Waiting = {
  readonly keys: readonly SingleUse[];
  readonly now: Instant;
  readonly resolve: (claimed: Claimed) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * `sqlite:<path>`: the embedded, durable default. Several processes on one machine may share the file.
 *
 * Claims that arrive in the same turn of the event loop share one commit, since what a claim costs is the
 * fsync (`synchronous=FULL`); nobody is answered before that commit.
 */
export function openSqliteStore(path: string): Store {
  mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  // The file holds the keys that the router makes for itself.
  chmodSync(path, 0o600);
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
  db.exec(SCHEMA);

  const take = db.prepare(
    'INSERT INTO claims (key, until) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE claims.until < ?',
  );
  const release = db.prepare('DELETE FROM claims WHERE key = ?');
  const sweep = db.prepare('DELETE FROM claims WHERE key IN (SELECT key FROM claims WHERE until < ? LIMIT ?)');
  const find = db.prepare('SELECT value FROM kept WHERE name = ?');
  const add = db.prepare('INSERT INTO kept (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING');

  const decisions = openDecisions(path);
  let waiting: Waiting[] = [];
  let sweepAt = 0;

  const transact = <T>(work: () => T): T => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };

  const claimAll = ({ keys, now }: Waiting): Claimed => {
    for (const [index, { key, until }] of keys.entries()) {
      if (take.run(key, until, now).changes !== 0) continue;
      for (const taken of keys.slice(0, index)) release.run(taken.key);
      return { replayed: key };
    }
    return 'first';
  };

  const flush = () => {
    const batch = waiting;
    waiting = [];
    const now = batch.reduce((latest, entry) => Math.max(latest, entry.now), 0);
    try {
      const outcomes = transact(() => {
        if (now >= sweepAt) {
          sweep.run(now, SWEEP_ROWS);
          sweepAt = now + SWEEP_EVERY;
        }
        return batch.map(claimAll);
      });
      for (const [index, entry] of batch.entries()) entry.resolve(outcomes[index] ?? { replayed: '' });
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    }
  };

  return {
    claim: (keys, now) =>
      new Promise((resolve, reject) => {
        if (waiting.push({ keys, now, resolve, reject }) === 1) setImmediate(flush);
      }),
    keep: async (name, make) => {
      const read = () => find.get(name)?.value;
      const kept =
        read() ??
        transact(() => {
          add.run(name, make());
          return read();
        });
      if (typeof kept !== 'string') throw new Error(`the store lost the kept value ${name}`);
      return kept;
    },
    record: decisions.record,
    recorded: decisions.recorded,
    ...openHeld(db, transact),
    // As a claim would: a file that can be read may still be locked or full.
    ping: async () => transact(() => {}),
    close: async () => {
      if (waiting.length > 0) flush();
      decisions.close();
      if (db.isOpen) db.close();
    },
  };
}
