/** The one place where a no becomes an answer: audit line, status, page. No handler writes prose. */
import type { EventName } from '../core/audit.ts';
import type { EnvironmentName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import { type Reason, Refusal } from '../core/reason.ts';
import { planRecovery } from '../core/recovery.ts';
import type { Address } from './addresses.ts';
import { type Answer, appendParam, page } from './answer.ts';
import { clearVisitCookie } from './cookies.ts';
import { errorFor, notEnded } from './exchange-answer.ts';
import { guestUrl } from './guest.ts';
import type { Live, LivePortal, Surface } from './live.ts';
import { askedAgain, attemptOf, withAttempt } from './login-url.ts';
import type { Frame } from './pages/layout.ts';
import { type RefusalView, refusalPage } from './pages/refusal.ts';
import { makeReference } from './state.ts';
import type { Trace } from './turn.ts';

const EVENTS: Readonly<Partial<Record<Address['at'], EventName>>> = {
  login: 'login.refused',
  return: 'login.refused',
  enter: 'login.refused',
  exchange: 'token.refused',
  authorize: 'login.refused',
  resume: 'login.refused',
  token: 'token.refused',
  userinfo: 'token.refused',
  end_session: 'logout.refused',
  logout: 'logout.refused',
  logout_run: 'logout.refused',
  logout_return: 'logout.refused',
  backchannel_logout: 'logout.refused',
  feed: 'logout.refused',
  feed_ack: 'logout.refused',
};

/** Addresses that programs call. */
export const FOR_SCRIPTS: ReadonlySet<Address['at']> = new Set([
  'exchange',
  'token',
  'userinfo',
  'feed',
  'feed_ack',
  'backchannel_logout',
]);

/** Anything thrown → an answer. What is not a `Refusal` is a bug: recorded in full, shown as `internal`. */
export function refuse(
  surface: Surface,
  live: Live,
  frame: Frame,
  error: unknown,
  trace: Trace,
  at?: Address['at'],
): Answer {
  const reference = trace.reference ?? makeReference(surface.random);
  const refusal = error instanceof Refusal ? error : new Refusal('internal');
  if (refusal !== error) surface.audit.fault(reference, error);
  const { reason, detail, status } = refusal;
  const { portal, environment, request, trail } = trace;
  surface.audit.record({
    event: (at && EVENTS[at]) ?? 'request.refused',
    reason,
    reference,
    ...(portal && { portal }),
    ...(environment && { environment }),
    ...(request && { initiated: request.initiated }),
    ...(detail !== undefined && { detail: detail.slice(0, 200) }),
    ...(trail?.length && { trail }),
  });
  if (at === 'backchannel_logout') return notEnded(refusal);
  if (at && FOR_SCRIPTS.has(at)) return errorFor(trace.allowOrigin, refusal, reference);
  // An environment that does not know the person has no session of theirs, so there is nothing to remember.
  const forget =
    reason === 'unknown_user' && portal && environment ? [clearVisitCookie(portal, environment)] : undefined;
  return page(status, refusalPage(frame, { reason, reference, ...waysOn(surface, live, trace, reason) }), forget);
}

type WaysOn = Omit<RefusalView, 'reason' | 'reference'>;

/** Where the person may go from here: starting again helps wherever the portal's request is known to be good. */
function waysOn(
  surface: Surface,
  live: Live,
  { request, environment, facts: readFacts }: Trace,
  reason: Reason,
): WaysOn {
  const to = request && live.portals.get(request.portal);
  // Starting again without a step that answers would end here again.
  if (!request || !to || reason === 'environment_not_found') return {};
  if (reason === 'login_already_used') return { ...afresh(to), ...portalsOwn(to, request) };
  const asGuest = guestUrl(to, request);
  const loginUrl = askedAgain(to.loginPath, request);
  const facts = readFacts?.();
  const now = surface.clock();
  const { discovery, environments } = live.routes;
  const next = facts ? planRecovery(discovery, environments, to.open.portal, facts, reason, now) : [];
  const onward = facts ? withAttempt(loginUrl, surface.sealer, request.portal, attemptOf(facts), now) : loginUrl;
  const asks = discovery.steps.find(({ by }) => by === 'picker' || by === 'email')?.by;
  return {
    startAgain: startAgain(live, request, environment, loginUrl),
    ...(asks && { chooseAnother: appendParam(onward, 'ask', asks) }),
    ...(asGuest !== undefined && { asGuest }),
    next: next.map(({ name, title }) => ({ title, url: appendParam(onward, 'choose', name) })),
    ...portalsOwn(to, request),
  };
}

/** A portal may have a page of its own for people whose login failed; nobody is sent there unasked. */
function portalsOwn({ open }: LivePortal, request: PortalRequest): WaysOn {
  try {
    const url = open.errorUrl?.(request);
    return url === undefined ? {} : { backTo: { title: open.portal.title, url } };
  } catch {
    // The address was allowed when the login began, and is not any more.
    return {};
  }
}

/** What the portal sent along was used up with the login, so only the portal itself can begin another one. */
function afresh({ open, homeUrl, loginPath }: LivePortal): WaysOn {
  if (homeUrl !== undefined) return { startAgain: homeUrl };
  try {
    open.readRequest(new Map());
    return { startAgain: loginPath };
  } catch {
    return {};
  }
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
