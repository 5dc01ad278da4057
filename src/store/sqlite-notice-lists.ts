import type { DatabaseSync } from 'node:sqlite';
import type { Filter, NoticeState, Notices } from './notices.ts';
import { type Lease, noticeOf, type Row } from './sqlite-notice-rows.ts';

type Listed = Row & Pick<Lease, 'since'>;

const STATES: readonly NoticeState[] = ['waiting', 'taken', 'delivered', 'dead'];

/** What operators and metrics read of the outbox. A page costs what is on it, and what is taken. */
export function openLists(db: DatabaseSync): Pick<Notices, 'list' | 'counts'> {
  const any = 'SELECT notices.*, since FROM notices LEFT JOIN notice_leases USING (cursor) WHERE notices.cursor < ?';
  const newest = 'ORDER BY notices.cursor DESC LIMIT ?';
  const anyWhere = db.prepare(`${any} ${newest}`);
  const inRun = db.prepare(
    `SELECT * FROM (SELECT notices.*, since, iif(since IS NULL, state, 'taken') AS now FROM notices LEFT JOIN notice_leases USING (cursor))
      WHERE cursor < ?1 AND run = ?3 AND (?4 IS NULL OR lane = ?4) AND (?5 IS NULL OR now = ?5) ORDER BY cursor DESC LIMIT ?2`,
  );
  const inState = db.prepare(`${any} AND state = ? AND since IS NULL ${newest}`);
  const inLane = db.prepare(`${any} AND state = ? AND since IS NULL AND notices.lane = ? ${newest}`);
  const taken = 'SELECT notices.*, since FROM notice_leases CROSS JOIN notices USING (cursor) WHERE notices.cursor < ?';
  const takenAnywhere = db.prepare(`${taken} ${newest}`);
  const takenInLane = db.prepare(`${taken} AND notice_leases.lane = ? ${newest}`);
  const counts = db.prepare(
    `SELECT lane, state, sum(count) AS count FROM (
        SELECT lane, state, count(*) AS count FROM notices GROUP BY state, lane
        UNION ALL SELECT lane, 'waiting', -count(*) FROM notice_leases GROUP BY lane
        UNION ALL SELECT lane, 'taken', count(*) FROM notice_leases GROUP BY lane
      ) GROUP BY lane, state HAVING sum(count) > 0`,
  );

  const rows = ({ run, lane, state }: Filter, most: number, before: number) => {
    if (run !== undefined) return inRun.all(before, most, run, lane ?? null, state ?? null);
    if (lane !== undefined) {
      const found = (state === undefined ? STATES : [state]).flatMap((one) =>
        one === 'taken' ? takenInLane.all(before, lane, most) : inLane.all(before, one, lane, most),
      ) as Listed[];
      return found.sort((a, b) => b.cursor - a.cursor).slice(0, most);
    }
    if (state === 'taken') return takenAnywhere.all(before, most);
    return state === undefined ? anyWhere.all(before, most) : inState.all(before, state, most);
  };
  return {
    list: async (of, most, before = Number.MAX_SAFE_INTEGER) =>
      (rows(of, most, before) as Listed[]).map((row) => noticeOf(row, row.since)),
    counts: async () =>
      (counts.all() as { lane: string; state: NoticeState; count: number }[]).map((row) => ({ ...row })),
  };
}
