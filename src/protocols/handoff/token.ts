import { timingSafeEqual } from 'node:crypto';
import { Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../../core/time.ts';
import type { HandoffSettings } from './settings.ts';

export type HandoffRules = Pick<
  HandoffSettings,
  'issuer' | 'routerIssuer' | 'audience' | 'nonce' | 'jti' | 'maxLifetime'
>;

/** What of an accepted token is needed afterwards. */
export type CheckedToken = { readonly iat: Instant; readonly exp: Instant; readonly jti: string | undefined };

type Raw = Readonly<Record<string, unknown>>;

/**
 * The policy after the signature (RFC 8725 §3.8 to §3.11): presence, types, times, issuer, audience, nonce, in
 * this order, so that the reason is the first thing that an operator has to mend.
 *
 * `expectedNonce`: the nonce that was sent with the browser; `undefined` for a token that nobody asked for, whose
 * own nonce the caller has ruled out. Times are judged with `CLOCK_SKEW` both ways. Throws `Refusal`.
 */
export function checkHandoffToken(
  claims: Raw,
  rules: HandoffRules,
  expectedNonce: string | undefined,
  now: Instant,
): CheckedToken {
  requirePresence(claims, rules, expectedNonce !== undefined);
  const iss = readText(claims, 'iss') ?? '';
  const iat = readInstant(claims, 'iat') ?? 0;
  const exp = readInstant(claims, 'exp') ?? 0;
  const nbf = readInstant(claims, 'nbf');
  const aud = readAudience(claims);
  const nonce = readText(claims, 'nonce');
  const jti = readJti(claims);
  // RFC 7519 §4.1.4: on or after this instant the token is not accepted.
  if (exp + CLOCK_SKEW <= now) throw new Refusal('jwt_expired');
  if (iat > now + CLOCK_SKEW) throw new Refusal('jwt_iat_in_future');
  if (nbf !== undefined && nbf > now + CLOCK_SKEW) throw new Refusal('jwt_not_yet_valid');
  if (iat + rules.maxLifetime + CLOCK_SKEW < now) throw new Refusal('jwt_too_old');
  if (exp - iat > rules.maxLifetime) throw new Refusal('jwt_lifetime_too_long');
  if (iss !== rules.issuer) throw new Refusal('jwt_issuer_mismatch');
  checkAudience(aud, rules);
  if (expectedNonce !== undefined && nonce !== undefined && !equals(nonce, expectedNonce))
    throw new Refusal('jwt_nonce_mismatch');
  return { iat, exp, jti };
}

function requirePresence(claims: Raw, rules: HandoffRules, solicited: boolean): void {
  const required = ['iss', 'iat', 'exp'];
  if (rules.audience !== 'not_sent') required.push('aud');
  if (rules.jti === 'sent') required.push('jti');
  if (solicited && rules.nonce === 'echoed') required.push('nonce');
  const missing = required.find((name) => !Object.hasOwn(claims, name));
  if (missing !== undefined) throw new Refusal('jwt_missing_required_claim', missing);
}

/** Alone on the list: RFC 7519 §4.1.3 would allow others beside us, who could then present the token here. */
function checkAudience(audiences: readonly string[] | undefined, { audience, routerIssuer }: HandoffRules): void {
  if (audiences === undefined) return;
  const wanted = audience === undefined || audience === 'not_sent' ? routerIssuer : audience;
  if (audiences.length !== 1 || audiences[0] !== wanted) throw new Refusal('jwt_audience_mismatch');
}

function readText(claims: Raw, name: string): string | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  if (typeof value !== 'string') throw new Refusal('jwt_claim_malformed', name);
  return value;
}

/** Whole seconds; text, fractions and numbers beyond 2^53 are refused, though RFC 7519 §2 allows fractions. */
function readInstant(claims: Raw, name: string): Instant | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  if (!Number.isSafeInteger(value)) throw new Refusal('jwt_claim_malformed', name);
  return value as Instant;
}

/** RFC 7519 §4.1.3: text, or a list of texts. */
function readAudience(claims: Raw): readonly string[] | undefined {
  if (!Object.hasOwn(claims, 'aud')) return undefined;
  const { aud } = claims;
  if (typeof aud === 'string') return [aud];
  if (Array.isArray(aud) && aud.every((one) => typeof one === 'string')) return aud;
  throw new Refusal('jwt_claim_malformed', 'aud');
}

/** 1 to 256 characters, also where it is not required: it becomes a key of the store. */
function readJti(claims: Raw): string | undefined {
  const jti = readText(claims, 'jti');
  if (jti === '' || (jti !== undefined && jti.length > 256)) throw new Refusal('jwt_claim_malformed', 'jti');
  return jti;
}

function equals(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
