/**
 * Our cookies, all of them `__Host-` (RFC 6265bis §4.1.3.2): host-only, Secure, Path=/. Two kinds:
 *
 * - `login.<reference>`, one for each login under way, so that parallel tabs do not meet. It must survive a
 *   form posted by an environment, which is another site: hence SameSite=None. What protects it is the sealed
 *   state that it is bound to, which no other site knows; a protocol without room for that state leaves it in
 *   here, and answers for the binding by what it carries in it.
 * - `leaving.<reference>.<environment>`, sealed, what a sign-out under way still needs to end one environment's
 *   session, and `leaving.<reference>` the sign-out itself where a protocol has no room for it.
 * - `place.<reference>`, sealed, how far a sign-out has come of which a leg was given up: it may come back late.
 * - `visit.<portal>.<environment>`, one for each visit, sealed. SameSite=Lax: an embedded request of another
 *   site cannot end a visit. One cookie a visit, so that a new one is set without having read the others.
 */
import type { Unfinished } from '../core/facts.ts';
import { type EnvironmentName, type PortalName, parseEnvironmentName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import { sessionNames, type Visit } from '../core/visit.ts';
import type { Sealer } from '../keys/keys.ts';
import type { Browser } from '../protocols/delegate.ts';

/** What the names of all our cookies begin with, whichever host they are for. */
export const OURS = '__Host-wayhome-';

const LOGIN = '__Host-wayhome-login.';
const VISIT = '__Host-wayhome-visit.';
const LEAVING = '__Host-wayhome-leaving.';
const PLACE = '__Host-wayhome-place.';

/** Logins under way in one browser, and visits to one portal; older ones are forgotten. */
const MAX_LOGINS = 6;
const MAX_VISITS = 8;

/** How long a visit is kept by the browser. Seconds. */
export const VISIT_LIFETIME = 400 * 86_400;

type Cookie = { readonly name: string; readonly value: string };

/**
 * The cookies whose name begins so. No decoding: ours hold plain characters only, and a foreign one is no use.
 * A cookie ends at `;` alone: a sibling domain may set one whose value holds a space and then one of our names.
 */
function cookiesNamed(header: string, prefix: string): Cookie[] {
  const found: Cookie[] = [];
  for (let at = header.indexOf(prefix); at !== -1; at = header.indexOf(prefix, at + 1)) {
    if (at !== 0 && !header.endsWith('; ', at) && !header.endsWith(';', at)) continue;
    const end = header.indexOf(';', at);
    const pair = header.slice(at, end === -1 ? undefined : end);
    const equals = pair.indexOf('=');
    if (equals > 0) found.push({ name: pair.slice(0, equals), value: pair.slice(equals + 1) });
  }
  return found;
}

const expire = (name: string): string => `${name}=; Path=/; Secure; HttpOnly; Max-Age=0`;

export type LoginCookie = {
  readonly reference: string;
  /** Binds the sealed state to this browser. 128 bits in base64url. */
  readonly secret: string;
  readonly startedAt: Instant;
  readonly portal: PortalName;
  readonly environment: EnvironmentName;
  /** The sealed login, where the environment's protocol has no room for it. */
  readonly sealed?: string;
};

/** Seconds that the cookie outlives its login, so that who comes back too late is told so. */
const KEPT_AFTER = 3_600;

export function setLoginCookie(login: LoginCookie, lifetime: number): string {
  const { secret, startedAt, portal, environment, sealed } = login;
  const value = `${secret}.${startedAt}.${portal}.${environment}${sealed === undefined ? '' : `.${sealed}`}`;
  return `${LOGIN}${login.reference}=${value}; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=${lifetime + KEPT_AFTER}`;
}

/** What the browser keeps of one login under way. */
export function readLogin(header: string, reference: string): Pick<LoginCookie, 'secret' | 'sealed'> | undefined {
  const [cookie] = cookiesNamed(header, `${LOGIN}${reference}=`);
  const [secret, , , , sealed] = cookie?.value.split('.', 5) ?? [];
  return secret ? { secret, ...(sealed && { sealed }) } : undefined;
}

/** Logins that left from this browser, newest first, and the lines that clear those over the limit. */
export function readLogins(header: string): { logins: (Unfinished & { portal: string })[]; clear: string[] } {
  const logins = cookiesNamed(header, LOGIN).map(({ name, value }) => {
    const [, at, portal = '', environment = ''] = value.split('.');
    return { name, at: Number(at), portal, environment: parseEnvironmentName(environment) };
  });
  logins.sort((a, b) => b.at - a.at);
  return {
    logins: logins.flatMap(({ at, portal, environment }) =>
      environment && Number.isSafeInteger(at) ? [{ at, portal, environment }] : [],
    ),
    clear: logins.slice(MAX_LOGINS - 1).map(({ name }) => expire(name)),
  };
}

export function setVisitCookie(visit: Visit, sealer: Sealer): string {
  const { portal, environment, at, appUrl, frontLogout: front, session, id, subject, sid, browser } = visit;
  const text = JSON.stringify([at, appUrl, front?.url, front?.returnParam, session, id, subject, sid, browser]);
  const sealed = sealer.seal(['visit', portal, environment], text, at);
  return `${VISIT}${portal}.${environment}=${sealed}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${VISIT_LIFETIME}`;
}

/** What is absent stands there as `null`; the last ones are not there at all in cookies of older versions. */
type KeptVisit = [
  number,
  string,
  string | null,
  string | null,
  string | null,
  id?: string | null,
  subject?: string | null,
  sid?: string | null,
  browser?: string | null,
];

/** This browser's visits to a portal; what cannot be opened is passed over. */
export function readVisits(header: string, portal: PortalName, sealer: Sealer): Visit[] {
  const prefix = `${VISIT}${portal}.`;
  const visits: Visit[] = [];
  for (const { name, value } of cookiesNamed(header, prefix).slice(0, 4 * MAX_VISITS)) {
    const environment = parseEnvironmentName(name.slice(prefix.length));
    const text = environment && sealer.open(['visit', portal, environment], value);
    if (!environment || text === undefined) continue;
    const [at, appUrl, url, returnParam, session, id, subject, sid, browser] = JSON.parse(text) as KeptVisit;
    visits.push({
      ...(id && { id }),
      portal,
      environment,
      at,
      appUrl,
      ...(url && returnParam && { frontLogout: { url, returnParam } }),
      ...(session && { session }),
      ...sessionNames(subject, sid),
      ...(browser && { browser }),
    });
  }
  return visits;
}

/** Clears every visit to a portal, also those that cannot be opened any more. */
export const clearVisitCookies = (header: string, portal: PortalName): string[] =>
  cookiesNamed(header, `${VISIT}${portal}.`).map(({ name }) => expire(name));

export const clearVisitCookie = (portal: PortalName, environment: EnvironmentName): string =>
  expire(`${VISIT}${portal}.${environment}`);

/** Clears the oldest visits to a portal so that one more, through `environment`, stays within the limit. */
export function clearOldVisits(
  header: string,
  portal: PortalName,
  environment: EnvironmentName,
  sealer: Sealer,
): string[] {
  if (cookiesNamed(header, `${VISIT}${portal}.`).length < MAX_VISITS) return [];
  return readVisits(header, portal, sealer)
    .filter((visit) => visit.environment !== environment)
    .sort((a, b) => b.at - a.at)
    .slice(MAX_VISITS - 1)
    .map((visit) => clearVisitCookie(portal, visit.environment));
}

/** What a sign-out needs later: `what` is an environment, or nothing for the sign-out itself. */
export function setLeavingCookie(
  reference: string,
  what: EnvironmentName | undefined,
  sealed: string,
  lifetime: number,
): string {
  return `${leavingName(reference, what)}=${sealed}; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=${lifetime}`;
}

/** The sealed text that `setLeavingCookie` left. */
export const readLeaving = (header: string, reference: string, what?: EnvironmentName): string | undefined =>
  cookiesNamed(header, `${leavingName(reference, what)}=`)[0]?.value;

export const clearLeavingCookie = (reference: string, what?: EnvironmentName): string =>
  expire(leavingName(reference, what));

const leavingName = (reference: string, what?: EnvironmentName): string =>
  `${LEAVING}${reference}${what === undefined ? '' : `.${what}`}`;

export const setPlaceCookie = (reference: string, sealed: string, lifetime: number): string =>
  `${PLACE}${reference}=${sealed}; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=${lifetime}`;

/** The sealed text that `setPlaceCookie` left. */
export const readPlace = (header: string, reference: string): string | undefined =>
  cookiesNamed(header, `${PLACE}${reference}=`)[0]?.value;

const CAUGHT = '__Host-wayhome-caught';

/**
 * On the host of an environment behind the router: the state of the login that passed there last. The environment
 * never sees it, and a page of another site cannot bring it along (SameSite=Lax).
 */
export const setCaughtCookie = (state: string, lifetime: number): string =>
  `${CAUGHT}=${state}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${lifetime}`;

export const caughtState = (header: string): string | undefined =>
  cookiesNamed(header, `${CAUGHT}=`)[0]?.value || undefined;

export const clearCaughtCookie = (): string => expire(CAUGHT);

/** The browser as a protocol sees it: every cookie but ours. Read when it is asked for. */
export const browserOf = (header: string): Browser => ({
  cookies: (name) =>
    name.toLowerCase().startsWith(OURS.toLowerCase())
      ? []
      : header.split(';').flatMap((pair) => {
          const equals = pair.indexOf('=');
          return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
        }),
});
