import type { EmailDomains } from './email-domains.ts';
import type { EnvironmentName } from './names.ts';
import type { Reason } from './reason.ts';
import type { Instant } from './time.ts';

/** A value that a claim may have in an assertion or a portal token. */
export type ClaimValue =
  | string
  | number
  | boolean
  | null
  | readonly ClaimValue[]
  | { readonly [name: string]: ClaimValue };
export type Claims = Readonly<Record<string, ClaimValue>>;

/** One deployment of the operator's application: what may be believed about it, and where its people go. */
export type Environment = {
  readonly name: EnvironmentName;
  readonly title: string;
  /** The heading that it stands under in the picker. */
  readonly group?: string;
  /** The correct app: where a sign-out ends. */
  readonly appUrl: string;
  /** Offered to anonymous visitors in the picker. */
  readonly listed: boolean;
  /** Takes no login, not even one that is under way. */
  readonly disabled: boolean;
  /** Planned: the first instant at which it takes logins, and the first at which it takes none any more. */
  readonly from?: Instant;
  readonly until?: Instant;
  readonly mayAssert: MayAssert;
  /** Claims fixed by the operator; they win over whatever the environment says. */
  readonly sets: Claims;
  readonly frontLogout?: FrontLogout;
};

export type MayAssert = {
  /** `any` only where the operator wrote the word. */
  readonly emailDomains: 'any' | EmailDomains;
  readonly claims: ReadonlySet<string>;
  /**
   * Claims that may give rights in a portal (a role), where the portal's preset calls them privileged: those that the
   * operator grants, and those that the operator fixes.
   */
  readonly grants: ReadonlySet<string>;
  /** Whether an absent `email_verified` refuses the login. `false` always does. */
  readonly emailVerified: 'required' | 'not_required';
};

/** Why an environment takes no login at this moment; `undefined` when it does. */
export function closedFor({ disabled, from, until }: Environment, now: Instant): Reason | undefined {
  if (disabled) return 'environment_disabled';
  if (from !== undefined && now < from) return 'environment_not_open_yet';
  return until !== undefined && now >= until ? 'environment_closed' : undefined;
}

/** Whether an environment takes logins at this moment. */
export const isOpen = (environment: Environment, now: Instant): boolean => closedFor(environment, now) === undefined;

/** The environment's page that ends its own session and then follows `returnParam`. */
export type FrontLogout = { readonly url: string; readonly returnParam: string };

/** What an environment says about a person: verified, not yet checked against policy. */
export type Assertion = {
  readonly environment: EnvironmentName;
  /** `email` and `email_verified` still stand in here, as the environment wrote them. */
  readonly claims: Claims;
  /** What makes the assertion single use, e.g. its `jti`; absent where the sealed state alone does. */
  readonly replayKey?: string;
  /** The last instant at which it could be accepted again; the replay key is kept that long. */
  readonly acceptableUntil: number;
  /**
   * What its protocol needs to end the environment's session later (an id_token, a SAML session index). Kept in the
   * visit when it has at most `LONGEST_SESSION` characters.
   */
  readonly session?: string;
  /** What the environment calls the person, and its session: what a logout token has to say (`core/visit.ts`). */
  readonly subject?: string;
  readonly sid?: string;
  /** When the environment said so, by its own clock. */
  readonly issuedAt?: Instant;
};

/** Characters of an assertion's `session` that a visit keeps: a cookie holds 4 KiB, sealed and encoded. */
export const LONGEST_SESSION = 1_800;

/** An assertion after policy: all that the router is willing to repeat. */
export type Identity = {
  readonly environment: EnvironmentName;
  readonly email: string;
  readonly claims: Claims;
  /** `MayAssert.grants` of its environment; without them no claim may give rights. */
  readonly granted?: ReadonlySet<string>;
};
