import type { DatabaseSync } from 'node:sqlite';
import type { Filter, NoticeState, Notices } from './notices.ts';
import { noticeOf, type Row } from './sqlite-notice-rows.ts';

const STATES: readonly NoticeState[] = ['waiting', 'taken', 'delivered', 'dead'];

/** What operators and metrics read of the outbox. A page costs what is on it. */
export function openLists(db: DatabaseSync): Pick<Notices, 'list' | 'counts'> {
  const anyWhere = db.prepare('SELECT * FROM notices WHERE cursor < ? ORDER BY cursor DESC LIMIT ?');
  const inRun = db.prepare(
    `SELECT * FROM notices WHERE cursor < ?1 AND run = ?3 AND (?4 IS NULL OR lane = ?4) AND (?5 IS NULL OR state = ?5)
      ORDER BY cursor DESC LIMIT ?2`,
  );
  const inState = db.prepare('SELECT * FROM notices WHERE cursor < ? AND state = ? ORDER BY cursor DESC LIMIT ?');
  const inLane = db.prepare(
    'SELECT * FROM notices WHERE cursor < ? AND state = ? AND lane = ? ORDER BY cursor DESC LIMIT ?',
  );

  const counts = db.prepare('SELECT lane, state, count(*) AS count FROM notices GROUP BY state, lane');

  const rows = ({ run, lane, state }: Filter, most: number, before: number): Row[] => {
    if (run !== undefined) return inRun.all(before, most, run, lane ?? null, state ?? null) as Row[];
    if (lane !== undefined) {
      const states = state === undefined ? STATES : [state];
      const found = states.flatMap((one) => inLane.all(before, one, lane, most) as Row[]);
      return found.sort((a, b) => b.cursor - a.cursor).slice(0, most);
    }
    if (state !== undefined) return inState.all(before, state, most) as Row[];
    return anyWhere.all(before, most) as Row[];
  };
  return {
    list: async (of, most, before = Number.MAX_SAFE_INTEGER) => rows(of, most, before).map(noticeOf),
    counts: async () =>
      (counts.all() as { lane: string; state: NoticeState; count: number }[]).map((row) => ({ ...row })),
  };
}
