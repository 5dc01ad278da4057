import type { DatabaseSync } from 'node:sqlite';
import type { NewNotice, Notice, NoticeState } from './notices.ts';

/**
 * One row a notice; `queued` is 1 for the one waiting notice that stands for its order (the one that is taken, or else the
 * next), 0 for those behind it, NULL for what is settled or has to be fetched.
 *
 * One row more, in a small table of its own, while a notice is taken: the large one and its indexes are written once for
 * each attempt, not twice. `id` names a lease that nobody else ever had.
 *
 * `notice_lanes` holds for each lane when the first of those that stand for an order wakes (is due, or its lease ends), so
 * that what is due is found without reading what is not, however much waits for a lane that is full; when one of it was
 * taken last; and its `turn`, which is the later of the two.
 */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS notices (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, lane TEXT NOT NULL, ordered TEXT NOT NULL,
    run TEXT NOT NULL, by TEXT NOT NULL, text TEXT NOT NULL, due INTEGER NOT NULL, give_up_at INTEGER NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, changed_at INTEGER NOT NULL, receipt TEXT, queued INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS notices_order ON notices (ordered) WHERE queued IS NOT NULL;
  CREATE INDEX IF NOT EXISTS notices_queue ON notices (lane, due) WHERE queued = 1;
  CREATE INDEX IF NOT EXISTS notices_feed ON notices (lane) WHERE by = 'pull' AND state = 'waiting';
  CREATE INDEX IF NOT EXISTS notices_unfetched ON notices (give_up_at) WHERE by = 'pull' AND state = 'waiting';
  CREATE INDEX IF NOT EXISTS notices_done ON notices (changed_at) WHERE state IN ('delivered', 'dead');
  CREATE INDEX IF NOT EXISTS notices_run ON notices (run);
  CREATE INDEX IF NOT EXISTS notices_state ON notices (state);
  CREATE INDEX IF NOT EXISTS notices_lane ON notices (lane, state);
  CREATE TABLE IF NOT EXISTS notice_leases (
    id INTEGER PRIMARY KEY AUTOINCREMENT, cursor INTEGER NOT NULL UNIQUE, lane TEXT NOT NULL, since INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS notice_leases_lane ON notice_leases (lane, until);
  CREATE TABLE IF NOT EXISTS notice_lanes (
    lane TEXT PRIMARY KEY, wakes INTEGER NOT NULL, served INTEGER NOT NULL, turn INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS notice_lanes_wakes ON notice_lanes (wakes);
  CREATE INDEX IF NOT EXISTS notice_lanes_turn ON notice_lanes (turn);
`;

export type Row = {
  readonly cursor: number;
  readonly id: string;
  readonly lane: string;
  readonly ordered: string;
  readonly run: string;
  readonly by: NewNotice['by'];
  readonly text: string;
  readonly due: number;
  readonly give_up_at: number;
  readonly state: Exclude<NoticeState, 'taken'>;
  readonly attempts: number;
  readonly changed_at: number;
  readonly receipt: string | null;
};

/** Of a notice that is taken. */
export type Lease = { readonly id: number; readonly since: number };

/** `since`: when it was taken, if it is. */
export const noticeOf = (row: Row, since?: number | null): Notice => ({
  id: row.id,
  lane: row.lane,
  order: row.ordered,
  run: row.run,
  by: row.by,
  text: row.text,
  due: row.due,
  giveUpAt: row.give_up_at,
  cursor: row.cursor,
  state: since == null ? row.state : 'taken',
  attempts: row.attempts,
  changedAt: since ?? row.changed_at,
  ...(row.receipt !== null && { receipt: row.receipt }),
});

/** Who had taken a notice stood in its own row once. What was taken then is due again. */
export function leaveOldColumns(db: DatabaseSync): void {
  if (!db.prepare("SELECT 1 FROM pragma_table_info('notices') WHERE name = 'takes'").get()) return;
  db.exec(`
    DROP INDEX notices_behind;
    DROP INDEX notices_order;
    DROP INDEX notices_queue;
    DROP INDEX notices_taken;
    UPDATE notices SET state = 'waiting' WHERE state = 'taken';
    ALTER TABLE notices DROP COLUMN wakes;
    ALTER TABLE notices DROP COLUMN takes;
  `);
}
