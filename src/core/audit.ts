import type { StepReason, Trail } from './discovery.ts';
import type { EnvironmentName, PortalName } from './names.ts';
import type { Reason } from './reason.ts';

export type EventName =
  | 'login.completed'
  | 'login.refused'
  /** The portal asks for somebody again who got a token for it seconds ago. */
  | 'login.came_back'
  /** Many did: it refuses our tokens, it seems. */
  | 'portal.refusals_suspected'
  | 'token.minted'
  | 'token.refused'
  | 'logout.started'
  | 'logout.leg'
  | 'logout.completed'
  | 'logout.refused'
  | 'request.refused'
  | 'routes.applied'
  | 'routes.refused'
  | 'router.ready'
  | 'router.stopped';

/** One outcome: one line of the log. It never holds a token, a code, a state, a cookie or a secret. */
export type Outcome = {
  readonly event: EventName;
  readonly reason:
    | Reason
    | StepReason
    | LogoutReason
    | 'ok'
    | 'guest'
    | 'came_back_at_once'
    | 'routes_faulty'
    | 'restart_needed';
  /** What the person was shown; the same from the start of a login to its end. */
  readonly reference?: string;
  readonly portal?: PortalName;
  readonly environment?: EnvironmentName;
  readonly initiated?: 'portal' | 'platform';
  readonly detail?: string;
  readonly trail?: Trail;
};

export type LogoutReason =
  | 'visit_ended'
  | 'no_visit'
  | 'leg_departed'
  | 'leg_returned'
  /** The environment has no way to be told; nothing was sent. */
  | 'leg_skipped'
  /** The environment could not be told. */
  | 'leg_failed'
  /** The browser came back, and the environment did not say that its session ended. */
  | 'leg_not_confirmed'
  /** The environment did not answer the browser in time, and the person went on without it. */
  | 'leg_given_up'
  /**
   * The store keeps the news for an environment or a relying party that is told behind the person's back; or it could
   * not, and nobody will be.
   */
  | 'notice_kept'
  | 'notice_not_kept'
  /** That party took it; did not, and will be told again; or never will be, unless an operator sends it again. */
  | 'notice_delivered'
  | 'notice_delayed'
  | 'notice_dead'
  /** The environment itself said that the person signed out. */
  | 'ended_by_environment';

export type Audit = {
  record(outcome: Outcome): void;
  /** Something that should not happen; the outcome's line follows with the same reference. */
  fault(reference: string, error: unknown): void;
};
