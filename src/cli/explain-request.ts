/**
 * What the router would do with one request that starts a login, found out by the router's own reading and deciding,
 * without carrying anything out: nothing is sent, sealed or stored.
 */
import { addressed } from '../config/addressed.ts';
import type { CheckedRoutes } from '../config/checked.ts';
import { loginAddress } from '../config/login-address.ts';
import { type Decision, decide, type Question } from '../core/decide.ts';
import type { StepReason, Trail } from '../core/discovery.ts';
import type { Facts } from '../core/facts.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import { type Reason, Refusal } from '../core/reason.ts';
import type { Instant } from '../core/time.ts';
import { findAddress, fixedAddresses } from '../http/addresses.ts';
import { type Call, onlyLooks, parameters, readCall } from '../http/call.ts';
import { clearVisitCookies } from '../http/cookies.ts';
import { readFacts } from '../http/start.ts';
import type { Sealer } from '../keys/keys.ts';
import { openPortal } from '../portals/open-portal.ts';
import type { OpenPortal } from '../portals/portal.ts';
import { openParty, readAuthorization } from './explain-authorization.ts';

/** A request as it would reach the public listener. */
export type AskedRequest = {
  readonly method: 'GET' | 'POST';
  /** Path and query, as a browser sends them. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The address that connects: the browser's, or that of a proxy. */
  readonly peer?: string;
  readonly body?: string;
};

/** The document of `explain --json`. */
export type Explanation = {
  readonly portal: PortalName | null;
  /** Where the browser would go; `null` when the person is asked or refused. */
  readonly environment: EnvironmentName | null;
  readonly reason: StepReason | Reason;
  /** More about a refusal. */
  readonly detail?: string;
  readonly trail: Trail;
  readonly next: /** `to`: the environment's login URL; the state that the router adds to it is left out. */
    | { readonly do: 'depart'; readonly to: string }
    | { readonly do: 'ask'; readonly to: 'email' | 'picker' }
    /** A refusal leads nowhere; `status` is that of its page. */
    | { readonly do: 'refuse'; readonly to: null; readonly status: number };
};

/** The request starts no login, so there is nothing to decide. */
export type NoLogin = {
  readonly error: 'only_looks' | 'starts_no_login' | 'token_not_judged';
  readonly message: string;
};

export type Explained = {
  readonly explanation: Explanation | NoLogin;
  /** Sealed cookies and parameters of ours that the sealer could not open. */
  readonly unopened: number;
};

export function explainRequest(routes: CheckedRoutes, request: AskedRequest, sealer: Sealer, now: Instant): Explained {
  let portal: PortalName | undefined;
  try {
    const call = readRequest(request, routes);
    const address = findAddress(fixedAddresses(addressed(routes), routes.relyingParties.size > 0), call.path);
    if (!address) throw new Refusal('address_unknown');
    if (address.at !== 'login' && address.at !== 'enter' && address.at !== 'authorize')
      return nothing('starts_no_login', NOT_A_START);
    if (onlyLooks(call)) return nothing('only_looks', ONLY_LOOKS);
    if (address.at !== 'login' && address.at !== 'enter') {
      const { open, call: led } = readAuthorization(routes, call);
      portal = open.portal.name;
      return start(routes, led, open, { portal, initiated: 'portal', params: {} }, sealer, now);
    }
    const open = openNamed(routes, address.portal);
    portal = address.portal;
    if (address.at === 'enter') return enter(routes, call, open, address.environment, now);
    if (routes.portals.get(portal)?.metadataAtLoginPath && call.search === '' && wantsJson(call)) {
      return nothing('starts_no_login', 'Without a query, and asked for JSON, this address answers with the metadata.');
    }
    return start(routes, call, open, open.readRequest(call.query, { search: call.search, now }), sealer, now);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { explanation: refused(portal, error), unopened: 0 };
  }
}

function start(
  routes: CheckedRoutes,
  call: Call,
  open: OpenPortal,
  request: PortalRequest,
  sealer: Sealer,
  now: Instant,
): Explained {
  const { portal } = request;
  const facts = readFacts({ sealer }, call, { open }, request);
  const question: Question = { about: 'start', request, facts: afterTyping(call, facts) };
  const explanation = told(routes, portal, decide(routes.routes, question, now));
  return { explanation, unopened: countUnopened(call, portal, facts) };
}

const NOT_A_START =
  'This address starts no login. Explained are a Remote Login URL, an authorization request, or /enter/<environment>/<portal>.';
const ONLY_LOOKS =
  'The router answers this request with 204 and does nothing: HEAD, prefetch, or embedded in another page.';
const NOT_JUDGED =
  'A token came along, and whether it is good is found out at the login only. Leave access_token away.';

const nothing = (error: NoLogin['error'], message: string): Explained => ({
  explanation: { error, message },
  unopened: 0,
});

function readRequest({ method, target, headers, peer, body }: AskedRequest, { trustedProxies }: CheckedRoutes): Call {
  return readCall({ method, headers, socket: { remoteAddress: peer } }, target, body, trustedProxies);
}

function openNamed({ portals, relyingParties }: CheckedRoutes, name: PortalName): OpenPortal {
  const party = relyingParties.get(name);
  if (party) return openParty(party);
  const portal = portals.get(name);
  if (!portal) throw new Refusal('address_unknown', name);
  return openPortal(portal.preset, portal.settings);
}

const wantsJson = (call: Call): boolean => call.header('accept')?.startsWith('application/json') ?? false;

/** A typed email is answered with a redirect to the login URL, without what was asked or chosen before. */
function afterTyping(call: Call, facts: Facts): Facts {
  if (!call.form.has('email')) return facts;
  const { choice: _choice, ask: _ask, knownEmail: _known, ...typed } = facts;
  return typed;
}

/** `/enter/…`: as http/enter.ts reads it, up to where a token would be judged. */
function enter(routes: CheckedRoutes, call: Call, open: OpenPortal, name: EnvironmentName, now: Instant): Explained {
  const environment = routes.environments.get(name);
  if (!environment) throw new Refusal('address_unknown', `${name}/${open.portal.name}`);
  const params = parameters(call);
  const request = open.readEntry(params);
  const decision = decide(routes.routes, { about: 'entry', request, environment: name }, now);
  if (decision.do === 'depart' && params.has('access_token')) {
    const { login } = environment;
    if (login.protocol === 'handoff' && login.unsolicited === 'allowed') return nothing('token_not_judged', NOT_JUDGED);
    throw new Refusal('unsolicited_not_allowed', name);
  }
  return { explanation: told(routes, open.portal.name, decision), unopened: 0 };
}

function told(routes: CheckedRoutes, portal: PortalName, decision: Decision): Explanation {
  switch (decision.do) {
    case 'depart': {
      const { name } = decision.environment;
      const login = routes.environments.get(name)?.login;
      const to = login ? loginAddress(login) : '';
      return { portal, environment: name, reason: decision.reason, trail: decision.trail, next: { do: 'depart', to } };
    }
    case 'ask': {
      const { reason, trail, page } = decision;
      return { portal, environment: null, reason, trail, next: { do: 'ask', to: page } };
    }
    case 'refuse':
      return refused(portal, new Refusal(decision.reason, decision.detail), decision.trail);
    case 'hand_back':
      throw new Error('no assertion was handed in');
  }
}

function refused(portal: PortalName | undefined, { reason, detail, status }: Refusal, trail: Trail = []): Explanation {
  return {
    portal: portal ?? null,
    environment: null,
    reason,
    ...(detail !== undefined && { detail }),
    trail,
    next: { do: 'refuse', to: null, status },
  };
}

function countUnopened(call: Call, portal: PortalName, { visits, typedEmail, tried, knownEmail }: Facts): number {
  const typed = call.query.has('typed') && typedEmail === undefined;
  const again = call.query.has('again') && tried === undefined && knownEmail === undefined;
  return clearVisitCookies(call.cookies, portal).length - visits.length + Number(typed) + Number(again);
}
