/**
 * The state of a login, sealed and carried by the browser: a login start keeps nothing on the server.
 *
 * On the wire it is `<reference>.<sealed>`. The reference finds the login's cookie; the sealed part opens only
 * with that cookie's secret and at the return address of the environment that the login left for (additional
 * data of the AEAD), which is what stops login CSRF and mix-up (RFC 9700 §2.1 and §4.4). Where a protocol has no
 * room, the wire has the reference alone, and the sealed part stays in the cookie.
 */
import type { Trail, TrailStep } from '../core/discovery.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../core/time.ts';
import type { Sealer } from '../keys/keys.ts';
import { readLogin } from './cookies.ts';

export type LoginState = {
  readonly request: PortalRequest;
  readonly nonce: string;
  readonly startedAt: Instant;
  /** The last instant of its return; fixed at the start, whatever a reload makes of `login_lifetime`. */
  readonly until: Instant;
  /** How discovery came to the environment; the last step is the one that answered. */
  readonly trail: Trail;
  /** Environments that could not sign the person in before this one. */
  readonly tried: readonly EnvironmentName[];
  /** The person's email, where they typed it on a page of ours. */
  readonly email?: string;
  /** What the environment's protocol has to remember of it. */
  readonly carry?: string;
};

const REFERENCE_LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
const REFERENCE_PATTERN = /^[0-9a-hjkmnp-tv-z]{10}$/;

/** Ten letters of Crockford's base 32 (50 bits): short enough to read out on the telephone. */
export function makeReference(random: (bytes: number) => Buffer): string {
  let reference = '';
  for (const byte of random(10)) reference += REFERENCE_LETTERS[byte & 31];
  return reference;
}

type Bound = { readonly reference: string; readonly secret: string; readonly environment: EnvironmentName };

const boundTo = ({ reference, secret, environment }: Bound) => ['login', environment, reference, secret];

/** What a step saw is kept this long in a state, which travels in an address. Characters. */
const LONGEST_SAW = 40;

/** The sealed part; see `wireState`. */
export function sealLogin(sealer: Sealer, login: LoginState, bound: Bound): string {
  const { request, nonce, startedAt, until, trail, tried, email = null, carry = null } = login;
  const steps = trail.map(({ by, saw, reason }) => [by, saw.slice(0, LONGEST_SAW), reason]);
  const { portal, initiated, params } = request;
  const text = JSON.stringify([portal, initiated, params, nonce, startedAt, until, steps, tried, email, carry]);
  return sealer.seal(boundTo(bound), text, startedAt);
}

/** The state as it travels in an address. */
export const wireState = (reference: string, sealed: string): string => `${reference}.${sealed}`;

type Sealed = [
  PortalName,
  PortalRequest['initiated'],
  Record<string, string>,
  string,
  Instant,
  Instant,
  [TrailStep['by'], string, TrailStep['reason']][],
  EnvironmentName[],
  string | null,
  string | null,
];

export type OpenedState = LoginState & { readonly reference: string };

/** Opens what came back, however old it is (`isOver`). Throws `Refusal`; it consumes nothing. */
export function openState(
  sealer: Sealer,
  state: string | undefined,
  environment: EnvironmentName,
  cookies: string,
): OpenedState {
  if (!state) throw new Refusal('state_missing');
  const reference = state.slice(0, 10);
  if (!REFERENCE_PATTERN.test(reference) || (state.length > 10 && state[10] !== '.'))
    throw new Refusal('state_invalid', 'not a state of this router');
  const login = readLogin(cookies, reference);
  if (!login) throw new Refusal('login_not_from_this_browser', `login ${reference}`);
  const sealed = state.length > 10 ? state.slice(11) : login.sealed;
  const text = sealed && sealer.open(boundTo({ reference, secret: login.secret, environment }), sealed);
  if (!text) throw new Refusal('state_invalid', `login ${reference}`);
  const [portal, initiated, params, nonce, startedAt, until, steps, tried, email, carry] = JSON.parse(text) as Sealed;
  const trail = steps.map(([by, saw, reason], index): TrailStep => {
    return { by, saw, outcome: index === steps.length - 1 ? 'answered' : 'passed', reason };
  });
  const request = { portal, initiated, params };
  return {
    request,
    nonce,
    startedAt,
    until,
    trail,
    tried,
    reference,
    ...(email !== null && { email }),
    ...(carry !== null && { carry }),
  };
}

/** Whether a login took too long, or comes from a future that clocks do not explain. */
export const isOver = ({ startedAt, until }: LoginState, now: Instant): boolean =>
  now > until || startedAt - now > CLOCK_SKEW;
