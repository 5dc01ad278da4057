/**
 * The provider's cookies. The library names and scopes its own by path, which a page of a sibling domain could imitate;
 * browsers see ours alone, all of them `__Host-` (RFC 6265bis §4.1.3.2), and they are translated on the way:
 *
 * - `session`, the provider's session;
 * - `asked.<uid>`, one for each authorization request under way: the browser that comes back with the login is the one
 *   that began it. Without that, somebody could have a stranger sign in for them;
 * - `party.<portal>`, sealed: what a sign-out needs to tell this relying party.
 *
 * SameSite=Lax: they travel with links and redirects from other sites, not with their frames and forms.
 */
import { type EnvironmentName, type PortalName, parsePortalName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import type { Sealer } from '../keys/keys.ts';
import { PARTY as PARTY_LIFETIME, SESSION } from './lifetimes.ts';
import type { PartySession } from './provider.ts';

const SESSION_COOKIE = '__Host-wayhome-session';
const ASKED = '__Host-wayhome-asked.';
const PARTY = '__Host-wayhome-party.';

/** Authorization requests under way in one browser; older ones are forgotten. */
const MAX_ASKED = 6;

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

export const hasAsked = (header: string, uid: string): boolean => cookiesNamed(header, `${ASKED}${uid}=`).length > 0;

/** Together with the lines that clear those over the limit. */
export function setAsked(header: string, uid: string, now: Instant, seconds: number): string[] {
  const asked = cookiesNamed(header, ASKED).sort((a, b) => Number(b.value) - Number(a.value));
  return [line(`${ASKED}${uid}`, String(now), seconds), ...asked.slice(MAX_ASKED - 1).map(({ name }) => expire(name))];
}

export const clearAsked = (uid: string): string => expire(`${ASKED}${uid}`);

export function setParty(
  { portal, environment, subject, sid, uid }: PartySession,
  sealer: Sealer,
  now: Instant,
): string {
  const sealed = sealer.seal(['party', portal], JSON.stringify([environment, subject, sid, uid]), now);
  return line(`${PARTY}${portal}`, sealed, PARTY_LIFETIME);
}

export const clearParty = (portal: PortalName): string => expire(`${PARTY}${portal}`);

/** What this browser remembers of relying parties; what cannot be opened is passed over. */
export function readParties(header: string, sealer: Sealer): PartySession[] {
  return cookiesNamed(header, PARTY).flatMap(({ name, value }): PartySession[] => {
    const portal = parsePortalName(name.slice(PARTY.length));
    const text = portal && sealer.open(['party', portal], value);
    if (!portal || text === undefined) return [];
    const [environment, subject, sid, uid] = JSON.parse(text) as [EnvironmentName, string, string, string];
    return [{ portal, environment, subject, sid, uid }];
  });
}
