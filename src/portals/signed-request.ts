import { Refusal } from '../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../core/time.ts';
import { type CompactToken, readCompact } from '../keys/compact.ts';
import { hmacKey, hmacVerifier } from '../keys/hmac.ts';
import type { Verifier } from '../keys/keys.ts';
import { readDiscourseRequest } from './discourse-connect.ts';
import type { Arrival, Query } from './portal.ts';
import type { PortalPreset } from './preset.ts';
import type { RequestRule } from './preset-request.ts';
import { fillText } from './template.ts';

type Config = Readonly<Record<string, string>>;
type SignedJwt = Extract<RequestRule, { encoding: 'signed_jwt' }>;

/** Opens what a signed request holds: its parameters. Throws `Refusal`. */
export type OpenRequest = (query: Query, arrival: Arrival | undefined) => Query;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * Compiles the reading of signed requests; `undefined` where the preset's requests are plain. The signature is
 * verified, with one of the portal's `secrets`, before anything in them is believed. Without a secret, and without the
 * time of arrival, none can be judged: each is refused with `sso_not_configured`.
 */
export function planSignedRequest(
  { authn_request: rule }: PortalPreset,
  config: Config,
  secrets: readonly Buffer[],
): OpenRequest | undefined {
  if (rule.encoding === 'query') return undefined;
  if (rule.encoding === 'signed_jwt') return planSignedJwt(rule, config, secrets);
  const keys = secrets.map(hmacKey);
  return (query) => {
    const [sso, sig] = [needed(query, 'sso'), needed(query, 'sig')];
    return withOneOf(keys, (key) => readDiscourseRequest(sso, sig, key));
  };
}

function planSignedJwt(rule: SignedJwt, config: Config, secrets: readonly Buffer[]): OpenRequest {
  const verifiers = secrets.map((secret) => hmacVerifier(rule.algs, hmacKey(secret)));
  const kid = rule.kid === undefined ? undefined : fillText(rule.kid, config)({});
  return (query, arrival) => {
    const text = needed(query, rule.jwt_param);
    if (verifiers.length === 0 || !arrival) throw cannotJudge();
    const token = readCompact(text);
    withOneOf(verifiers, (verifier) => verifyNow(verifier, token, arrival.now));
    if (kid !== undefined && token.header.kid !== kid) throw new Refusal('request_parameter_mismatch', 'kid');
    checkTimes(token.claims, rule.max_lifetime, arrival.now);
    return readClaims(token.claims, rule);
  };
}

/** The first of them whose signature it is; what else is wrong with it is thrown, whichever that is. */
function withOneOf<Key, Read>(keys: readonly Key[], read: (key: Key) => Read): Read {
  let fault: unknown = cannotJudge();
  for (const key of keys) {
    try {
      return read(key);
    } catch (error) {
      if (!(error instanceof Refusal) || error.reason !== 'jwt_invalid_signature') throw error;
      fault = error;
    }
  }
  throw fault;
}

/** HMAC is verified at once. */
function verifyNow(verifier: Verifier, token: CompactToken, now: Instant): void {
  if (verifier.verify(token, now) instanceof Promise) throw new Error('a signature that takes time to verify');
}

function checkTimes(claims: CompactToken['claims'], maxLifetime: number, now: Instant): void {
  const [iat, exp] = [readTime(claims, 'iat'), readTime(claims, 'exp')];
  if (iat > now + CLOCK_SKEW) throw new Refusal('jwt_iat_in_future');
  if (exp < now - CLOCK_SKEW) throw new Refusal('jwt_expired');
  if (exp - iat > maxLifetime) throw new Refusal('jwt_lifetime_too_long', `${exp - iat} s`);
}

function readTime(claims: CompactToken['claims'], name: 'iat' | 'exp'): Instant {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (value === undefined) throw new Refusal('jwt_missing_required_claim', name);
  if (!Number.isSafeInteger(value)) throw new Refusal('jwt_claim_malformed', name);
  return value as number;
}

function readClaims(claims: CompactToken['claims'], { params }: SignedJwt): Query {
  const values = new Map<string, string>();
  for (const [name, { json }] of Object.entries(params)) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (value === undefined) continue;
    if (!json && (typeof value !== 'string' || CONTROL.test(value))) throw new Refusal('jwt_claim_malformed', name);
    values.set(name, json ? JSON.stringify(value) : (value as string));
  }
  return values;
}

function needed(query: Query, name: string): string {
  const value = query.get(name);
  if (value === undefined || value === '') throw new Refusal('request_parameter_missing', name);
  return value;
}

const cannotJudge = (): Refusal =>
  new Refusal('sso_not_configured', 'a signed request cannot be judged without the portal’s secret and the time');
