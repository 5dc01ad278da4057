/**
 * Environments and relying parties that a sign-out tells behind the person's back: durably at its start, and waited for a
 * little at its end.
 */
import type { Visit } from '../core/visit.ts';
import { type Lane, partyLane } from '../logout/lane.ts';
import type { LogoutRun } from '../logout/plan.ts';
import { toldVisits } from '../logout/told-visits.ts';
import type { PartySession } from '../provider/provider.ts';
import type { Notice } from '../store/notices.ts';
import { recordTold } from './logout-audit.ts';
import type { Turn } from './turn.ts';

/** Seconds from the start of a sign-out for which the person waits until everybody was told. */
const PATIENCE = 5;

/**
 * Begins to tell the environments of these visits and the relying parties of these sessions, and writes down in the run
 * who they are. Without the store nobody is told; the person is told that instead.
 */
export async function tellBehind(
  turn: Turn,
  run: LogoutRun,
  visits: readonly Visit[],
  sessions: readonly PartySession[],
): Promise<LogoutRun> {
  const { surface, live, now } = turn;
  const named = toldVisits(live.logout.fanOut, visits);
  const concerned = [
    ...named.map(({ environment }) => environment),
    ...sessions.map(({ portal }) => partyLane(portal)),
  ];
  const tellable = [...new Set<Lane>(concerned)].filter((lane) => live.receivers.has(lane));
  if (tellable.length === 0) return run;
  try {
    const told = await surface.outbox.tell(run.reference, named, now, sessions);
    for (const lane of told) recordTold(turn, run, 'notice_kept', lane);
    return { ...run, told };
  } catch (error) {
    const detail = `store_unavailable: ${error instanceof Error ? error.message : 'unknown'}`;
    for (const lane of tellable) recordTold(turn, run, 'notice_not_kept', lane, detail);
    return { ...run, untold: tellable };
  }
}

/**
 * Until all of them were told or have failed once, or the person has waited long enough. What is left is told later.
 * Returns how far they have come; `undefined` where the store cannot say. The run goes on either way.
 */
export async function waitForTold({ surface, now }: Turn, run: LogoutRun): Promise<readonly Notice[] | undefined> {
  const left = Math.max(0, run.startedAt + PATIENCE - now);
  return run.told ? surface.outbox.progress(run.reference, left * 1_000).catch(() => undefined) : [];
}
