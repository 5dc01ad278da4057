import { candidates, type Discovery, pickable } from './discovery.ts';
import type { Environment } from './environment.ts';
import type { Facts } from './facts.ts';
import type { EnvironmentName } from './names.ts';
import type { Portal } from './portal.ts';
import type { Reason } from './reason.ts';
import type { Instant } from './time.ts';

/** The environment could not sign the person in, for a reason that another one may not have. */
const ANOTHER_MAY: ReadonlySet<Reason> = new Set([
  'access_denied',
  'login_required',
  'unknown_user',
  'email_domain_not_allowed',
  'environment_disabled',
  'environment_not_open_yet',
  'environment_closed',
  'environment_not_offered',
  'environment_unavailable',
  'environment_error',
  'environment_timeout',
  'keys_unavailable',
  'metadata_refused',
  'client_refused',
]);

/** Offered at once; the page that lists them all is one click away. */
const MOST_OFFERED = 5;

/**
 * Where a person may go whom an environment could not sign in: first those that discovery would come to next,
 * then the listed ones. `facts.tried` names the environments that failed; none of them is offered again.
 */
export function planRecovery(
  discovery: Discovery,
  environments: ReadonlyMap<EnvironmentName, Environment>,
  portal: Portal,
  facts: Facts,
  reason: Reason,
  now: Instant,
): readonly Environment[] {
  if (!ANOTHER_MAY.has(reason)) return [];
  const { knownEmail } = facts;
  const asTyped = knownEmail === undefined ? facts : { ...facts, typedEmail: knownEmail };
  const next = new Set(candidates(discovery, environments, portal, asTyped, now));
  const asks = discovery.steps.some(({ by }) => by === 'picker');
  if (asks)
    for (const listed of pickable(environments, portal, now)) if (!facts.tried?.includes(listed.name)) next.add(listed);
  return [...next].slice(0, MOST_OFFERED);
}
