import { parseEmail } from '../core/email.ts';
import type { Facts } from '../core/facts.ts';
import type { EnvironmentName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import type { Instant } from '../core/time.ts';
import type { Sealer } from '../keys/keys.ts';
import { ROUTER_PARAMS } from '../portals/router-params.ts';
import { appendParam } from './answer.ts';

/**
 * Parameters of ours on the login URL: `choose`, what the person chose on a page; `ask`, which page they want; `find`,
 * what they look for in the list; `guest`, that they go on without signing in; `typed`, the email that they typed, and `again`, what an attempt that failed has shown: both sealed, since an
 * address stays in histories and logs.
 */
const OURS = [...ROUTER_PARAMS].filter((name) => name !== 'email');

/** The login URL with the portal's own query, its bytes unchanged, and without parameters of ours. */
export function asCalled(loginPath: string, search: string): string {
  const kept = search.split('&').filter((pair) => pair !== '' && !OURS.some((name) => isNamed(pair, name)));
  return kept.length === 0 ? loginPath : `${loginPath}?${kept.join('&')}`;
}

const isNamed = (pair: string, name: string) => pair === name || pair.startsWith(`${name}=`);

/** The login URL that asks for the same thing once more. */
export function askedAgain(loginPath: string, { params }: PortalRequest): string {
  const query = new URLSearchParams(params).toString();
  return query === '' ? loginPath : `${loginPath}?${query}`;
}

/** What this attempt has shown so far: who could not sign the person in, and the email that they typed. */
export type Attempt = { readonly tried: readonly EnvironmentName[]; readonly email?: string };

export function attemptOf({ tried = [], typedEmail, knownEmail }: Partial<Facts>): Attempt {
  const email = (typedEmail === undefined ? undefined : parseEmail(typedEmail.trim())?.address) ?? knownEmail;
  return { tried, ...(email !== undefined && { email }) };
}

const againAt = (portal: string) => ['again', portal];

/** A login URL that goes on with this attempt rather than from the beginning. */
export function withAttempt(
  url: string,
  sealer: Sealer,
  portal: string,
  { tried, email }: Attempt,
  now: Instant,
): string {
  if (tried.length === 0 && email === undefined) return url;
  return appendParam(url, 'again', sealer.seal(againAt(portal), JSON.stringify([tried, email ?? null]), now));
}

/** What cannot be opened tells nothing. None of it is authority. */
export function readAttempt(sealer: Sealer, portal: string, again: string | undefined): Attempt {
  const text = again === undefined ? undefined : sealer.open(againAt(portal), again);
  if (text === undefined) return { tried: [] };
  const [tried, email] = JSON.parse(text) as [EnvironmentName[], string | null];
  return { tried, ...(email !== null && { email }) };
}

/** Characters of a typed email in percent-encoding; every address is filled up to this. */
const TYPED_LENGTH = 400;

const typedAt = (portal: string) => ['typed', portal];

/** The login URL with a typed email: of one length for every email, known or not, well formed or not. */
export function withTypedEmail(url: string, sealer: Sealer, portal: string, email: string, now: Instant): string {
  const text = encodeURIComponent(email).slice(0, TYPED_LENGTH).padEnd(TYPED_LENGTH);
  return appendParam(url, 'typed', sealer.seal(typedAt(portal), text, now));
}

/** What cannot be opened was not typed; what was too long for an email is none. */
export function readTypedEmail(sealer: Sealer, portal: string, typed: string | undefined): string | undefined {
  const text = typed === undefined ? undefined : sealer.open(typedAt(portal), typed);
  try {
    return text === undefined ? undefined : decodeURIComponent(text.trimEnd());
  } catch {
    return '';
  }
}
