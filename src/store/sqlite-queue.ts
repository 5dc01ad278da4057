import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../core/time.ts';
import type { Want } from './notices.ts';
import type { Row } from './sqlite-notice-rows.ts';

export type Queue = {
  /** Puts things right after notices of these orders were added, taken, settled or moved. */
  arrange(changed: Iterable<Pick<Row, 'ordered' | 'lane'>>): void;
  /** What can be taken now, of one lane after the other. */
  due(want: Want, now: Instant): readonly Row[];
  /** From these lanes one was taken; `arrange` has them wait for their next turn. */
  served(lanes: Iterable<string>, now: Instant): void;
  /** When the first wakes. */
  next(): Instant | undefined;
};

/** Who is next: see sqlite-notice-rows.ts for the columns. Each step costs what it finds, not what waits. */
export function openQueue(db: DatabaseSync): Queue {
  const standing = db.prepare('SELECT cursor, lane, state FROM notices WHERE ordered = ? AND queued = 1');
  const first = db.prepare(
    'SELECT cursor, lane FROM notices WHERE ordered = ? AND queued IS NOT NULL ORDER BY wakes, cursor LIMIT 1',
  );
  const queue = db.prepare('UPDATE notices SET queued = ? WHERE cursor = ?');
  const firstIn = db.prepare('SELECT wakes FROM notices WHERE lane = ? AND queued = 1 ORDER BY wakes LIMIT 1');
  const wakeLane = db.prepare(
    `INSERT INTO notice_lanes (lane, wakes, served, turn) VALUES (?1, ?2, 0, ?2) ON CONFLICT (lane) DO UPDATE
      SET wakes = ?2, turn = max(?2, served) WHERE wakes <> ?2 OR turn <> max(?2, served)`,
  );
  const serve = db.prepare('UPDATE notice_lanes SET served = ?2 WHERE lane = ?1');
  const closeLane = db.prepare('DELETE FROM notice_lanes WHERE lane = ?');
  const lanes = db.prepare('SELECT lane FROM notice_lanes WHERE turn <= ? ORDER BY turn');
  const underWay = db.prepare("SELECT count(*) AS n FROM notices WHERE lane = ? AND state = 'taken' AND wakes > ?");
  const dueIn = db.prepare(
    "SELECT * FROM notices WHERE lane = ? AND queued = 1 AND wakes <= ? AND (state = 'waiting' OR ?) ORDER BY wakes, cursor LIMIT ?",
  );
  const next = db.prepare('SELECT min(wakes) AS wakes FROM notice_lanes');

  /** Lets the next one stand for its order, unless one is taken. Adds the lanes in which another stands now. */
  const appoint = (ordered: string, touched: Set<string>) => {
    const current = standing.get(ordered) as Pick<Row, 'cursor' | 'lane' | 'state'> | undefined;
    if (current?.state === 'taken') return;
    const head = first.get(ordered) as Pick<Row, 'cursor' | 'lane'> | undefined;
    if (!head || head.cursor === current?.cursor) return;
    if (current) {
      queue.run(0, current.cursor);
      touched.add(current.lane);
    }
    queue.run(1, head.cursor);
    touched.add(head.lane);
  };
  return {
    arrange(changed) {
      const orders = new Set<string>();
      const touched = new Set<string>();
      for (const { ordered, lane } of changed) {
        orders.add(ordered);
        touched.add(lane);
      }
      for (const ordered of orders) appoint(ordered, touched);
      for (const lane of touched) {
        const row = firstIn.get(lane) as Pick<Row, 'wakes'> | undefined;
        if (row) wakeLane.run(lane, row.wakes);
        else closeLane.run(lane);
      }
    },
    due({ most, perLane, lapsed = true }, now) {
      const found: Row[][] = [];
      for (const { lane } of lanes.iterate(now) as Iterable<Pick<Row, 'lane'>>) {
        if (found.length === most) break;
        const free = perLane - Number(underWay.get(lane, now)?.n ?? 0);
        if (free <= 0) continue;
        const rows = dueIn.all(lane, now, Number(lapsed), Math.min(free, most)) as Row[];
        if (rows.length > 0) found.push(rows);
      }
      const taken: Row[] = [];
      for (let round = 0; taken.length < most; round++) {
        const next = found.flatMap((rows) => rows[round] ?? []);
        if (next.length === 0) break;
        taken.push(...next.slice(0, most - taken.length));
      }
      return taken;
    },
    served(lanes, now) {
      for (const lane of lanes) serve.run(lane, now);
    },
    next: () => (next.get()?.wakes ?? undefined) as Instant | undefined,
  };
}
