import { Refusal } from '../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../core/time.ts';
import { type CompactToken, readCompact } from '../keys/compact.ts';
import type { LogoutTokens } from '../protocols/delegate.ts';
import { type Gone, LOGOUT_EVENT, TOKEN_LIFETIME } from './token.ts';

/** What an environment said by a logout token that was believed. */
export type Word = {
  readonly gone: Gone;
  /** By the environment's clock; no session that began later is meant. */
  readonly endedAt: Instant;
  /** What makes the token single use, and the last instant at which it could be accepted. */
  readonly jti: string;
  readonly acceptableUntil: Instant;
};

/** `JWT` is what providers wrote before there was a type of its own, where they wrote anything. */
const TYPE = 'logout+jwt';
const TYPES = [TYPE, 'jwt'];

/** Characters of a name of a person or of a session, and of a `jti`. OIDC Core §2 has 255 for `sub`. */
const LONGEST_NAME = 255;

type Raw = Readonly<Record<string, unknown>>;

/**
 * A logout token → what it says (Back-Channel Logout 1.0 §2.6). Its steps 1 to 6 are here: encrypted tokens are not
 * read (we have registered no key for them), the signature is judged as that of the environment's other tokens, and so
 * are `iss`, `aud`, `iat` and `exp`. Step 7, single use, is the caller's, and so are 8 to 10, for which it has `gone`.
 * Stricter than the letter: `exp` is at most two minutes after `iat` (§4), and a `typ` that is there has to fit. Throws
 * `Refusal`.
 */
export async function readLogoutToken(text: string, tokens: LogoutTokens, now: Instant): Promise<Word> {
  const token = readCompact(text, TYPES);
  if (tokens.typed === 'required' && token.header.typ !== TYPE)
    throw new Refusal('jwt_header_not_allowed', `typ is not ${TYPE}`);
  await tokens.verify(token, now);
  return checkLogoutClaims(token, tokens, now);
}

function checkLogoutClaims(
  { claims }: Pick<CompactToken, 'claims'>,
  { issuer, audience }: LogoutTokens,
  now: Instant,
): Word {
  const missing = ['iss', 'aud', 'iat', 'exp', 'jti', 'events'].find((name) => !Object.hasOwn(claims, name));
  if (missing !== undefined) throw new Refusal('jwt_missing_required_claim', missing);
  const [iss, jti] = [readName(claims, 'iss'), readName(claims, 'jti') ?? ''];
  const [iat, exp] = [readInstant(claims, 'iat'), readInstant(claims, 'exp')];
  if (exp + CLOCK_SKEW <= now) throw new Refusal('jwt_expired');
  if (iat > now + CLOCK_SKEW) throw new Refusal('jwt_iat_in_future');
  if (exp - iat > TOKEN_LIFETIME) throw new Refusal('jwt_lifetime_too_long', `more than ${TOKEN_LIFETIME} s`);
  if (iss !== issuer) throw new Refusal('jwt_issuer_mismatch', 'logout token');
  checkAudience(claims, audience);
  checkEvents(claims);
  // §2.4: so that nobody can pass an ID token off as this, nor this as one.
  if (Object.hasOwn(claims, 'nonce')) throw new Refusal('jwt_made_for_return', 'a logout token with a nonce');
  const [subject, sid] = [readName(claims, 'sub'), readName(claims, 'sid')];
  if (subject === undefined && sid === undefined) throw new Refusal('jwt_missing_required_claim', 'sub or sid');
  return {
    gone: { ...(subject !== undefined && { subject }), ...(sid !== undefined && { sid }) },
    endedAt: endOf(claims, iat),
    jti,
    acceptableUntil: exp + CLOCK_SKEW,
  };
}

/** We alone, as in the environment's other tokens: RFC 7519 §4.1.3 would allow others, who could present it here. */
function checkAudience({ aud }: Raw, audience: string): void {
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((one) => typeof one === 'string')) throw new Refusal('jwt_claim_malformed', 'aud');
  if (audiences.length !== 1 || audiences[0] !== audience)
    throw new Refusal('jwt_audience_mismatch', 'a logout token’s aud is what the environment calls the router');
}

/** §2.4: an object with the member that makes it a logout token, itself an object; others may stand beside it. */
function checkEvents({ events }: Raw): void {
  if (!isObject(events) || !Object.hasOwn(events, LOGOUT_EVENT)) throw new Refusal('jwt_claim_malformed', 'events');
  if (!isObject((events as Raw)[LOGOUT_EVENT])) throw new Refusal('jwt_claim_malformed', 'events: not an object');
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * `toe` (RFC 8417 §2.2), where it was sent: a token that is made anew for every attempt has another `iat` each time.
 */
function endOf({ toe }: Raw, iat: Instant): Instant {
  return Number.isSafeInteger(toe) ? Math.min(toe as Instant, iat) : iat;
}

function readName(claims: Raw, name: string): string | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_NAME)
    throw new Refusal('jwt_claim_malformed', name);
  return value;
}

/** Whole seconds; text, fractions and numbers beyond 2^53 are refused, though RFC 7519 §2 allows fractions. */
function readInstant(claims: Raw, name: string): Instant {
  const value = claims[name];
  if (!Number.isSafeInteger(value)) throw new Refusal('jwt_claim_malformed', name);
  return value as Instant;
}
