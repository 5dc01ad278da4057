import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../core/time.ts';
import type { Commits } from './sqlite-commits.ts';
import type { Held, Store } from './store.ts';

/** How often things whose time is over are deleted, in seconds, and how many in one commit. */
const SWEEP_EVERY = 30;
const SWEEP_ROWS = 5_000;

/** `seq` grows with every thing that is held. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS held (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL, spent INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS held_until ON held (until);
  CREATE TABLE IF NOT EXISTS held_groups (
    seq INTEGER PRIMARY KEY, grouped TEXT NOT NULL, name TEXT NOT NULL REFERENCES held ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX IF NOT EXISTS held_groups_grouped ON held_groups (grouped);
  CREATE INDEX IF NOT EXISTS held_groups_name ON held_groups (name);
`;

type Row = { readonly name: string; readonly value: string; readonly spent: Instant | null };

/** The things that a `sqlite:` store holds, in tables of its file. */
export function openHeld(
  db: DatabaseSync,
  { share, alone }: Commits,
): Pick<Store, 'hold' | 'held' | 'spend' | 'release' | 'releaseGroup' | 'heldIn'> {
  alone(() => {
    db.exec(SCHEMA);
    moveGroups(db);
  });
  const add = db.prepare(
    `INSERT INTO held (name, value, until) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET
      value = ?2, spent = CASE WHEN until < ?4 THEN NULL ELSE spent END, until = ?3`,
  );
  const leave = db.prepare('DELETE FROM held_groups WHERE name = ?');
  const join = db.prepare('INSERT INTO held_groups (grouped, name) VALUES (?, ?)');
  const find = db.prepare('SELECT name, value, spent FROM held WHERE name = ? AND until >= ?');
  const findIn = db.prepare(
    `SELECT name, value, spent FROM held_groups JOIN held USING (name)
      WHERE grouped = ? AND until >= ? ORDER BY seq DESC LIMIT ?`,
  );
  const mark = db.prepare('UPDATE held SET spent = ?1 WHERE name = ?2 AND until >= ?1 AND spent IS NULL');
  const remove = db.prepare('DELETE FROM held WHERE name = ?');
  const removeGroup = db.prepare('DELETE FROM held WHERE name IN (SELECT name FROM held_groups WHERE grouped = ?)');
  const sweep = db.prepare('DELETE FROM held WHERE name IN (SELECT name FROM held WHERE until < ? LIMIT ?)');
  let sweepAt = 0;

  const read = (name: string, now: Instant) => find.get(name, now) as Row | undefined;
  return {
    hold: (things, now) =>
      share(() => {
        if (now >= sweepAt) {
          sweep.run(now, SWEEP_ROWS);
          sweepAt = now + SWEEP_EVERY;
        }
        for (const { name, value, until, groups = [] } of things) {
          add.run(name, value, until, now);
          leave.run(name);
          for (const group of new Set(groups)) join.run(group, name);
        }
      }),
    held: async (name, now) => {
      const row = read(name, now);
      return row && heldOf(row);
    },
    spend: (name, now) =>
      share(() => {
        if (mark.run(now, name).changes === 1) return 'first';
        return read(name, now) ? 'spent' : 'unknown';
      }),
    release: (names) =>
      share(() => {
        for (const name of names) remove.run(name);
      }),
    releaseGroup: (group) =>
      share(() => {
        removeGroup.run(group);
      }),
    heldIn: async (group, most, now) =>
      (findIn.all(group, now, most) as Row[]).map((row) => ({ name: row.name, ...heldOf(row) })),
  };
}

const heldOf = ({ value, spent }: Row): Held => ({ value, ...(spent !== null && { spentAt: spent }) });

/** A thing had one group at the most once, in a column of its own. */
function moveGroups(db: DatabaseSync): void {
  if (!db.prepare("SELECT 1 FROM pragma_table_info('held') WHERE name = 'grouped'").get()) return;
  db.exec(`
    INSERT INTO held_groups (grouped, name) SELECT grouped, name FROM held WHERE grouped IS NOT NULL;
    DROP INDEX IF EXISTS held_grouped;
    ALTER TABLE held DROP COLUMN grouped;
  `);
}
