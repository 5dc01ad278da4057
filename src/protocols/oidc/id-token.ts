import { createHash } from 'node:crypto';
import { Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../../core/time.ts';
import type { CompactToken } from '../../keys/compact.ts';
import type { OidcEntry } from './settings.ts';

export type IdTokenRules = Pick<OidcEntry, 'issuer' | 'clientId' | 'maxAge'>;

/** What of this login an id_token has to fit. */
export type Expected = { readonly nonce: string; readonly accessToken: string };

/** What of an accepted id_token is needed afterwards. */
export type CheckedIdToken = {
  readonly sub: string;
  readonly iat: Instant;
  /** The last instant at which it could be accepted, in this login or another one. */
  readonly acceptableUntil: Instant;
};

type Raw = Readonly<Record<string, unknown>>;

/**
 * Seconds since `iat` at the most. The token comes straight from the token endpoint, so it is new; the choice is
 * the client's (OpenID Connect Core §3.1.3.7, 10.).
 */
const ISSUED_WITHIN = 10 * 60;

/** Seconds between `iat` and `exp` at the most; what a provider allows its clients to keep is not our lifetime. */
const LONGEST_LIFETIME = 30 * 24 * 60 * 60;

/**
 * The rules after the signature (OpenID Connect Core §3.1.3.7 and §3.1.3.8, RFC 8725 §3.8 to §3.11): presence, types,
 * times, issuer, audience, nonce, access token, in this order, so that the reason is the first thing that an operator
 * has to mend. Times are judged with `CLOCK_SKEW` both ways. Throws `Refusal`.
 */
export function checkIdToken(
  token: CompactToken,
  rules: IdTokenRules,
  expected: Expected,
  now: Instant,
): CheckedIdToken {
  const { claims } = token;
  const missing = ['iss', 'sub', 'aud', 'exp', 'iat', 'nonce'].find((name) => !Object.hasOwn(claims, name));
  if (missing !== undefined) throw new Refusal('jwt_missing_required_claim', missing);
  const [iss, sub, nonce] = [readText(claims, 'iss'), readText(claims, 'sub'), readText(claims, 'nonce')];
  const [exp, iat] = [readInstant(claims, 'exp'), readInstant(claims, 'iat')];
  // OpenID Connect Core §2: at most 255 characters.
  if (sub === '' || sub.length > 255) throw new Refusal('jwt_claim_malformed', 'sub');
  if (exp + CLOCK_SKEW <= now) throw new Refusal('jwt_expired');
  if (iat > now + CLOCK_SKEW) throw new Refusal('jwt_iat_in_future');
  if (Object.hasOwn(claims, 'nbf') && readInstant(claims, 'nbf') > now + CLOCK_SKEW)
    throw new Refusal('jwt_not_yet_valid');
  if (iat + ISSUED_WITHIN + CLOCK_SKEW < now) throw new Refusal('jwt_too_old');
  if (exp - iat > LONGEST_LIFETIME) throw new Refusal('jwt_lifetime_too_long');
  if (iss !== rules.issuer) throw new Refusal('jwt_issuer_mismatch', 'id_token');
  checkAudience(claims, rules.clientId);
  if (nonce !== expected.nonce) throw new Refusal('jwt_nonce_mismatch');
  if (rules.maxAge !== undefined) checkSignedInAt(claims, rules.maxAge, now);
  checkAccessToken(token, expected.accessToken);
  return { sub, iat, acceptableUntil: Math.min(exp, iat + ISSUED_WITHIN) + CLOCK_SKEW };
}

/**
 * We alone. OpenID Connect Core §3.1.3.7, 3. refuses a token with audiences that the client does not trust, and there
 * are none that an operator could have named; `azp`, where it is sent, is who the token was made for (5.).
 */
function checkAudience(claims: Raw, clientId: string): void {
  const { aud } = claims;
  if (typeof aud !== 'string' && !(Array.isArray(aud) && aud.every((one) => typeof one === 'string')))
    throw new Refusal('jwt_claim_malformed', 'aud');
  const audiences = typeof aud === 'string' ? [aud] : aud;
  if (audiences.length !== 1 || audiences[0] !== clientId) throw new Refusal('jwt_audience_mismatch', 'id_token');
  if (Object.hasOwn(claims, 'azp') && readText(claims, 'azp') !== clientId)
    throw new Refusal('jwt_audience_mismatch', 'azp');
}

/** OpenID Connect Core §3.1.2.1: with `max_age` in the request, `auth_time` is required in the answer. */
function checkSignedInAt(claims: Raw, maxAge: number, now: Instant): void {
  if (!Object.hasOwn(claims, 'auth_time')) throw new Refusal('signed_in_too_long_ago', 'auth_time is absent');
  const signedInAt = readInstant(claims, 'auth_time');
  if (signedInAt > now + CLOCK_SKEW) throw new Refusal('jwt_claim_malformed', 'auth_time is in the future');
  if (signedInAt + maxAge + CLOCK_SKEW < now) throw new Refusal('signed_in_too_long_ago');
}

/** OpenID Connect Core §3.1.3.8: `at_hash`, where it is sent, binds the access token to this id_token. */
function checkAccessToken({ header, claims }: CompactToken, accessToken: string): void {
  if (!Object.hasOwn(claims, 'at_hash')) return;
  // Ed25519 hashes with SHA-512 (RFC 8032 §5.1); every other name ends in its own size.
  const hash = createHash(header.alg === 'EdDSA' ? 'sha512' : `sha${header.alg.slice(-3)}`)
    .update(accessToken)
    .digest();
  const half = hash.subarray(0, hash.length / 2).toString('base64url');
  if (claims.at_hash !== half) throw new Refusal('jwt_claim_malformed', 'at_hash is of another access token');
}

function readText(claims: Raw, name: string): string {
  const value = claims[name];
  if (typeof value !== 'string') throw new Refusal('jwt_claim_malformed', name);
  return value;
}

/** Whole seconds; text, fractions and numbers beyond 2^53 are refused, though RFC 7519 §2 allows fractions. */
function readInstant(claims: Raw, name: string): Instant {
  const value = claims[name];
  if (!Number.isSafeInteger(value)) throw new Refusal('jwt_claim_malformed', name);
  return value as Instant;
}
