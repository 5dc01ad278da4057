/**
 * A logout token that an environment sent: what is believed, and every reason not to (Back-Channel Logout 1.0 §2.6).
 */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, type JWTHeaderParameters, SignJWT } from 'jose';
import t from 'tap';
import { type Reason, Refusal } from '../../src/core/reason.ts';
import { hmacKey, hmacVerifier } from '../../src/keys/hmac.ts';
import { openPublicKey } from '../../src/keys/public-key.ts';
import { readLogoutToken } from '../../src/logout/receive-token.ts';
import { LOGOUT_EVENT } from '../../src/logout/token.ts';
import type { LogoutTokens } from '../../src/protocols/delegate.ts';

const NOW = 1_790_000_000;
const ISSUER = 'https://id.globex.example';
const AUDIENCE = 'wayhome';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = JSON.stringify({ ...(await exportJWK(pair.publicKey)), kid: 'one' });
const verifier = await openPublicKey(jwk, ['RS256', 'PS256']);
const PROVIDER: LogoutTokens = {
  issuer: ISSUER,
  audience: AUDIENCE,
  typed: 'not_required',
  verify: (token, now) => verifier.verify(token, now),
};

const SECRET = Buffer.from('a secret of an environment and of nobody else, 0123456789');
const shared = hmacVerifier(['HS256'], hmacKey(SECRET));
const HANDOFF: LogoutTokens = { ...PROVIDER, typed: 'required', verify: (token, now) => shared.verify(token, now) };

type Claims = Readonly<Record<string, unknown>>;

const claimsOf = (changed: Claims = {}): Claims => {
  const all: Record<string, unknown> = {
    iss: ISSUER,
    aud: AUDIENCE,
    iat: NOW,
    exp: NOW + 120,
    jti: 'bWJq',
    events: { [LOGOUT_EVENT]: {} },
    sub: '248289761001',
    sid: '08a5019c',
    ...changed,
  };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  return all;
};

const signed = (
  changed: Claims = {},
  header: Partial<JWTHeaderParameters> = {},
  key: Parameters<SignJWT['sign']>[0] = pair.privateKey,
): Promise<string> => {
  const all = { alg: 'RS256', typ: 'logout+jwt', kid: 'one', ...header };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(claimsOf(changed)).setProtectedHeader(given as JWTHeaderParameters).sign(key);
};

const reasonOf = async (text: string, tokens = PROVIDER, now = NOW): Promise<Reason | 'believed'> => {
  try {
    await readLogoutToken(text, tokens, now);
    return 'believed';
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
};

t.test('what it says: a person, a session, or both, and when', async (t) => {
  const rows: [Claims, unknown][] = [
    [{}, { subject: '248289761001', sid: '08a5019c' }],
    [{ sid: undefined }, { subject: '248289761001' }],
    [{ sub: undefined }, { sid: '08a5019c' }],
  ];
  for (const [changed, gone] of rows) {
    const word = await readLogoutToken(await signed(changed), PROVIDER, NOW);
    t.same(word, { gone, endedAt: NOW, jti: 'bWJq', acceptableUntil: NOW + 180 });
  }
  const late = await readLogoutToken(await signed({ toe: NOW - 3_600 }), PROVIDER, NOW);
  t.equal(late.endedAt, NOW - 3_600, 'a retry says when the session ended (RFC 8417 §2.2)');
  for (const toe of [NOW + 3_600, 'yesterday', 1.5, null])
    t.equal((await readLogoutToken(await signed({ toe }), PROVIDER, NOW)).endedAt, NOW, `toe ${toe} is no later`);
});

t.test('every claim of §2.4 is judged', async (t) => {
  const event = { [LOGOUT_EVENT]: {} };
  const rows: [what: string, Claims, Reason | 'believed'][] = [
    ['no iss', { iss: undefined }, 'jwt_missing_required_claim'],
    ['another iss', { iss: 'https://id.initech.example' }, 'jwt_issuer_mismatch'],
    ['iss with a slash', { iss: `${ISSUER}/` }, 'jwt_issuer_mismatch'],
    ['a list of iss', { iss: [ISSUER] }, 'jwt_claim_malformed'],
    ['no aud', { aud: undefined }, 'jwt_missing_required_claim'],
    ['another aud', { aud: 'another client' }, 'jwt_audience_mismatch'],
    ['aud as a list of us', { aud: [AUDIENCE] }, 'believed'],
    ['aud beside another', { aud: [AUDIENCE, 'another client'] }, 'jwt_audience_mismatch'],
    ['an empty aud', { aud: [] }, 'jwt_audience_mismatch'],
    ['aud as a number', { aud: 7 }, 'jwt_claim_malformed'],
    ['no iat', { iat: undefined }, 'jwt_missing_required_claim'],
    ['iat as text', { iat: String(NOW) }, 'jwt_claim_malformed'],
    ['iat 60 s ahead', { iat: NOW + 60 }, 'believed'],
    ['iat 61 s ahead', { iat: NOW + 61 }, 'jwt_iat_in_future'],
    ['no exp', { exp: undefined }, 'jwt_missing_required_claim'],
    ['exp 1e300', { exp: 1e300 }, 'jwt_claim_malformed'],
    ['expired 59 s ago', { iat: NOW - 179, exp: NOW - 59 }, 'believed'],
    ['expired 60 s ago', { iat: NOW - 180, exp: NOW - 60 }, 'jwt_expired'],
    ['good for 121 s', { exp: NOW + 121 }, 'jwt_lifetime_too_long'],
    ['no jti', { jti: undefined }, 'jwt_missing_required_claim'],
    ['an empty jti', { jti: '' }, 'jwt_claim_malformed'],
    ['a jti of 256 characters', { jti: 'x'.repeat(256) }, 'jwt_claim_malformed'],
    ['no events', { events: undefined }, 'jwt_missing_required_claim'],
    ['another event', { events: { 'http://schemas.openid.net/event/other': {} } }, 'jwt_claim_malformed'],
    ['events as a list', { events: [LOGOUT_EVENT] }, 'jwt_claim_malformed'],
    ['events as text', { events: LOGOUT_EVENT }, 'jwt_claim_malformed'],
    ['an event that is no object', { events: { [LOGOUT_EVENT]: true } }, 'jwt_claim_malformed'],
    ['an event that is null', { events: { [LOGOUT_EVENT]: null } }, 'jwt_claim_malformed'],
    ['an event that is a list', { events: { [LOGOUT_EVENT]: [] } }, 'jwt_claim_malformed'],
    ['an event that says more', { events: { [LOGOUT_EVENT]: { why: 'idle' } } }, 'believed'],
    ['another event beside it', { events: { ...event, 'https://e.example/x': {} } }, 'believed'],
    ['a nonce', { nonce: 'n' }, 'jwt_made_for_return'],
    ['a nonce that is null', { nonce: null }, 'jwt_made_for_return'],
    ['neither sub nor sid', { sub: undefined, sid: undefined }, 'jwt_missing_required_claim'],
    ['an empty sub', { sub: '' }, 'jwt_claim_malformed'],
    ['sub as a number', { sub: 1 }, 'jwt_claim_malformed'],
    ['sid as a list', { sid: ['08a5019c'] }, 'jwt_claim_malformed'],
    ['a claim that nobody knows', { colour: 'blue' }, 'believed'],
  ];
  for (const [what, changed, reason] of rows) t.equal(await reasonOf(await signed(changed)), reason, what);
});

t.test('it is signed by the environment, with one of its algorithms, and is of its type', async (t) => {
  const text = await signed();
  const [head = '', payload = '', signature = ''] = text.split('.');
  const unsigned = (alg: string) =>
    `${Buffer.from(JSON.stringify({ alg, typ: 'logout+jwt' })).toString('base64url')}.${payload}`;
  const byPublicKey = (key: string) => {
    const input = unsigned('HS256');
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };
  const rows: [what: string, string, Reason | 'believed', LogoutTokens?][] = [
    ['its own', text, 'believed'],
    ['none', `${unsigned('none')}.`, 'jwt_malformed'],
    ['none with a signature', `${unsigned('none')}.${signature}`, 'jwt_algorithm_not_allowed'],
    ['NONE', `${unsigned('NONE')}.${signature}`, 'jwt_algorithm_not_allowed'],
    ['no third part', `${head}.${payload}`, 'jwt_malformed'],
    ['HMAC with the public key', byPublicKey(jwk), 'jwt_algorithm_not_allowed'],
    ['an algorithm off its list', await signed({}, { alg: 'RS512' }), 'jwt_algorithm_not_allowed'],
    ['another key', await signed({}, {}, other.privateKey), 'jwt_invalid_signature'],
    [
      'another payload',
      `${head}.${(await signed({ sub: 'eve' })).split('.')[1]}.${signature}`,
      'jwt_invalid_signature',
    ],
    ['a padded signature', `${text}==`, 'jwt_malformed'],
    ['a line break', `${text}\n`, 'jwt_malformed'],
    ['five parts', `${text}.x.y`, 'jwt_malformed'],
    ['a key of its own', await signed({}, { jwk: { kty: 'RSA' } }), 'jwt_header_not_allowed'],
    ['typ in capitals', await signed({}, { typ: 'LOGOUT+JWT' }), 'believed'],
    ['typ JWT, of older days', await signed({}, { typ: 'JWT' }), 'believed'],
    ['no typ', await signed({}, { typ: undefined as never }), 'believed'],
    ['typ of an access token', await signed({}, { typ: 'at+jwt' }), 'jwt_header_not_allowed'],
    ['handoff', await signed({}, { alg: 'HS256', kid: undefined as never }, SECRET), 'believed', HANDOFF],
    ['handoff: typ JWT', await signed({}, { alg: 'HS256', typ: 'JWT' }, SECRET), 'jwt_header_not_allowed', HANDOFF],
    [
      'handoff: no typ',
      await signed({}, { alg: 'HS256', typ: undefined as never }, SECRET),
      'jwt_header_not_allowed',
      HANDOFF,
    ],
  ];
  for (const [what, given, reason, tokens] of rows) t.equal(await reasonOf(given, tokens), reason, what);
});

t.test('whatever is sent, it is refused with a reason', async (t) => {
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'logout+jwt' })).toString('base64url');
  const sign = (claims: unknown) => {
    const input = `${head}.${Buffer.from(JSON.stringify(claims) ?? 'null').toString('base64url')}`;
    return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
  };
  const claim = fc.constantFrom('iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid');
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json().map(sign), fc.jsonValue().map(sign)), async (text) => {
      t.not(await reasonOf(text, HANDOFF), 'believed');
    }),
    { numRuns: 500 },
  );
  await fc.assert(
    fc.asyncProperty(claim, fc.jsonValue(), async (name, value) => {
      const text = sign(claimsOf({ [name]: value }));
      const reason = await reasonOf(text, HANDOFF);
      const harmless = name === 'jti' || name === 'sub' || name === 'sid' || name === 'iat' || name === 'exp';
      if (!harmless) t.not(reason, 'believed', `${name}: ${JSON.stringify(value)}`);
    }),
    { numRuns: 500 },
  );
});
