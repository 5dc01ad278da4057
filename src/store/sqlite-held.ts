import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../core/time.ts';
import type { Store } from './store.ts';

/** How often things whose time is over are deleted, in seconds, and how many in one commit. */
const SWEEP_EVERY = 30;
const SWEEP_ROWS = 5_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS held (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL, grouped TEXT, spent INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS held_until ON held (until);
  CREATE INDEX IF NOT EXISTS held_grouped ON held (grouped) WHERE grouped IS NOT NULL;
`;

type Row = { readonly value: string; readonly spent: Instant | null };

/** The things that a `sqlite:` store holds, in a table of its file. `transact` commits before it returns. */
export function openHeld(
  db: DatabaseSync,
  transact: <T>(work: () => T) => T,
): Pick<Store, 'hold' | 'held' | 'spend' | 'release' | 'releaseGroup'> {
  db.exec(SCHEMA);
  const add = db.prepare(
    `INSERT INTO held (name, value, until, grouped) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET
      value = ?2, grouped = ?4, spent = CASE WHEN until < ?5 THEN NULL ELSE spent END, until = ?3`,
  );
  const find = db.prepare('SELECT value, spent FROM held WHERE name = ? AND until >= ?');
  const mark = db.prepare('UPDATE held SET spent = ?1 WHERE name = ?2 AND until >= ?1 AND spent IS NULL');
  const remove = db.prepare('DELETE FROM held WHERE name = ?');
  const removeGroup = db.prepare('DELETE FROM held WHERE grouped = ?');
  const sweep = db.prepare('DELETE FROM held WHERE name IN (SELECT name FROM held WHERE until < ? LIMIT ?)');
  let sweepAt = 0;

  const read = (name: string, now: Instant) => find.get(name, now) as Row | undefined;
  return {
    hold: async (things, now) =>
      transact(() => {
        if (now >= sweepAt) {
          sweep.run(now, SWEEP_ROWS);
          sweepAt = now + SWEEP_EVERY;
        }
        for (const { name, value, until, group } of things) add.run(name, value, until, group ?? null, now);
      }),
    held: async (name, now) => {
      const row = read(name, now);
      return row && { value: row.value, ...(row.spent !== null && { spentAt: row.spent }) };
    },
    spend: async (name, now) =>
      transact(() => {
        if (mark.run(now, name).changes === 1) return 'first';
        return read(name, now) ? 'spent' : 'unknown';
      }),
    release: async (names) =>
      transact(() => {
        for (const name of names) remove.run(name);
      }),
    releaseGroup: async (group) =>
      transact(() => {
        removeGroup.run(group);
      }),
  };
}
