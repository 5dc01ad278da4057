import type { FrontLogout } from './environment.ts';
import type { EnvironmentName, PortalName } from './names.ts';
import type { Instant } from './time.ts';

/**
 * The record that this browser signed in to a portal through an environment. It is sealed into a cookie of the
 * browser, together with where a sign-out has to go, so that a sign-out still works when the environment has
 * left the routes.
 */
export type Visit = {
  /** Unlike any other, 96 bits in base64url; absent in cookies of older versions. */
  readonly id?: string;
  readonly portal: PortalName;
  readonly environment: EnvironmentName;
  readonly at: Instant;
  readonly appUrl: string;
  readonly frontLogout?: FrontLogout;
  /** What the environment's protocol needs to end its session (`Assertion.session`). */
  readonly session?: string;
  /** What the environment calls the person: an OpenID subject, a NameID, or the email where it has no other name. */
  readonly subject?: string;
  /** The environment's name for its session: an OpenID `sid`, a SAML session index. */
  readonly sid?: string;
  /**
   * The browser, 96 bits in base64url that say nothing else: the store has this visit, too, and it may be ended behind
   * the browser's back (logout/recorded-visits.ts). Absent where nobody can end it.
   */
  readonly browser?: string;
};

/** Bytes of a subject or a `sid`, as JSON (OIDC Core §2 gives `sub` 255 characters of ASCII): a cookie holds 4 KiB. */
const LONGEST_NAME = 257;

const nameFrom = (value: unknown): string | undefined => {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) return undefined;
  return Buffer.byteLength(JSON.stringify(value)) <= LONGEST_NAME ? value : undefined;
};

/**
 * Whose session it is, from what an environment wrote; what is no text, or too long to be kept in a visit, is left out.
 */
export function sessionNames(subject: unknown, sid: unknown): Pick<Visit, 'subject' | 'sid'> {
  const [sub, session] = [nameFrom(subject), nameFrom(sid)];
  return { ...(sub !== undefined && { subject: sub }), ...(session !== undefined && { sid: session }) };
}

/** The latest of these visits; the first of them where two are of the same second. */
export const latestVisit = (visits: readonly Visit[]): Visit | undefined =>
  visits.reduce<Visit | undefined>((latest, visit) => (latest && latest.at >= visit.at ? latest : visit), undefined);
