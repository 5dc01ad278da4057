import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../core/time.ts';
import type { Want } from './notices.ts';
import type { Row } from './sqlite-notice-rows.ts';

type Waking = Row & { readonly wakes: Instant };

type Queued = Pick<Row, 'cursor' | 'lane'> & { readonly queued: 0 | 1; readonly taken: 0 | 1 };

export type Queue = {
  /** Puts things right after notices of these orders were added, settled or moved. */
  arrange(changed: Iterable<Pick<Row, 'ordered' | 'lane'>>): void;
  /** What can be taken now, of one lane after the other. */
  due(want: Want, now: Instant): readonly Row[];
  /** From these lanes one was taken: they wait for their next turn. */
  served(lanes: Iterable<string>, now: Instant): void;
  /** When the first wakes. */
  next(): Instant | undefined;
};

/**
 * Who is next: see sqlite-notice-rows.ts for the columns. Each step costs what it finds, not what waits. A statement with
 * `LIMIT ?` would be planned anew each time; with `LIMIT +?` it is not.
 */
export function openQueue(db: DatabaseSync): Queue {
  const isTaken = 'EXISTS (SELECT 1 FROM notice_leases WHERE notice_leases.cursor = notices.cursor)';
  const inOrder = db.prepare(
    `SELECT cursor, lane, queued, ${isTaken} AS taken FROM notices INDEXED BY notices_order
      WHERE ordered = ? AND queued IS NOT NULL ORDER BY due, cursor`,
  );
  const queue = db.prepare('UPDATE notices SET queued = ? WHERE cursor = ?');
  const firstWaiting = db.prepare(
    `SELECT due FROM notices INDEXED BY notices_queue WHERE lane = ? AND queued = 1 AND NOT ${isTaken} ORDER BY due LIMIT 1`,
  );
  const firstLapse = db.prepare('SELECT until FROM notice_leases WHERE lane = ? ORDER BY until LIMIT 1');
  const wakeLane = db.prepare(
    `INSERT INTO notice_lanes (lane, wakes, served, turn) VALUES (?1, ?2, ?3, max(?2, ?3)) ON CONFLICT (lane) DO UPDATE
      SET wakes = ?2, served = max(served, ?3), turn = max(?2, served, ?3) WHERE wakes <> ?2 OR served < ?3`,
  );
  const closeLane = db.prepare('DELETE FROM notice_lanes WHERE lane = ?');
  const lanes = db.prepare('SELECT lane FROM notice_lanes WHERE turn <= ? ORDER BY turn');
  const underWay = db.prepare('SELECT count(*) AS n FROM notice_leases WHERE lane = ? AND until > ?');
  const dueIn = db.prepare(
    `SELECT *, due AS wakes FROM notices INDEXED BY notices_queue WHERE lane = ? AND queued = 1 AND due <= ? AND NOT ${isTaken}
      ORDER BY due, cursor LIMIT +?`,
  );
  const lapsedIn = db.prepare(
    `SELECT notices.*, until AS wakes FROM notice_leases JOIN notices USING (cursor)
      WHERE notice_leases.lane = ? AND until <= ? ORDER BY until, cursor LIMIT +?`,
  );
  const next = db.prepare('SELECT min(wakes) AS wakes FROM notice_lanes');

  /** Lets the next one stand for its order, unless one is taken. Adds the lanes in which another stands now. */
  const appoint = (ordered: string, touched: Set<string>) => {
    const all = inOrder.all(ordered) as Queued[];
    const [head] = all;
    const current = all.find(({ queued }) => queued === 1);
    if (!head || current?.taken || head === current) return;
    if (current) {
      queue.run(0, current.cursor);
      touched.add(current.lane);
    }
    queue.run(1, head.cursor);
    touched.add(head.lane);
  };
  const wakesIn = (lane: string): Instant =>
    Math.min(Number(firstWaiting.get(lane)?.due ?? Infinity), Number(firstLapse.get(lane)?.until ?? Infinity));
  /** What can be taken of a lane, in the order of its waking. */
  const wakingIn = (lane: string, lapsed: boolean, most: number, now: Instant): readonly Waking[] => {
    const waiting = dueIn.all(lane, now, most) as Waking[];
    const left = lapsed ? (lapsedIn.all(lane, now, most) as Waking[]) : [];
    if (left.length === 0) return waiting;
    return [...waiting, ...left].sort((a, b) => a.wakes - b.wakes || a.cursor - b.cursor).slice(0, most);
  };
  const arrangeLane = (lane: string, servedAt: Instant) => {
    const wakes = wakesIn(lane);
    if (wakes < Infinity) wakeLane.run(lane, wakes, servedAt);
    else closeLane.run(lane);
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
      for (const lane of touched) arrangeLane(lane, 0);
    },
    due({ most, perLane, lapsed = true }, now) {
      const found: { readonly lane: string; readonly free: number; readonly first: Row }[] = [];
      for (const { lane } of lanes.iterate(now) as Iterable<Pick<Row, 'lane'>>) {
        if (found.length === most) break;
        const free = perLane - Number(underWay.get(lane, now)?.n ?? 0);
        const [first] = free > 0 ? wakingIn(lane, lapsed, 1, now) : [];
        if (first) found.push({ lane, free, first });
      }
      if (found.length === most) return found.map(({ first }) => first);
      const rows = found.map(({ lane, free }) => wakingIn(lane, lapsed, Math.min(free, most), now));
      const taken: Row[] = [];
      for (let round = 0; taken.length < most; round++) {
        const next = rows.flatMap((ofLane) => ofLane[round] ?? []);
        if (next.length === 0) break;
        taken.push(...next.slice(0, most - taken.length));
      }
      return taken;
    },
    served(lanes, now) {
      for (const lane of lanes) arrangeLane(lane, now);
    },
    next: () => (next.get()?.wakes ?? undefined) as Instant | undefined,
  };
}
