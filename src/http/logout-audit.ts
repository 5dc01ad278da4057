import type { LogoutReason } from '../core/audit.ts';
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import type { LogoutRun } from '../logout/plan.ts';
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

/** What went wrong with a leg, for the log. */
export const detailOf = (error: unknown): string =>
  error instanceof Refusal ? error.message : `bug: ${error instanceof Error ? error.message : 'not an error'}`;
