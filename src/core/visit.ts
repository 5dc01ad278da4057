import type { FrontLogout } from './environment.ts';
import type { EnvironmentName, PortalName } from './names.ts';
import type { Instant } from './time.ts';

/**
 * The record that this browser signed in to a portal through an environment. It is sealed into a cookie of the
 * browser, together with where a sign-out has to go, so that a sign-out still works when the environment has
 * left the routes.
 */
export type Visit = {
  readonly portal: PortalName;
  readonly environment: EnvironmentName;
  readonly at: Instant;
  readonly appUrl: string;
  readonly frontLogout?: FrontLogout;
  /** What the environment's protocol needs to end its session (`Assertion.session`). */
  readonly session?: string;
};

/** The latest of these visits; the first of them where two are of the same second. */
export const latestVisit = (visits: readonly Visit[]): Visit | undefined =>
  visits.reduce<Visit | undefined>((latest, visit) => (latest && latest.at >= visit.at ? latest : visit), undefined);
