import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { CompactSign } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import t from 'tap';
import type { Assertion } from '../../src/core/environment.ts';
import type { EnvironmentName } from '../../src/core/names.ts';
import { type Reason, Refusal } from '../../src/core/reason.ts';
import { hmacKey, hmacVerifier } from '../../src/keys/hmac.ts';
import { openPublicKey } from '../../src/keys/public-key.ts';
import { openHandoff } from '../../src/protocols/handoff/handoff.ts';
import { DEFAULT_MAX_LIFETIME, type HandoffSettings } from '../../src/protocols/handoff/settings.ts';
import { forge, NOW, reasonOf, refusesAll, rsaKeys, SECRET } from '../keys/tokens.ts';

const NONCE = 'q83vEjRWeJCrze8SNFZ4kA';
const STATE = 'c2VhbGVk.c3RhdGU';
const ROUTER = 'https://login.acme.com/';
const CARRIED = { nonce: NONCE, browser: { cookies: () => [] } };
const BEGIN = { ...CARRIED, state: () => STATE, shortState: () => STATE, portalReturn: () => undefined };
const HEADER = { alg: 'HS256', typ: 'JWT' };
const ABSENT = undefined;

const SETTINGS: HandoffSettings = {
  environment: 'us' as EnvironmentName,
  loginUrl: 'https://us.acme.com/sso/support',
  publicOrigin: 'https://login.acme.com',
  issuer: 'https://us.acme.com/',
  routerIssuer: ROUTER,
  audience: undefined,
  nonce: 'echoed',
  jti: 'sent',
  maxLifetime: DEFAULT_MAX_LIFETIME,
  unsolicited: false,
  sendsTo: 'router',
};

const CLAIMS = {
  iss: 'https://us.acme.com/',
  aud: ROUTER,
  iat: NOW,
  exp: NOW + 60,
  jti: 'jti-1',
  nonce: NONCE,
  email: 'ada@us.acme.com',
  name: 'Ada',
};

type Changes = Readonly<Record<string, unknown>>;

const open = (changes: Partial<HandoffSettings> = {}) => {
  const delegate = openHandoff({ ...SETTINGS, ...changes }, hmacVerifier(['HS256'], hmacKey(SECRET)));
  return {
    ...delegate,
    /** What becomes of a token with these claims changed; `undefined` leaves a claim out. */
    arrive: (claims: Changes = {}, now = NOW) =>
      delegate.complete(
        new Map([['access_token', forge(HEADER, { ...CLAIMS, ...claims })]]),
        CARRIED,
        now,
      ) as Assertion,
    enter: (claims: Changes = {}, now = NOW) =>
      delegate.completeUnsolicited?.(forge(HEADER, { ...CLAIMS, nonce: ABSENT, ...claims }), now) as Assertion,
  };
};

const arrives = (claims: Changes, reason: Reason | 'accepted', settings: Partial<HandoffSettings> = {}) =>
  [() => open(settings).arrive(claims), reason] as const;

t.test('the departure carries the return address with its state, the nonce and perhaps the email', async (t) => {
  const urls: [loginUrl: string, before: string][] = [
    ['https://us.acme.com/sso/support', '?'],
    ['https://us.acme.com/sso?tenant=1', '&'],
    ['https://us.acme.com/sso?', ''],
    ['https://us.acme.com/sso?a=b&', ''],
  ];
  for (const [loginUrl, before] of urls) {
    const { url } = open({ loginUrl }).begin(BEGIN, NOW) as { url: string };
    const back = 'https%3A%2F%2Flogin.acme.com%2Freturn%2Fus%3Fstate%3D';
    t.equal(url, `${loginUrl}${before}redirect_uri=${back}${STATE}&nonce=${NONCE}`);
    t.equal(new URL(url).searchParams.get('redirect_uri'), `https://login.acme.com/return/us?state=${STATE}`);
  }
  const { url } = open().begin({ ...BEGIN, loginHint: 'a+b&c=d@us.acme.com' }, NOW) as { url: string };
  t.equal(new URL(url).searchParams.get('login_hint'), 'a+b&c=d@us.acme.com');
  t.throws(() => open({ loginUrl: 'https://us.acme.com/#/sso' }), /fragment/);
});

t.test('an accepted token becomes an assertion of what it says about the person', async (t) => {
  const assertion = open().arrive({ account_id: 'acc_1', sub: 'user-1', nbf: NOW });
  t.equal(assertion instanceof Promise, false, 'HMAC stays synchronous');
  t.same(assertion.claims, { email: 'ada@us.acme.com', name: 'Ada', account_id: 'acc_1', sub: 'user-1' });
  t.equal(assertion.environment, 'us');
  t.equal(assertion.acceptableUntil, NOW + 120);
  t.match(assertion.replayKey, /us.*jti-1/);
  t.not(
    open({ environment: 'eu' as EnvironmentName }).arrive().replayKey,
    assertion.replayKey,
    'another environment’s jti is another',
  );
});

t.test('a claim named __proto__ changes nothing', async (t) => {
  const token = forge(HEADER, JSON.stringify(CLAIMS).replace('{', '{"__proto__":{"role":"admin"},'));
  const { claims } = (await open().complete(new Map([['access_token', token]]), CARRIED, NOW)) as Assertion;
  t.equal(claims.role, undefined);
  t.equal(({} as Changes).role, undefined);
});

t.test('case 21: times that are missing, no whole seconds, or off by more than a minute are refused', (t) =>
  refusesAll(t, {
    'exp missing': arrives({ exp: ABSENT }, 'jwt_missing_required_claim'),
    'exp as text': arrives({ exp: `${NOW + 60}` }, 'jwt_claim_malformed'),
    'exp as float': arrives({ exp: NOW + 60.5 }, 'jwt_claim_malformed'),
    'exp null': arrives({ exp: null }, 'jwt_claim_malformed'),
    'exp true': arrives({ exp: true }, 'jwt_claim_malformed'),
    'exp as list': arrives({ exp: [NOW + 60] }, 'jwt_claim_malformed'),
    'exp 1e300': arrives({ exp: 1e300 }, 'jwt_claim_malformed'),
    'exp 2^53': arrives({ exp: 2 ** 53 }, 'jwt_claim_malformed'),
    'exp in ten years': arrives({ exp: NOW + 315_360_000 }, 'jwt_lifetime_too_long'),
    'exp at the largest integer': arrives({ exp: Number.MAX_SAFE_INTEGER }, 'jwt_lifetime_too_long'),
    'exp −60 s': arrives({ iat: NOW - 100, exp: NOW - 60 }, 'jwt_expired'),
    'exp −59 s': arrives({ iat: NOW - 100, exp: NOW - 59 }, 'accepted'),
    'iat missing': arrives({ iat: ABSENT }, 'jwt_missing_required_claim'),
    'iat as text': arrives({ iat: `${NOW}` }, 'jwt_claim_malformed'),
    'iat 1e300': arrives({ iat: 1e300 }, 'jwt_claim_malformed'),
    'iat +61 s': arrives({ iat: NOW + 61, exp: NOW + 90 }, 'jwt_iat_in_future'),
    'iat +60 s': arrives({ iat: NOW + 60, exp: NOW + 90 }, 'accepted'),
    'iat −59 s': arrives({ iat: NOW - 59 }, 'accepted'),
    'iat older than the lifetime': arrives({ iat: NOW - 361 }, 'jwt_too_old'),
    'iat as old as the lifetime': arrives({ iat: NOW - 360, exp: NOW - 59 }, 'jwt_lifetime_too_long'),
    'lifetime 300 s': arrives({ exp: NOW + 300 }, 'accepted'),
    'lifetime 301 s': arrives({ exp: NOW + 301 }, 'jwt_lifetime_too_long'),
    'lifetime 10 h': arrives({ exp: NOW + 36_000 }, 'jwt_lifetime_too_long'),
    'lifetime 10 h, configured': arrives({ exp: NOW + 36_000 }, 'accepted', { maxLifetime: 36_000 }),
    'nbf +61 s': arrives({ nbf: NOW + 61 }, 'jwt_not_yet_valid'),
    'nbf +60 s': arrives({ nbf: NOW + 60 }, 'accepted'),
    'nbf as text': arrives({ nbf: 'now' }, 'jwt_claim_malformed'),
  }),
);

t.test('case 22: a token for somebody else, or from somebody else, is refused', (t) => {
  const portal = 'https://portal.usepylon.com';
  return refusesAll(t, {
    'aud missing': arrives({ aud: ABSENT }, 'jwt_missing_required_claim'),
    'aud as a list of one': arrives({ aud: [ROUTER] }, 'accepted'),
    'a foreign audience beside ours': arrives({ aud: [ROUTER, 'https://other.test/'] }, 'jwt_audience_mismatch'),
    'ours twice': arrives({ aud: [ROUTER, ROUTER] }, 'jwt_audience_mismatch'),
    'an empty list': arrives({ aud: [] }, 'jwt_audience_mismatch'),
    'aud without its slash': arrives({ aud: 'https://login.acme.com' }, 'jwt_audience_mismatch'),
    'aud in capitals': arrives({ aud: 'HTTPS://LOGIN.ACME.COM/' }, 'jwt_audience_mismatch'),
    'aud as number': arrives({ aud: 1 }, 'jwt_claim_malformed'),
    'aud as a list of numbers': arrives({ aud: [ROUTER, 1] }, 'jwt_claim_malformed'),
    'the portal’s audience': arrives({ aud: portal }, 'jwt_audience_mismatch'),
    'the portal’s audience, configured': arrives({ aud: portal }, 'accepted', { audience: portal }),
    'ours where another is configured': arrives({}, 'jwt_audience_mismatch', { audience: portal }),
    'aud missing where one is configured': arrives({ aud: ABSENT }, 'jwt_missing_required_claim', { audience: portal }),
    'not_sent and absent': arrives({ aud: ABSENT }, 'accepted', { audience: 'not_sent' }),
    'not_sent and ours': arrives({}, 'accepted', { audience: 'not_sent' }),
    'not_sent and the portal’s': arrives({ aud: portal }, 'jwt_audience_mismatch', { audience: 'not_sent' }),
    'not_sent and the word': arrives({ aud: 'not_sent' }, 'jwt_audience_mismatch', { audience: 'not_sent' }),
    'iss missing': arrives({ iss: ABSENT }, 'jwt_missing_required_claim'),
    'another environment’s iss': arrives({ iss: 'https://eu.acme.com/' }, 'jwt_issuer_mismatch'),
    'iss without its slash': arrives({ iss: 'https://us.acme.com' }, 'jwt_issuer_mismatch'),
    'iss with a port': arrives({ iss: 'https://us.acme.com:443/' }, 'jwt_issuer_mismatch'),
    'iss as list': arrives({ iss: ['https://us.acme.com/'] }, 'jwt_claim_malformed'),
    'iss that is no URL': arrives({ iss: 'acme us' }, 'accepted', { issuer: 'acme us' }),
  });
});

t.test('the nonce binds the token to this login', (t) =>
  refusesAll(t, {
    missing: arrives({ nonce: ABSENT }, 'jwt_missing_required_claim'),
    'as number': arrives({ nonce: 1 }, 'jwt_claim_malformed'),
    null: arrives({ nonce: null }, 'jwt_claim_malformed'),
    empty: arrives({ nonce: '' }, 'jwt_nonce_mismatch'),
    'of another login': arrives({ nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'jwt_nonce_mismatch'),
    'in another case': arrives({ nonce: NONCE.toLowerCase() }, 'jwt_nonce_mismatch'),
    'not echoed and absent': arrives({ nonce: ABSENT }, 'accepted', { nonce: 'not_echoed' }),
    'not echoed and right': arrives({}, 'accepted', { nonce: 'not_echoed' }),
    'not echoed and wrong': arrives({ nonce: 'x' }, 'jwt_nonce_mismatch', { nonce: 'not_echoed' }),
  }),
);

t.test('a jti is needed unless the operator says otherwise, and makes the token single use', async (t) => {
  await refusesAll(t, {
    missing: arrives({ jti: ABSENT }, 'jwt_missing_required_claim'),
    empty: arrives({ jti: '' }, 'jwt_claim_malformed'),
    'too long': arrives({ jti: 'j'.repeat(257) }, 'jwt_claim_malformed'),
    '256 characters': arrives({ jti: 'j'.repeat(256) }, 'accepted'),
    'as number': arrives({ jti: 1 }, 'jwt_claim_malformed'),
    'not sent': arrives({ jti: ABSENT }, 'accepted', { jti: 'not_sent' }),
    'not sent and malformed': arrives({ jti: 1 }, 'jwt_claim_malformed', { jti: 'not_sent' }),
  });
  const lenient = open({ jti: 'not_sent' });
  t.notOk('replayKey' in lenient.arrive({ jti: ABSENT }));
  t.equal(lenient.arrive().replayKey, open().arrive().replayKey);
});

t.test('of several faults the first to mend is named', (t) =>
  refusesAll(t, {
    'missing before malformed': arrives({ iss: ABSENT, exp: 'x' }, 'jwt_missing_required_claim'),
    'malformed before expired': arrives({ aud: 1, exp: NOW - 1000, iat: NOW - 1010 }, 'jwt_claim_malformed'),
    'expired before too old': arrives({ exp: NOW - 1000, iat: NOW - 2000 }, 'jwt_expired'),
    'too old before too long': arrives({ iat: NOW - 4000, exp: NOW + 4000 }, 'jwt_too_old'),
    'too long before issuer': arrives({ exp: NOW + 4000, iss: 'x' }, 'jwt_lifetime_too_long'),
    'issuer before audience': arrives({ iss: 'x', aud: 'x' }, 'jwt_issuer_mismatch'),
    'audience before nonce': arrives({ aud: 'x', nonce: 'x' }, 'jwt_audience_mismatch'),
  }),
);

t.test('nothing is believed before the signature holds', async (t) => {
  const { complete } = open();
  const read = (token: string) => complete(new Map([['access_token', token]]), CARRIED, NOW);
  await refusesAll(t, {
    'another secret': [
      () => read(forge(HEADER, { ...CLAIMS, iss: 'x' }, Buffer.alloc(32, 5))),
      'jwt_invalid_signature',
    ],
    'another alg': [() => read(forge({ alg: 'HS512' }, CLAIMS)), 'jwt_algorithm_not_allowed'],
    'case 20: none': [() => read(forge({ alg: 'none' }, CLAIMS)), 'jwt_algorithm_not_allowed'],
    'case 20: jku': [() => read(forge({ ...HEADER, jku: 'https://evil.test/' }, CLAIMS)), 'jwt_header_not_allowed'],
    'case 18: a line end': [() => read(`${forge(HEADER, CLAIMS)}\n`), 'jwt_malformed'],
    empty: [() => read(''), 'jwt_malformed'],
    absent: [() => complete(new Map(), CARRIED, NOW), 'jwt_malformed'],
  });
});

t.test('an error answer is read first, and its text goes nowhere but the log', async (t) => {
  const words: [string, Reason][] = [
    ['access_denied', 'access_denied'],
    ['login_required', 'login_required'],
    ['unknown_user', 'unknown_user'],
    ['user_banned', 'user_banned'],
    ['temporarily_unavailable', 'environment_unavailable'],
    ['server_error', 'environment_error'],
    ['Access_Denied', 'environment_error'],
    ['constructor', 'environment_error'],
    ['<script>', 'environment_error'],
  ];
  const answer = (error: string, description = '') =>
    open().complete(
      new Map([
        ['error', error],
        ['error_description', description],
        ['access_token', forge(HEADER, CLAIMS)],
      ]),
      CARRIED,
      NOW,
    );
  for (const [word, reason] of words) t.equal(await reasonOf(() => answer(word)), reason, word);
  t.equal(await reasonOf(() => answer('')), 'accepted', 'an empty error is none');
  const details: [string, string][] = [
    ['no account\r\n{"event":"login.completed"}', 'access_denied no account??{"event":"login.completed"}'],
    ['\u202eevil \u0000', 'access_denied ?evil ?'],
    [`token ${forge(HEADER, CLAIMS)}`, 'access_denied token [token]'],
    ['ada@us.acme.com is gone', 'access_denied [email] is gone'],
    ['x'.repeat(5000), `access_denied ${'x'.repeat(120)}`],
  ];
  for (const [description, detail] of details) {
    t.throws(
      () => answer('access_denied', description),
      new Refusal('access_denied', detail),
      JSON.stringify(description.slice(0, 40)),
    );
  }
});

t.test('a token that nobody asked for is read only where the operator allows it', async (t) => {
  t.equal(open().completeUnsolicited, undefined);
  t.throws(() => open({ unsolicited: true, nonce: 'not_echoed' }), /nonce: echoed/);
  const door = open({ unsolicited: true });
  const lenient = open({ unsolicited: true, jti: 'not_sent' });
  await refusesAll(t, {
    'a plain one': [() => door.enter(), 'accepted'],
    'made for the return address': [() => door.enter({ nonce: NONCE }), 'jwt_made_for_return'],
    'with an empty nonce': [() => door.enter({ nonce: '' }), 'jwt_made_for_return'],
    'with a null nonce': [() => door.enter({ nonce: null }), 'jwt_made_for_return'],
    'without jti': [() => door.enter({ jti: ABSENT }), 'jwt_missing_required_claim'],
    expired: [() => door.enter({}, NOW + 120), 'jwt_expired'],
    'for somebody else': [() => door.enter({ aud: 'https://other.test/' }), 'jwt_audience_mismatch'],
    'jti not sent': [() => lenient.enter({ jti: ABSENT }), 'accepted'],
    'at the return address': [() => door.arrive({ nonce: ABSENT }), 'jwt_missing_required_claim'],
  });
  t.equal(door.enter().replayKey, door.arrive().replayKey, 'used at one door, used at the other');
  const once = lenient.enter({ jti: ABSENT }).replayKey;
  t.match(once, /sha256/);
  t.equal(lenient.enter({ jti: ABSENT }).replayKey, once);
  t.not(lenient.enter({ jti: ABSENT, name: 'Eve' }).replayKey, once);
});

t.test('public keys work alike', async (t) => {
  const { publicKey, privateKey } = rsaKeys();
  const verifier = await openPublicKey(publicKey.export({ type: 'spki', format: 'pem' }) as string, ['PS256']);
  const { complete } = openHandoff(SETTINGS, verifier);
  const sign = (claims: Changes) =>
    new CompactSign(Buffer.from(JSON.stringify({ ...CLAIMS, ...claims })))
      .setProtectedHeader({ alg: 'PS256', typ: 'JWT' })
      .sign(privateKey);
  const arrive = async (claims: Changes) => complete(new Map([['access_token', await sign(claims)]]), CARRIED, NOW);
  t.equal(((await arrive({})) as Assertion).claims.email, 'ada@us.acme.com');
  t.equal(await reasonOf(() => arrive({ aud: 'x' })), 'jwt_audience_mismatch');
});

t.test('tokens as jsonwebtoken and PyJWT write them are accepted', async (t) => {
  const { complete } = open({ jti: 'not_sent' });
  const accept = (token: string) => reasonOf(() => complete(new Map([['access_token', token]]), CARRIED, NOW));
  const { iss, aud, iat, nonce, email } = CLAIMS;
  t.equal(
    await accept(jsonwebtoken.sign({ iat, nonce, email }, SECRET, { issuer: iss, audience: aud, expiresIn: '5m' })),
    'accepted',
  );
  const program = `
import sys
try: import jwt, json
except ImportError: sys.exit()
token = jwt.encode(json.loads(sys.argv[1]), sys.argv[2], algorithm="HS256")
print(token if isinstance(token, str) else token.decode(), end="")`;
  try {
    const args = ['-c', program, JSON.stringify(CLAIMS), SECRET.toString()];
    const token = execFileSync('/usr/bin/python3', args, { encoding: 'utf8' });
    if (token === '') t.comment('PyJWT is not installed here');
    else t.equal(await accept(token), 'accepted');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
});

t.test('whatever the claims, the end is an assertion within the rules or a refusal', async () => {
  const time = fc.oneof(fc.integer({ min: NOW - 500, max: NOW + 500 }), fc.double(), fc.string(), fc.constant(null));
  const any = fc.oneof(fc.constantFrom(...Object.values(CLAIMS)), fc.jsonValue({ maxDepth: 2 }));
  const claims = fc.record(
    { iss: any, aud: any, iat: time, exp: time, nbf: time, jti: any, nonce: any, email: any },
    { requiredKeys: ['iat', 'exp'] },
  );
  fc.assert(
    fc.property(claims, (changes) => {
      try {
        const { acceptableUntil } = open().arrive(changes);
        return acceptableUntil > NOW && acceptableUntil <= NOW + DEFAULT_MAX_LIFETIME + 120;
      } catch (error) {
        return error instanceof Refusal && error.reason.startsWith('jwt_');
      }
    }),
    { numRuns: 3000 },
  );
});
