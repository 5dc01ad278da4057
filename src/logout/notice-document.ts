import type { Instant } from '../core/time.ts';
import type { Notice } from '../store/notices.ts';
import { ownerOf } from './lane.ts';

/** A notice as operators see it, for an `environment` or a `portal`; who the person is stays sealed. Times in ISO 8601. */
export function noticeDocument(notice: Notice) {
  const { id, cursor, lane, run, by, state, attempts, due, giveUpAt, changedAt, receipt } = notice;
  const open = state === 'waiting' || state === 'taken';
  return {
    id,
    cursor,
    run,
    ...ownerOf(lane),
    by,
    state,
    attempts,
    ...(receipt !== undefined && { receipt }),
    changed_at: isoTime(changedAt),
    ...(open && by === 'push' && { due: isoTime(due) }),
    ...(open && { give_up_at: isoTime(giveUpAt) }),
  };
}

export const isoTime = (instant: Instant): string => new Date(instant * 1_000).toISOString().replace('.000Z', 'Z');

/** How many there are, for each party and state. */
export const countDocument = (counts: readonly { lane: string; state: string; count: number }[]) =>
  counts.map(({ lane, state, count }) => ({ ...ownerOf(lane), state, count }));
