/** The one place where a no becomes an answer: audit line, status, page. No handler writes prose. */
import type { EventName } from '../core/audit.ts';
import type { EnvironmentName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import { type Reason, Refusal } from '../core/reason.ts';
import type { Address } from './addresses.ts';
import { type Answer, appendParam, page } from './answer.ts';
import type { Live, Surface } from './live.ts';
import { askedAgain } from './login-url.ts';
import { refusalPage } from './pages/refusal.ts';
import { makeReference } from './state.ts';
import type { Trace } from './turn.ts';

const EVENTS: Readonly<Partial<Record<Address['at'], EventName>>> = {
  login: 'login.refused',
  return: 'login.refused',
  enter: 'login.refused',
  logout: 'logout.refused',
  logout_run: 'logout.refused',
};

/** Anything thrown → an answer. What is not a `Refusal` is a bug: recorded in full, shown as `internal`. */
export function refuse(surface: Surface, live: Live, error: unknown, trace: Trace, at?: Address['at']): Answer {
  const reference = trace.reference ?? makeReference(surface.random);
  const refusal = error instanceof Refusal ? error : new Refusal('internal');
  if (refusal !== error) surface.audit.fault(reference, error);
  const { reason, detail, status } = refusal;
  surface.audit.record({
    event: (at && EVENTS[at]) ?? 'request.refused',
    reason,
    reference,
    ...(trace.portal && { portal: trace.portal }),
    ...(trace.environment && { environment: trace.environment }),
    ...(trace.request && { initiated: trace.request.initiated }),
    ...(detail !== undefined && { detail: detail.slice(0, 200) }),
    ...(trace.trail?.length && { trail: trace.trail }),
  });
  return page(status, refusalPage({ reason, reference, ...waysOn(live, trace, reason) }));
}

/** Starting again helps wherever the portal's request is known to be good; choosing, wherever there is a choice. */
function waysOn(
  live: Live,
  { request, environment }: Trace,
  reason: Reason,
): { startAgain?: string; chooseAnother?: string } {
  const portal = request && live.portals.get(request.portal);
  if (!request || !portal) return {};
  const loginUrl = askedAgain(portal.loginPath, request);
  const asks = live.routes.discovery.steps.find(({ by }) => by === 'picker' || by === 'email')?.by;
  const chooseAnother = asks && reason !== 'environment_not_found' ? appendParam(loginUrl, 'ask', asks) : undefined;
  return {
    startAgain: startAgain(live, request, environment, loginUrl),
    ...(chooseAnother !== undefined && { chooseAnother }),
  };
}

/** From the beginning; but what led to an environment that no list shows (a link, a hint) would not come again. */
function startAgain(
  live: Live,
  request: PortalRequest,
  environment: EnvironmentName | undefined,
  loginUrl: string,
): string {
  if (!environment) return loginUrl;
  if (request.initiated === 'platform') return askedAgain(`/enter/${environment}/${request.portal}`, request);
  const picks = live.routes.discovery.steps.some(({ by }) => by === 'picker');
  const hidden = live.routes.environments.get(environment)?.listed === false;
  return picks && hidden ? appendParam(loginUrl, 'choose', environment) : loginUrl;
}
