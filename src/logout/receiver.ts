/**
 * The contract of a party that is told behind the person's back that a visit ended. It owns how its tokens are made and
 * how it is reached; it leaves to others when it is told, how often that is tried, and what is remembered of it.
 */
import type { Instant } from '../core/time.ts';
import type { Caller, Trust } from '../outbound/outbound.ts';
import type { Gone, LogoutAlgorithm } from './token.ts';

export type Receiver = {
  /** A logout token for this very attempt: with an `iat`, an `exp` and a `jti` of its own. */
  mint(gone: Gone, endedAt: Instant, now: Instant): Promise<string>;
} & (
  | { readonly by: 'push'; readonly url: string; readonly caller: Caller }
  /** The SHA-256 of what it proves itself with. */
  | { readonly by: 'pull'; readonly secret: Buffer }
);

/** What a routes file says about one. */
export type ReceiverSettings = {
  /** `aud` of its tokens. */
  readonly audience: string;
  readonly algorithm: LogoutAlgorithm;
} & ({ readonly by: 'push'; readonly url: string } | { readonly by: 'pull'; readonly secret: Buffer });

/** Everything that a live one is opened from: plain data, so that another process can be given it. */
export type ReceiverSetup = ReceiverSettings & {
  /** `iss` of its tokens. */
  readonly issuer: string;
  /** How calls to it are made. */
  readonly trust: Trust;
};

/** Bytes of such a secret at the least: nobody may guess it, however long they try. */
export const PULL_SECRET_BYTES = 32;
