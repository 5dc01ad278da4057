/**
 * The provider's cookies. The library names and scopes its own by path, which a page of a sibling domain could imitate;
 * browsers see ours alone, all of them `__Host-` (RFC 6265bis §4.1.3.2), and they are translated on the way:
 *
 * - `session`, the provider's session;
 * - `asked.<uid>`, one for each authorization request under way, which it holds, sealed: the browser that comes back with
 *   the login is the one that began it. Without that, somebody could have a stranger sign in for them;
 * - `party.<portal>`, sealed: what a sign-out needs to tell this relying party.
 *
 * SameSite=Lax: they travel with links and redirects from other sites, not with their frames and forms.
 */
import type { AdapterPayload } from 'oidc-provider';
import { type EnvironmentName, type PortalName, parsePortalName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import type { Instant } from '../core/time.ts';
import type { Sealer } from '../keys/keys.ts';
import { PARTY as PARTY_LIFETIME, SESSION } from './lifetimes.ts';
import type { PartySession } from './provider.ts';

const SESSION_COOKIE = '__Host-wayhome-session';
const ASKED = '__Host-wayhome-asked.';
const PARTY = '__Host-wayhome-party.';

/** Authorization requests under way in one browser, and characters of them all; older ones are forgotten. */
const MAX_ASKED = 6;
const ROOM_FOR_ASKED = 12_000;

/** Characters of one: a browser keeps 4,096 of a cookie, name included (RFC 6265bis §5.6). */
const LONGEST_ASKED = 3_950;

const line = (name: string, value: string, seconds: number): string =>
  `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;
const expire = (name: string): string => `${name}=; Path=/; Secure; HttpOnly; Max-Age=0`;

/** Cookies whose name begins so; a cookie ends at `;` alone. */
function cookiesNamed(header: string, prefix: string): { readonly name: string; readonly value: string }[] {
  return header.split(';').flatMap((pair) => {
    const text = pair.startsWith(' ') ? pair.slice(1) : pair;
    const equals = text.indexOf('=');
    return equals > 0 && text.startsWith(prefix)
      ? [{ name: text.slice(0, equals), value: text.slice(equals + 1) }]
      : [];
  });
}

export const readSession = (header: string): string | undefined =>
  cookiesNamed(header, `${SESSION_COOKIE}=`)[0]?.value || undefined;

export const setSession = (id: string): string => line(SESSION_COOKIE, id, SESSION);

export const clearSession = (): string => expire(SESSION_COOKIE);

/** The authorization request of this id that this browser has under way. */
export function readAsked(header: string, uid: string, sealer: Sealer): AdapterPayload | undefined {
  const [cookie] = cookiesNamed(header, `${ASKED}${uid}=`);
  const text = cookie && sealer.open(['asked', uid], cookie.value.slice(cookie.value.indexOf('.') + 1));
  return text === undefined ? undefined : (JSON.parse(text) as AdapterPayload);
}

/** Together with the lines that clear those over the limit. Throws `Refusal` where it is too long to be kept. */
export function setAsked(
  header: string,
  uid: string,
  request: AdapterPayload,
  sealer: Sealer,
  now: Instant,
  seconds: number,
): string[] {
  const value = `${now}.${sealer.seal(['asked', uid], JSON.stringify(request), now)}`;
  if (value.length > LONGEST_ASKED) throw new Refusal('request_too_long', 'an authorization request');
  let room = ROOM_FOR_ASKED - value.length;
  const others = cookiesNamed(header, ASKED).sort((a, b) => startOf(b.value) - startOf(a.value));
  const over = others.filter((other, index) => {
    room -= other.value.length;
    return index >= MAX_ASKED - 1 || room < 0;
  });
  return [line(`${ASKED}${uid}`, value, seconds), ...over.map(({ name }) => expire(name))];
}

const startOf = (value: string): number => Number.parseInt(value, 10) || 0;

export const clearAsked = (uid: string): string => expire(`${ASKED}${uid}`);

export function setParty(
  { portal, environment, subject, sid, uid, grant, at }: PartySession,
  sealer: Sealer,
  now: Instant,
): string {
  const sealed = sealer.seal(['party', portal], JSON.stringify([environment, subject, sid, uid, grant, at]), now);
  return line(`${PARTY}${portal}`, sealed, PARTY_LIFETIME);
}

export const clearParty = (portal: PortalName): string => expire(`${PARTY}${portal}`);

/** What this browser remembers of relying parties; what cannot be opened is passed over. */
export function readParties(header: string, sealer: Sealer): PartySession[] {
  return cookiesNamed(header, PARTY).flatMap(({ name, value }): PartySession[] => {
    const portal = parsePortalName(name.slice(PARTY.length));
    const text = portal && sealer.open(['party', portal], value);
    if (!portal || text === undefined) return [];
    const [environment, subject, sid, uid, grant, at] = JSON.parse(text) as Written;
    return [{ portal, environment, subject, sid, uid, grant, ...(typeof at === 'number' && { at }) }];
  });
}

type Written = [
  environment: EnvironmentName,
  subject: string,
  sid: string,
  uid: string,
  grant: string,
  at?: Instant | null,
];
