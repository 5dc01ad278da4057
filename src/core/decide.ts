/**
 * The one decision. Whatever happened last (a portal sent somebody, somebody picked, an environment answered),
 * the question comes here, and the answer says what the browser does next. Pure: the caller verified
 * signatures, opened cookies and read the clock; the caller also carries the answer out.
 */
import { type Discovered, discover, pickable, type StepReason, type Trail } from './discovery.ts';
import { type Assertion, closedFor, type Environment, type Identity } from './environment.ts';
import type { Facts } from './facts.ts';
import type { EnvironmentName } from './names.ts';
import { applyPolicy } from './policy.ts';
import type { Portal, PortalRequest } from './portal.ts';
import type { Reason } from './reason.ts';
import type { Routes } from './routes.ts';
import type { Instant } from './time.ts';

export type Question =
  /** The Remote Login URL, or an answer given on one of our pages. */
  | { readonly about: 'start'; readonly request: PortalRequest; readonly facts: Facts }
  /** A link in an app: the address names the environment. */
  | { readonly about: 'entry'; readonly request: PortalRequest; readonly environment: EnvironmentName }
  /** A verified assertion came back. */
  | { readonly about: 'assertion'; readonly request: PortalRequest; readonly assertion: Assertion };

export type Decision =
  | {
      readonly do: 'depart';
      readonly portal: Portal;
      readonly environment: Environment;
      readonly reason: StepReason;
      readonly trail: Trail;
      readonly loginHint?: string;
    }
  | {
      readonly do: 'ask';
      readonly portal: Portal;
      readonly page: 'email' | 'picker';
      readonly offered: readonly Environment[];
      readonly reason: StepReason;
      readonly trail: Trail;
      readonly suggested?: Environment;
      readonly emailUnknown?: boolean;
    }
  | {
      readonly do: 'hand_back';
      readonly portal: Portal;
      readonly environment: Environment;
      readonly identity: Identity;
    }
  | { readonly do: 'refuse'; readonly reason: Reason; readonly detail?: string; readonly trail: Trail };

const NO_TRAIL: Trail = [];

export function decide(routes: Routes, question: Question, now: Instant): Decision {
  const portal = routes.portals.get(question.request.portal);
  if (!portal) return { do: 'refuse', reason: 'portal_unknown', trail: NO_TRAIL };
  if (question.about === 'start') {
    return answer(discover(routes.discovery, routes.environments, portal, question.facts, now), portal, routes, now);
  }
  const name = question.about === 'entry' ? question.environment : question.assertion.environment;
  const admitted = admit(routes, portal, name, now);
  if ('reason' in admitted) return { do: 'refuse', reason: admitted.reason, detail: name, trail: NO_TRAIL };
  const { environment } = admitted;
  if (question.about === 'entry') {
    const reason = 'address_names_environment';
    return {
      do: 'depart',
      portal,
      environment,
      reason,
      trail: [{ by: 'address', saw: name, outcome: 'answered', reason }],
    };
  }
  const outcome = applyPolicy(environment, question.assertion);
  return outcome.ok
    ? { do: 'hand_back', portal, environment, identity: outcome.identity }
    : {
        do: 'refuse',
        reason: outcome.reason,
        ...(outcome.detail !== undefined && { detail: outcome.detail }),
        trail: NO_TRAIL,
      };
}

/** Whether people of this environment may come in to this portal now; asked again at the return, since routes and time change. */
export function admit(
  routes: Routes,
  portal: Portal,
  name: EnvironmentName,
  now: Instant,
): { readonly environment: Environment } | { readonly reason: Reason } {
  const environment = routes.environments.get(name);
  if (!environment) return { reason: 'address_unknown' };
  const closed = closedFor(environment, now);
  if (closed) return { reason: closed };
  if (!portal.environments.has(name)) return { reason: 'environment_not_offered' };
  return { environment };
}

function answer(discovered: Discovered, portal: Portal, routes: Routes, now: Instant): Decision {
  switch (discovered.outcome) {
    case 'answered': {
      const { outcome: _, ...found } = discovered;
      return { do: 'depart', portal, ...found };
    }
    case 'asked': {
      const { outcome: _, ...asked } = discovered;
      return { do: 'ask', portal, offered: pickable(routes.environments, portal, now), ...asked };
    }
    case 'nothing':
      return { do: 'refuse', reason: 'environment_not_found', trail: discovered.trail };
  }
}
