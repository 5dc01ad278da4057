/**
 * The portal's judgement of a token, as strict as Pylon's article on JWT SSO lets it be: where its present and its
 * older text differ, both must hold. Nothing here comes from the router's code, so it can disagree with it.
 */
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';

export type TokenRules = {
  /** Origin of the Remote Login URL and a slash: “This must contain a trailing slash /”. */
  readonly issuer: string;
  /** Shared with the router for HS256/384/512; without one, PS256/384/512 by the router's published keys. */
  readonly secret?: string;
};

export type PortalClaims = { readonly email: string } & Readonly<Record<string, unknown>>;

/** What was wrong: the first rule that does not hold. */
export type Rule =
  | 'signature'
  | 'algorithm'
  | 'keys'
  | 'payload'
  | 'listed claims'
  | 'aud'
  | 'iss'
  | 'iat'
  | 'iat age'
  | 'exp'
  | 'email'
  | 'account';

export type Verdict =
  | { readonly accepted: true; readonly claims: PortalClaims }
  | { readonly accepted: false; readonly rule: Rule; readonly detail: string };

const AUDIENCE = 'https://portal.usepylon.com';
/** “60 seconds of clock skew is accepted.” */
const SKEW = 60;
/** The older article: “The token will not be accepted after 60 seconds (1 minute).” */
const MAX_AGE = 60;
const LISTED = new Set(['iat', 'exp', 'jti', 'email', 'aud', 'iss', 'account_id', 'account_external_id']);

type Claims = Readonly<Record<string, unknown>>;
type Check = (claims: Claims, rules: TokenRules, now: number) => string | undefined;

/** In the order in which they are asked; each answers what is wrong, or nothing. */
const CHECKS: readonly (readonly [Rule, Check])[] = [
  ['listed claims', (claims) => Object.keys(claims).find((name) => !LISTED.has(name))],
  ['aud', ({ aud }) => (aud === AUDIENCE ? undefined : `${show(aud)} is not the text ${AUDIENCE}`)],
  ['iss', ({ iss }, { issuer }) => (iss === issuer ? undefined : `${show(iss)} is not ${issuer}`)],
  ['iat', ({ iat }, _, now) => (isTime(iat) && iat <= now + SKEW ? undefined : `${show(iat)} is not a time up to now`)],
  ['iat age', ({ iat }, _, now) => (Number(iat) >= now - MAX_AGE ? undefined : `older than ${MAX_AGE} s`)],
  ['exp', ({ exp }, _, now) => (isTime(exp) && exp > now - SKEW ? undefined : `${show(exp)} is not a time to come`)],
  ['email', ({ email }) => (isEmail(email) ? undefined : `${show(email)} is not an email address`)],
  ['account', checkAccount],
];

/** Judges one token. `now` in whole seconds since 1970. Never throws for what a token holds. */
export async function judgeToken(token: string, rules: TokenRules, now: number): Promise<Verdict> {
  let payload: Uint8Array;
  try {
    payload =
      rules.secret === undefined ? await verifyByKeys(token, rules.issuer) : await verifyBySecret(token, rules.secret);
  } catch (error) {
    return { accepted: false, ...explain(error) };
  }
  const claims = parseClaims(payload);
  if (!claims) return { accepted: false, rule: 'payload', detail: 'not a JSON object' };
  for (const [rule, check] of CHECKS) {
    const detail = check(claims, rules, now);
    if (detail !== undefined) return { accepted: false, rule, detail };
  }
  return { accepted: true, claims: { ...claims, email: String(claims.email) } };
}

async function verifyBySecret(token: string, secret: string): Promise<Uint8Array> {
  const algorithms = ['HS256', 'HS384', 'HS512'];
  return (await compactVerify(token, Buffer.from(secret, 'utf8'), { algorithms })).payload;
}

/** “The Metadata Endpoint must match the Remote Login URL”: same origin, and its `issuer` equals `iss`. */
async function verifyByKeys(token: string, issuer: string): Promise<Uint8Array> {
  const metadata = await readJson(new URL('/.well-known/openid-configuration', issuer).href);
  if (metadata.issuer !== issuer) throw new KeysError(`the metadata says issuer ${show(metadata.issuer)}`);
  const jwksUri = String(metadata.jwks_uri);
  if (!URL.canParse(jwksUri) || `${new URL(jwksUri).origin}/` !== issuer) {
    throw new KeysError(`jwks_uri ${show(metadata.jwks_uri)} is not on the router`);
  }
  const keys = createLocalJWKSet((await readJson(jwksUri)) as unknown as JSONWebKeySet);
  return (await compactVerify(token, keys, { algorithms: ['PS256', 'PS384', 'PS512'] })).payload;
}

class KeysError extends Error {}

async function readJson(url: string): Promise<Claims> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  if (!response?.ok) throw new KeysError(`${url} does not answer`);
  return (await response.json()) as Claims;
}

function explain(error: unknown): { rule: Rule; detail: string } {
  if (error instanceof errors.JOSEAlgNotAllowed) return { rule: 'algorithm', detail: error.message };
  if (error instanceof errors.JOSEError) return { rule: 'signature', detail: error.message };
  return { rule: 'keys', detail: error instanceof Error ? error.message : String(error) };
}

function parseClaims(payload: Uint8Array): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Claims) : undefined;
  } catch {
    return undefined;
  }
}

/** `account_external_id` “can be used in place of” `account_id`: one of them, or none. */
function checkAccount(claims: Claims): string | undefined {
  const given = ['account_id', 'account_external_id'].filter((name) => Object.hasOwn(claims, name));
  if (given.length > 1) return 'account_id and account_external_id in one token';
  const wrong = given.find((name) => typeof claims[name] !== 'string' || claims[name] === '');
  return wrong === undefined ? undefined : `${wrong} is not a text`;
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value);
const isEmail = (value: unknown): boolean => typeof value === 'string' && /^[^@\s]+@[^@\s]+$/.test(value);
const show = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? '?'));
