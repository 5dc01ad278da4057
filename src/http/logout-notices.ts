/**
 * Environments that a sign-out tells behind the person's back: durably at its start, and waited for a little at its
 * end.
 */
import type { Visit } from '../core/visit.ts';
import type { LogoutRun } from '../logout/plan.ts';
import { toldVisits } from '../logout/told-visits.ts';
import type { Notice } from '../store/notices.ts';
import { recordRun } from './logout-audit.ts';
import type { Turn } from './turn.ts';

/** Seconds from the start of a sign-out for which the person waits until everybody was told. */
const PATIENCE = 5;

/**
 * Begins to tell the environments of these visits, and writes down in the run who they are. Without the store nobody is
 * told; the person is told that instead.
 */
export async function tellBehind(turn: Turn, run: LogoutRun, visits: readonly Visit[]): Promise<LogoutRun> {
  const { surface, live, now } = turn;
  const told = toldVisits(live.logout.fanOut, visits).filter(({ environment }) => live.receivers.has(environment));
  if (told.length === 0) return run;
  try {
    const kept = await surface.outbox.tell(run.reference, told, now);
    for (const environment of kept) recordRun(turn, run, 'logout.leg', 'notice_kept', environment);
    return { ...run, told: kept };
  } catch (error) {
    const untold = [...new Set(told.map(({ environment }) => environment))];
    const detail = `store_unavailable: ${error instanceof Error ? error.message : 'unknown'}`;
    for (const environment of untold) recordRun(turn, run, 'logout.leg', 'notice_not_kept', environment, detail);
    return { ...run, untold };
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
