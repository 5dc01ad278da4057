/**
 * Logout runs: one sign-out, and each party that it must tell. This version tells environments through the
 * browser (front channel), one after the other: at a page of theirs, or in the words of the protocol that signs
 * their people in. Planning is pure; nothing is kept on the server, since the run travels sealed with the browser.
 */
import type { Environment, FrontLogout } from '../core/environment.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import { latestVisit, type Visit } from '../core/visit.ts';
import type { Lane } from './lane.ts';

/** Without `front`, the environment's protocol ends its session. */
export type Leg = { readonly environment: EnvironmentName; readonly front?: FrontLogout };

/**
 * The browser came back from it; it came back without a word that the session ended; it waited in vain; it could not be
 * sent there.
 */
export type LegOutcome = 'told' | 'not_confirmed' | 'no_answer' | 'not_told';

export type LogoutRun = {
  readonly reference: string;
  readonly portal: PortalName;
  readonly startedAt: Instant;
  /** Still to be told, in this order. */
  readonly legs: readonly Leg[];
  /** Where the browser ends up; absent for the signed-out page. */
  readonly then?: string;
  /** What came of the legs that are over. */
  readonly outcomes?: readonly (readonly [EnvironmentName, LegOutcome])[];
  /** A leg was given up and may still come back, so the browser keeps how far the run has come. */
  readonly gaveUp?: true;
  /** Who is told behind the person's back, environments and relying parties, and who could not even be posted to. */
  readonly told?: readonly Lane[];
  readonly untold?: readonly Lane[];
  /** What the browser loads in frames at the end: pages of relying parties that end their sessions. */
  readonly frames?: readonly string[];
  /** Where the person signed in last, and its app; absent when this browser had no visit. */
  readonly origin?: { readonly environment: EnvironmentName; readonly appUrl: string };
};

export type LogoutPlan = {
  readonly then: 'app' | 'portal' | 'page';
  readonly fanOut: 'origin' | 'visited' | 'all';
  readonly homeUrl?: string;
  /** Whether an environment's protocol can end its session. */
  readonly byProtocol: (environment: EnvironmentName) => boolean;
};

/** The person is gone after this long; the rest of a run is not followed. Seconds. */
export const RUN_LIFETIME = 600;

/**
 * What a sign-out from a portal has to do. The app is that of the latest visit. An environment that is still
 * in the routes is told at the address that it has now, one that has left at the address that it had then.
 */
export function planLogout(
  plan: LogoutPlan,
  portal: { readonly name: PortalName; readonly environments: ReadonlySet<EnvironmentName> },
  environments: ReadonlyMap<EnvironmentName, Environment>,
  visits: readonly Visit[],
  started: { readonly reference: string; readonly now: Instant },
): LogoutRun {
  const origin = latestVisit(visits);
  const frontOf = (name: EnvironmentName): FrontLogout | undefined => {
    const environment = environments.get(name);
    return environment ? environment.frontLogout : visits.find((visit) => visit.environment === name)?.frontLogout;
  };
  const names = new Set<EnvironmentName>();
  if (origin) names.add(origin.environment);
  if (plan.fanOut !== 'origin') for (const visit of visits) names.add(visit.environment);
  if (plan.fanOut === 'all' && origin) for (const name of portal.environments) names.add(name);

  const appUrl = origin && (environments.get(origin.environment)?.appUrl ?? origin.appUrl);
  const then = plan.then === 'app' ? appUrl : plan.then === 'portal' ? plan.homeUrl : undefined;
  return {
    reference: started.reference,
    portal: portal.name,
    startedAt: started.now,
    legs: [...names].flatMap((environment): Leg[] => {
      const front = frontOf(environment);
      if (front) return [{ environment, front }];
      return plan.byProtocol(environment) ? [{ environment }] : [];
    }),
    ...(then !== undefined && { then }),
    ...(origin && appUrl !== undefined && { origin: { environment: origin.environment, appUrl } }),
  };
}
