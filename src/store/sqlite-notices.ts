import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../core/time.ts';
import type { Notices, Outcome } from './notices.ts';
import type { Commits } from './sqlite-commits.ts';
import { openLists } from './sqlite-notice-lists.ts';
import { type Lease, leaveOldColumns, noticeOf, type Row, SCHEMA } from './sqlite-notice-rows.ts';
import { openQueue } from './sqlite-queue.ts';

/** What one commit gives up or forgets at the most. */
const MOST_ROWS = 5_000;

/**
 * The outbox of a `sqlite:` store. `memory:` has the same in a database of its own. What takers do costs no fsync: a
 * machine that loses its power at that moment has a notice told twice.
 *
 * The planner knows nothing of how rare some rows are; where it would read all that waits, `INDEXED BY` says otherwise.
 */
export function openNotices(db: DatabaseSync, { share, shareLightly, alone }: Commits): Notices {
  alone(() => {
    leaveOldColumns(db);
    db.exec(SCHEMA);
  });
  const queue = openQueue(db);
  const add = db.prepare(
    `INSERT INTO notices (id, lane, ordered, run, by, text, due, give_up_at, state, attempts, changed_at, queued)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const lease = db.prepare(
    'INSERT OR REPLACE INTO notice_leases (cursor, lane, since, until) VALUES (?, ?, ?, ?) RETURNING id',
  );
  const isLeased = db.prepare('SELECT 1 FROM notice_leases WHERE cursor = ?');
  const endLease = db.prepare(
    `DELETE FROM notice_leases WHERE id = ?1 AND until > ?3 AND cursor = (SELECT cursor FROM notices WHERE id = ?2)
      RETURNING cursor`,
  );
  const find = db.prepare('SELECT * FROM notices WHERE id = ?');
  const settle = db.prepare(
    `UPDATE notices SET state = ?2, due = coalesce(?3, due), queued = ?4, attempts = attempts + ?5,
      receipt = coalesce(?6, receipt), changed_at = ?7 WHERE cursor = ?1 RETURNING lane, ordered`,
  );
  const anew = db.prepare(
    `UPDATE notices SET state = 'waiting', due = ?2, give_up_at = ?3, attempts = 0, changed_at = ?2,
      queued = CASE WHEN by = 'push' THEN coalesce(queued, 0) END, cursor = ?4 WHERE cursor = ?1`,
  );
  const count = db.prepare("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'notices' RETURNING seq");
  const feed = db.prepare(
    `SELECT * FROM notices INDEXED BY notices_feed WHERE lane = ? AND by = 'pull' AND state = 'waiting' AND cursor > ? AND give_up_at > ?
      ORDER BY cursor LIMIT ?`,
  );
  const fetched = db.prepare(
    `UPDATE notices INDEXED BY notices_feed SET state = 'delivered', attempts = attempts + 1, changed_at = ?3
      WHERE lane = ?1 AND by = 'pull' AND state = 'waiting' AND cursor <= ?2 AND give_up_at > ?3`,
  );
  const anyUnfetched = db.prepare(
    "SELECT 1 FROM notices INDEXED BY notices_unfetched WHERE by = 'pull' AND state = 'waiting' AND give_up_at <= ? LIMIT 1",
  );
  const giveUp = db.prepare(
    `UPDATE notices SET state = 'dead', changed_at = ?1 WHERE cursor IN
      (SELECT cursor FROM notices INDEXED BY notices_unfetched WHERE by = 'pull' AND state = 'waiting' AND give_up_at <= ?1 LIMIT +?2)`,
  );
  const forget = db.prepare(
    `DELETE FROM notices WHERE cursor IN
      (SELECT cursor FROM notices INDEXED BY notices_done WHERE state IN ('delivered', 'dead') AND changed_at < ? LIMIT ?)`,
  );
  /** Of one that is posted again; an update would not count it. */
  const nextCursor = () => Number(count.get()?.seq);
  const conclude = (cursor: number, outcome: Outcome, now: Instant) => {
    const state = outcome.to === 'returned' ? 'waiting' : outcome.to;
    const due = outcome.to === 'waiting' ? outcome.due : null;
    const queued = state === 'waiting' ? 1 : null;
    const [attempts, receipt] = outcome.to === 'returned' ? [0, null] : [1, outcome.receipt];
    const row = settle.get(cursor, state, due, queued, attempts, receipt, now) as Pick<Row, 'lane' | 'ordered'>;
    queue.arrange([row]);
  };

  return {
    post: (notices, now) =>
      share(() => {
        const added = [];
        for (const { id, lane, order, run, by, text, due, giveUpAt } of notices) {
          const queued = by === 'push' ? 0 : null;
          const { changes } = add.run(id, lane, order, run, by, text, due, giveUpAt, now, queued);
          if (changes === 1 && by === 'push') added.push({ lane, ordered: order });
        }
        queue.arrange(added);
      }),
    take: async (want, now) => {
      const nextAt = queue.next();
      const idle = nextAt === undefined || nextAt > now;
      if (idle && !anyUnfetched.get(now)) return [];
      return shareLightly(() => {
        giveUp.run(now, MOST_ROWS);
        const rows = queue.due(want, now);
        const taken = rows.map((row) => {
          const made = lease.get(row.cursor, row.lane, now, now + want.lease) as Pick<Lease, 'id'>;
          return { ...noticeOf(row, now), lease: String(made.id) };
        });
        queue.served(new Set(rows.map(({ lane }) => lane)), now);
        return taken;
      });
    },
    settle: (taken, outcome, now) =>
      shareLightly(() => {
        const ended = endLease.get(taken.lease, taken.id, now) as Pick<Row, 'cursor'> | undefined;
        if (!ended) return 'lost';
        conclude(ended.cursor, outcome, now);
        return 'settled';
      }),
    ...openLists(db),
    nextDue: async () => queue.next(),
    feed: async (lane, after, most, now) => (feed.all(lane, after, now, most) as Row[]).map((row) => noticeOf(row)),
    acknowledge: (lane, upTo, now) => share(() => Number(fetched.run(lane, upTo, now).changes)),
    resend: (ids, now, giveUpAt) =>
      share(() => {
        const found = [...new Set(ids)].map((id) => find.get(id) as Row | undefined);
        const again = found.filter((row) => row && row.state !== 'delivered' && !isLeased.get(row.cursor)) as Row[];
        for (const { cursor, by } of again) anew.run(cursor, now, giveUpAt, by === 'pull' ? nextCursor() : cursor);
        queue.arrange(again.filter(({ by }) => by === 'push'));
        return again.length;
      }),
    forget: async (before) => {
      let forgotten = 0;
      for (let size = MOST_ROWS; size === MOST_ROWS; forgotten += size)
        size = await shareLightly(() => Number(forget.run(before, MOST_ROWS).changes));
      return forgotten;
    },
  };
}
