import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../core/time.ts';
import { openCommits } from './sqlite-commits.ts';
import { openDecisions } from './sqlite-decisions.ts';
import { openHeld } from './sqlite-held.ts';
import { openNotices } from './sqlite-notices.ts';
import type { Claimed, SingleUse, Store } from './store.ts';

/** How often keys whose time is over are deleted, in seconds, and how many in one commit. */
const SWEEP_EVERY = 30;
const SWEEP_ROWS = 5_000;

/** How long another process's commit is waited for. Nothing else runs meanwhile, so it is short. Milliseconds. */
const BUSY_MS = 500;

/** The same while a router starts beside others that are busy. Milliseconds. */
const OPEN_MS = 5_000;

/** The same for the outbox, whose commits are waited for without holding anybody up: at once, and in all. Milliseconds. */
const OUTBOX_BUSY_MS = 5;
const OUTBOX_PATIENCE_MS = 2_000;

/** Milliseconds between two commits of what takers do. */
const OUTBOX_APART_MS = 30;

/** Pages of the outbox's log that are written back at once: a hundred thousand notices dirty many, again and again. */
const OUTBOX_LOG_PAGES = 8_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS claims_until ON claims (until);
  CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/**
 * `sqlite:<path>`: the embedded, durable default. Several processes on one machine may share it.
 *
 * What is written in one turn of the event loop shares one commit (sqlite-commits.ts), which is on the disk before
 * anybody is answered (`synchronous=FULL`). The outbox has a file beside it, `<path>.notices`: whoever delivers never
 * has the file that logins write to.
 */
export function openSqliteStore(path: string): Store {
  mkdirSync(dirname(path), { recursive: true });
  const db = openFile(path);
  db.exec(SCHEMA);

  const take = db.prepare(
    'INSERT INTO claims (key, until) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE claims.until < ?',
  );
  const release = db.prepare('DELETE FROM claims WHERE key = ?');
  const sweep = db.prepare('DELETE FROM claims WHERE key IN (SELECT key FROM claims WHERE until < ? LIMIT ?)');
  const find = db.prepare('SELECT value FROM kept WHERE name = ?');
  const add = db.prepare('INSERT INTO kept (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING');
  const change = db.prepare('UPDATE kept SET value = ? WHERE name = ? AND value = ?');

  const commits = openCommits(db);
  const decisions = openDecisions(path);
  let sweepAt = 0;

  const claimAll = (keys: readonly SingleUse[], now: Instant): Claimed => {
    for (const [index, { key, until }] of keys.entries()) {
      if (take.run(key, until, now).changes !== 0) continue;
      for (const taken of keys.slice(0, index)) release.run(taken.key);
      return { replayed: key };
    }
    return 'first';
  };

  const held = openHeld(db, commits);
  const outbox = openFile(`${path}.notices`);
  const outboxCommits = openCommits(outbox, { patience: OUTBOX_PATIENCE_MS, apart: OUTBOX_APART_MS });
  const notices = openNotices(outbox, outboxCommits);
  outbox.exec(`PRAGMA wal_autocheckpoint=${OUTBOX_LOG_PAGES}; PRAGMA busy_timeout=${OUTBOX_BUSY_MS}`);
  db.exec(`PRAGMA busy_timeout=${BUSY_MS}`);
  return {
    claim: (keys, now) =>
      commits.share(() => {
        if (now >= sweepAt) {
          sweep.run(now, SWEEP_ROWS);
          sweepAt = now + SWEEP_EVERY;
        }
        return claimAll(keys, now);
      }),
    keep: async (name, make) => {
      const read = () => find.get(name)?.value;
      const kept =
        read() ??
        commits.alone(() => {
          add.run(name, make());
          return read();
        });
      if (typeof kept !== 'string') throw new Error(`the store lost the kept value ${name}`);
      return kept;
    },
    replace: async (name, old, next) => commits.alone(() => change.run(next, name, old).changes === 1),
    record: decisions.record,
    recorded: decisions.recorded,
    ...held,
    notices,
    // As a claim would: a file that can be read may still be locked or full.
    ping: async () => commits.alone(() => {}),
    close: async () => {
      commits.flush();
      outboxCommits.flush();
      decisions.close();
      for (const file of [db, outbox]) if (file.isOpen) file.close();
    },
  };
}

function openFile(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: OPEN_MS });
  // It holds the keys that the router makes for itself, or what people were called.
  chmodSync(path, 0o600);
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
  return db;
}
