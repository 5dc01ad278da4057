import type { Audit, LogoutReason } from '../core/audit.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import { type Lane, ownerOf } from '../logout/lane.ts';
import type { LogoutRun } from '../logout/plan.ts';
import type { Notice, Outcome } from '../store/notices.ts';
import type { Turn } from './turn.ts';

/** One line of the log about a sign-out or one of its legs. */
export function recordRun(
  { surface }: Turn,
  run: LogoutRun,
  event: 'logout.started' | 'logout.leg' | 'logout.completed',
  reason: LogoutReason,
  environment: EnvironmentName | undefined,
  detail?: string,
): void {
  const { reference, portal } = run;
  surface.audit.record({
    event,
    reason,
    reference,
    portal,
    ...(environment && { environment }),
    ...(detail !== undefined && { detail: detail.slice(0, 200) }),
  });
}

/**
 * Whether somebody will be told behind the person's back. A line with `environment` is about that environment; one with
 * `portal` alone about that relying party.
 */
export function recordTold(
  { surface }: Turn,
  { reference, portal }: LogoutRun,
  reason: 'notice_kept' | 'notice_not_kept',
  lane: Lane,
  detail?: string,
): void {
  surface.audit.record({
    event: 'logout.leg',
    reason,
    reference,
    portal,
    ...ownerOf(lane),
    ...(detail !== undefined && { detail: detail.slice(0, 200) }),
  });
}

/** What an attempt to tell somebody behind the person's back came to. One that was not made is no event. */
export function recordNotice(
  audit: Audit,
  { run, lane }: Pick<Notice, 'run' | 'lane'>,
  outcome: Outcome,
  portal: PortalName | undefined,
): void {
  if (outcome.to === 'returned') return;
  const reasons = { delivered: 'notice_delivered', waiting: 'notice_delayed', dead: 'notice_dead' } as const;
  audit.record({
    event: 'logout.leg',
    reason: reasons[outcome.to],
    reference: run,
    detail: outcome.receipt,
    ...(portal && { portal }),
    ...ownerOf(lane),
  });
}

/** What went wrong with a leg, for the log. */
export const detailOf = (error: unknown): string =>
  error instanceof Refusal ? error.message : `bug: ${error instanceof Error ? error.message : 'not an error'}`;
