import type { EnvironmentName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import type { Instant } from '../core/time.ts';
import type { Sealer } from '../keys/keys.ts';
import { appendParam } from './answer.ts';

/**
 * Parameters of ours on the login URL: `choose`, what the person chose on a page; `ask`, which page they want;
 * `again`, what an attempt that failed has shown, sealed, since an email may be in it.
 */
const ANSWERS = ['choose', 'ask'] as const;

/** The login URL with the portal's own query, its bytes unchanged, and without what was answered before. */
export function asCalled(loginPath: string, search: string): string {
  const kept = search.split('&').filter((pair) => pair !== '' && !ANSWERS.some((name) => isNamed(pair, name)));
  return kept.length === 0 ? loginPath : `${loginPath}?${kept.join('&')}`;
}

const isNamed = (pair: string, name: string) => pair === name || pair.startsWith(`${name}=`);

/** The login URL that asks for the same thing once more. */
export function askedAgain(loginPath: string, { params }: PortalRequest): string {
  const query = new URLSearchParams(params).toString();
  return query === '' ? loginPath : `${loginPath}?${query}`;
}

/** What is known from an attempt that failed. Nothing in it is authority. */
export type Attempt = { readonly tried: readonly EnvironmentName[]; readonly typedEmail?: string };

const bound = (portal: string) => ['again', portal];

export function withAttempt(url: string, sealer: Sealer, portal: string, attempt: Attempt, now: Instant): string {
  const text = JSON.stringify([attempt.tried, attempt.typedEmail ?? null]);
  return appendParam(url, 'again', sealer.seal(bound(portal), text, now));
}

/** What cannot be opened tells nothing. */
export function readAttempt(sealer: Sealer, portal: string, again: string | undefined): Attempt {
  const text = again === undefined ? undefined : sealer.open(bound(portal), again);
  if (text === undefined) return { tried: [] };
  const [tried, typedEmail] = JSON.parse(text) as [EnvironmentName[], string | null];
  return { tried, ...(typedEmail !== null && { typedEmail }) };
}
