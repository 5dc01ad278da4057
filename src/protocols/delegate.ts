/**
 * The contract of a protocol: how an environment is asked to sign its own person in, and how its answer is
 * read. A protocol owns the words on the wire between router and environment and everything that makes an
 * answer believable (signature, issuer, audience, nonce, age). It leaves to others which environment is asked,
 * what the environment may assert, single use, and every cookie. Control leaves it as a departure, an
 * assertion, or a thrown `Refusal`. It knows no HTTP server, no store and no other protocol.
 */
import type { Assertion } from '../core/environment.ts';
import type { Instant } from '../core/time.ts';

export type Delegate = {
  /** Where the browser goes so that the environment can sign the person in. */
  begin(login: BeginLogin): Departure;
  /** What came back to the return address → a verified assertion. Throws `Refusal`. */
  complete(answer: Answer, login: CarriedLogin, now: Instant): Assertion | Promise<Assertion>;
  /** Reads a token that nobody asked for. Present only where the operator allows it. Throws `Refusal`. */
  readonly completeUnsolicited?: (token: string, now: Instant) => Assertion | Promise<Assertion>;
  /** Ends timers and sockets. */
  close?(): void;
};

export type BeginLogin = {
  /** The sealed state; it has to come back with the answer. Characters of base64url and `.` only. */
  readonly state: string;
  /** Fresh for this login, 128 bits in base64url. */
  readonly nonce: string;
  /** The person's email where it is known, so that the environment need not ask again. */
  readonly loginHint?: string;
};

export type Departure = { readonly url: string };

/** What the router remembered of this login, in the sealed state. */
export type CarriedLogin = { readonly nonce: string };

/** Parameters of the return address and of a posted form, each at most once. */
export type Answer = ReadonlyMap<string, string>;
