/** Against a provider that lies: whatever it answers is a refusal, and the next login works. */
import { generateKeyPairSync } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import { forge, NOW, reasonOf } from '../keys/tokens.ts';
import { ACCESS_TOKEN, answerJson, atHash, type Liar, type Lies, openLiar, signRs256 } from './oidc-liar.ts';
import { openTrips, type TripSettings } from './oidc-trip.ts';

const ABSENT = undefined;
const METADATA = '/.well-known/openid-configuration';

type Row = readonly [lies: Lies, reason: Reason | 'accepted', settings?: Partial<TripSettings> | undefined];

/** What becomes of one login at a provider that lies like this. */
async function judge(t: Test, liar: Liar, lies: Lies, settings: Partial<TripSettings> = {}, timeoutMs?: number) {
  liar.lie(lies);
  liar.asked.length = 0;
  const trips = openTrips(t, { issuer: liar.issuer, ...settings }, timeoutMs);
  return reasonOf(async () => {
    const { login } = await trips.depart(NOW);
    await trips.complete([['code', 'a-code']], login, NOW);
  });
}

async function judgeAll(t: Test, liar: Liar, table: Readonly<Record<string, Row>>, timeoutMs?: number): Promise<void> {
  for (const [what, [lies, reason, settings]] of Object.entries(table))
    t.equal(await judge(t, liar, lies, settings, timeoutMs), reason, what);
  t.equal(await judge(t, liar, {}), 'accepted', 'the next login works');
}

t.test('cases 21 and 22: an id_token of another time, for somebody else, or from somebody else', async (t) => {
  const liar = await openLiar(t);
  const says = (claims: Lies['claims'], reason: Row[1], settings?: Row[2]): Row => [
    { claims: claims ?? {} },
    reason,
    settings,
  ];
  await judgeAll(t, liar, {
    honest: says({}, 'accepted'),
    'iss absent': says({ iss: ABSENT }, 'jwt_missing_required_claim'),
    'iss with a slash': says({ iss: `${liar.issuer}/` }, 'jwt_issuer_mismatch'),
    'another iss': says({ iss: 'https://id.other.test' }, 'jwt_issuer_mismatch'),
    'iss as list': says({ iss: [liar.issuer] }, 'jwt_claim_malformed'),
    'aud absent': says({ aud: ABSENT }, 'jwt_missing_required_claim'),
    'another aud': says({ aud: 'another' }, 'jwt_audience_mismatch'),
    'aud as a list of one': says({ aud: ['wayhome'] }, 'accepted'),
    'a foreign audience beside ours': says({ aud: ['wayhome', 'another'], azp: 'wayhome' }, 'jwt_audience_mismatch'),
    'ours twice': says({ aud: ['wayhome', 'wayhome'], azp: 'wayhome' }, 'jwt_audience_mismatch'),
    'an empty list': says({ aud: [] }, 'jwt_audience_mismatch'),
    'aud as number': says({ aud: 1 }, 'jwt_claim_malformed'),
    'aud with a number': says({ aud: ['wayhome', 1] }, 'jwt_claim_malformed'),
    'azp ours': says({ azp: 'wayhome' }, 'accepted'),
    'another azp': says({ azp: 'another' }, 'jwt_audience_mismatch'),
    'azp as list': says({ azp: ['wayhome'] }, 'jwt_claim_malformed'),
    'nonce absent': says({ nonce: ABSENT }, 'jwt_missing_required_claim'),
    'another nonce': says({ nonce: 'nonce-of-login-2' }, 'jwt_nonce_mismatch'),
    'nonce as number': says({ nonce: 1 }, 'jwt_claim_malformed'),
    'sub absent': says({ sub: ABSENT }, 'jwt_missing_required_claim'),
    'sub empty': says({ sub: '' }, 'jwt_claim_malformed'),
    'sub as number': says({ sub: 1 }, 'jwt_claim_malformed'),
    'sub too long': says({ sub: 's'.repeat(256) }, 'jwt_claim_malformed'),
    'exp absent': says({ exp: ABSENT }, 'jwt_missing_required_claim'),
    'exp as text': says({ exp: `${NOW + 60}` }, 'jwt_claim_malformed'),
    'exp as float': says({ exp: NOW + 60.5 }, 'jwt_claim_malformed'),
    'exp 1e300': says({ exp: 1e300 }, 'jwt_claim_malformed'),
    'exp in ten years': says({ exp: NOW + 315_360_000 }, 'jwt_lifetime_too_long'),
    'exp in ten hours': says({ exp: NOW + 36_000 }, 'accepted'),
    'exp −60 s': says({ exp: NOW - 60 }, 'jwt_expired'),
    'exp −59 s': says({ exp: NOW - 59 }, 'accepted'),
    'iat absent': says({ iat: ABSENT }, 'jwt_missing_required_claim'),
    'iat as text': says({ iat: `${NOW}` }, 'jwt_claim_malformed'),
    'iat +61 s': says({ iat: NOW + 61 }, 'jwt_iat_in_future'),
    'iat +60 s': says({ iat: NOW + 60 }, 'accepted'),
    'iat −660 s': says({ iat: NOW - 660 }, 'accepted'),
    'iat −661 s': says({ iat: NOW - 661 }, 'jwt_too_old'),
    'nbf +61 s': says({ nbf: NOW + 61 }, 'jwt_not_yet_valid'),
    'nbf as text': says({ nbf: 'now' }, 'jwt_claim_malformed'),
    'at_hash right': says({ at_hash: atHash(ACCESS_TOKEN) }, 'accepted'),
    'at_hash of another access token': says({ at_hash: atHash('another') }, 'jwt_claim_malformed'),
    'at_hash empty': says({ at_hash: '' }, 'jwt_claim_malformed'),
    'auth_time absent, not asked for': says({}, 'accepted'),
    'auth_time absent': says({}, 'signed_in_too_long_ago', { maxAge: 300 }),
    'auth_time as old as may be': says({ auth_time: NOW - 360 }, 'accepted', { maxAge: 300 }),
    'auth_time too old': says({ auth_time: NOW - 361 }, 'signed_in_too_long_ago', { maxAge: 300 }),
    'auth_time in the future': says({ auth_time: NOW + 61 }, 'jwt_claim_malformed', { maxAge: 300 }),
    'auth_time as text': says({ auth_time: `${NOW}` }, 'jwt_claim_malformed', { maxAge: 300 }),
  });
});

t.test('cases 18 to 20: an id_token that is not signed by the provider', async (t) => {
  const liar = await openLiar(t);
  const { publicKey } = liar.keys;
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const spellings: Readonly<Record<string, string | Buffer>> = {
    PEM: pem,
    'spaced PEM': `${pem}\n`,
    'PEM without its last line end': pem.toString().trimEnd(),
    DER: publicKey.export({ type: 'spki', format: 'der' }),
    'JWK text': JSON.stringify(publicKey.export({ format: 'jwk' })),
  };
  const claims = liar.claims();
  const good = signRs256({ alg: 'RS256', kid: 'key-1' }, claims);
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const table: Record<string, Row> = {
    'another key': [{ idToken: signRs256({ alg: 'RS256', kid: 'key-1' }, claims, stranger) }, 'jwt_invalid_signature'],
    'an unknown kid': [{ header: { kid: 'key-2' } }, 'jwt_invalid_signature'],
    'no kid': [{ header: { kid: ABSENT } }, 'accepted'],
    'no signature': [{ idToken: good.replace(/\.[^.]*$/, '.') }, 'jwt_malformed'],
    'a trailing newline': [{ idToken: `${good}\n` }, 'jwt_malformed'],
    padding: [{ idToken: `${good}==` }, 'jwt_malformed'],
    'five parts': [{ idToken: `${good}.a.b` }, 'jwt_malformed'],
    'a number': [{ idToken: 1 }, 'environment_error'],
    absent: [{ idToken: ABSENT }, 'environment_error'],
    empty: [{ idToken: '' }, 'jwt_malformed'],
    'a claim that stands twice': [
      { idToken: signRs256({ alg: 'RS256' }, `{"email":"a@b.test",${JSON.stringify(claims).slice(1)}`) },
      'jwt_malformed',
    ],
    'PS256, which is not listed': [{ header: { alg: 'PS256' } }, 'jwt_algorithm_not_allowed'],
    jku: [{ header: { jku: `${liar.issuer}/other-jwks` } }, 'jwt_header_not_allowed'],
    jwk: [{ header: { jwk: publicKey.export({ format: 'jwk' }) } }, 'jwt_header_not_allowed'],
    'kid as path': [{ header: { kid: '../key-1' } }, 'jwt_header_not_allowed'],
    crit: [{ header: { crit: ['b64'], b64: false } }, 'jwt_header_not_allowed'],
    zip: [{ header: { zip: 'DEF' } }, 'jwt_header_not_allowed'],
    'an access token as id_token': [{ header: { typ: 'at+jwt' } }, 'jwt_header_not_allowed'],
  };
  for (const alg of ['none', 'None', 'NONE', 'nOnE'])
    table[alg] = [{ idToken: forge({ alg, kid: 'key-1' }, claims) }, 'jwt_algorithm_not_allowed'];
  for (const [what, secret] of Object.entries(spellings))
    table[`HS256 by the public key as ${what}`] = [
      { idToken: forge({ alg: 'HS256', kid: 'key-1' }, claims, secret as Buffer) },
      'jwt_algorithm_not_allowed',
    ];
  await judgeAll(t, liar, table);
  t.notOk(liar.asked.includes('/other-jwks'));
});

t.test('case 15: an answer that does not name its own provider is refused before the code is sent', async (t) => {
  const liar = await openLiar(t);
  const advertised = { authorization_response_iss_parameter_supported: true };
  const { issuer } = liar;
  const rows: readonly (readonly [what: string, lies: Lies, iss: string | undefined, reason: Reason | 'accepted'])[] = [
    ['not advertised, absent', {}, undefined, 'accepted'],
    ['not advertised, right', {}, issuer, 'accepted'],
    ['not advertised, another', {}, 'https://id.other.test', 'jwt_issuer_mismatch'],
    ['advertised, right', { metadata: advertised }, issuer, 'accepted'],
    ['advertised, absent', { metadata: advertised }, undefined, 'iss_parameter_missing'],
    ['empty', { metadata: advertised }, '', 'jwt_issuer_mismatch'],
    ['with a slash', { metadata: advertised }, `${issuer}/`, 'jwt_issuer_mismatch'],
    ['in capitals', { metadata: advertised }, issuer.toUpperCase(), 'jwt_issuer_mismatch'],
    ['with a trailing space', { metadata: advertised }, `${issuer} `, 'jwt_issuer_mismatch'],
    ['as localhost', { metadata: advertised }, issuer.replace('127.0.0.1', 'localhost'), 'jwt_issuer_mismatch'],
  ];
  for (const [what, lies, iss, reason] of rows) {
    for (const answer of [
      ['code', 'a-code'],
      ['error', 'access_denied'],
    ] as const) {
      liar.lie(lies);
      liar.asked.length = 0;
      const trips = openTrips(t, { issuer });
      const { login } = await trips.depart(NOW);
      const params = iss === undefined ? [answer] : [answer, ['iss', iss] as const];
      const wanted = reason === 'accepted' && answer[0] === 'error' ? 'access_denied' : reason;
      t.equal(await reasonOf(() => trips.complete(params, login, NOW)), wanted, `${what}, ${answer[0]}`);
      if (reason !== 'accepted') t.same(liar.asked, [METADATA], 'nothing was sent');
    }
  }
  const rules = [
    ['sent', 'iss_parameter_missing'],
    ['not_sent', 'accepted'],
  ] as const;
  for (const [issParameter, reason] of rules) {
    t.equal(await judge(t, liar, { metadata: advertised }, { issParameter }), reason, issParameter);
    const endpoints = { authorization: `${issuer}/authorize`, token: `${issuer}/token`, jwks: `${issuer}/jwks` };
    t.equal(await judge(t, liar, {}, { issParameter, endpoints }), reason, `${issParameter}, stated endpoints`);
  }
});

t.test('answers of the return address that hold no code', async (t) => {
  const liar = await openLiar(t);
  const trips = openTrips(t, { issuer: liar.issuer });
  const { login } = await trips.depart(NOW);
  const { nonce, browser } = login;
  const words: readonly (readonly [error: string, reason: Reason])[] = [
    ['access_denied', 'access_denied'],
    ['login_required', 'login_required'],
    ['interaction_required', 'login_required'],
    ['consent_required', 'login_required'],
    ['account_selection_required', 'login_required'],
    ['temporarily_unavailable', 'environment_unavailable'],
    ['server_error', 'environment_error'],
    ['invalid_scope', 'environment_error'],
    ['constructor', 'environment_error'],
  ];
  for (const [error, reason] of words) {
    const params = [
      ['error', error],
      ['code', 'a-code'],
    ] as const;
    t.equal(await reasonOf(() => trips.complete(params, login, NOW)), reason, error);
  }
  t.equal(await reasonOf(() => trips.complete([], login, NOW)), 'code_missing');
  t.equal(await reasonOf(() => trips.complete([['code', '']], login, NOW)), 'code_missing', 'empty');
  t.equal(await reasonOf(() => trips.complete([['response', 'eyJ.eyJ.x']], login, NOW)), 'code_missing', 'JARM');
  t.equal(
    await reasonOf(() => trips.complete([['code', 'a-code']], { nonce, browser }, NOW)),
    'state_invalid',
    'a login that left by another protocol',
  );
  t.notOk(liar.asked.includes('/token'));
});

t.test('case 2: userinfo about somebody else, or one that contradicts the id_token', async (t) => {
  const liar = await openLiar(t);
  const always = { userinfo: 'always' } as const;
  const without = { email: ABSENT, email_verified: ABSENT };
  const at = (answer: (response: ServerResponse) => void): Lies => ({ at: { '/userinfo': answer } });
  await judgeAll(t, liar, {
    'it agrees': [{}, 'accepted', always],
    'another email': [{ userinfo: { email: 'victim@globex.test' } }, 'userinfo_mismatch', always],
    'the same email in capitals': [{ userinfo: { email: 'ADA@globex.test' } }, 'userinfo_mismatch', always],
    'a verified email that is not': [{ userinfo: { email_verified: false } }, 'userinfo_mismatch', always],
    'a boolean as text': [{ userinfo: { email_verified: 'true' } }, 'accepted', always],
    'null says nothing': [{ userinfo: { email: null } }, 'accepted', always],
    'another list': [{ claims: { groups: ['a'] }, userinfo: { groups: ['a', 'b'] } }, 'userinfo_mismatch', always],
    'another nonce, which is no claim of the person': [{ userinfo: { nonce: 'x', iss: 'x' } }, 'accepted', always],
    'not asked': [{ userinfo: { email: 'victim@globex.test' } }, 'accepted'],
    'another sub': [{ claims: without, userinfo: { sub: 'victim' } }, 'userinfo_mismatch'],
    'no sub': [{ claims: without, userinfo: { sub: ABSENT } }, 'userinfo_mismatch'],
    'sub as list': [{ claims: without, userinfo: { sub: ['ada'] } }, 'userinfo_mismatch'],
    'not JSON': [at((response) => response.end('<html>')), 'environment_error', always],
    'a list': [at((response) => answerJson(response, [])), 'environment_error', always],
    'a name twice': [
      at((response) => response.end('{"sub":"ada","email":"a@b.test","email":"ada@globex.test"}')),
      'environment_error',
      always,
    ],
    signed: [
      at((response) => {
        response.setHeader('content-type', 'application/jwt');
        response.end(signRs256({ alg: 'RS256' }, liar.claims()));
      }),
      'environment_error',
      always,
    ],
    'status 401': [at((response) => answerJson(response, {}, 401)), 'environment_error', always],
    'status 503': [at((response) => answerJson(response, {}, 503)), 'environment_unavailable', always],
    'a redirect': [at((response) => response.writeHead(302, { location: '/jwks' }).end()), 'environment_error', always],
    'no endpoint': [{ metadata: { userinfo_endpoint: ABSENT } }, 'metadata_refused', always],
    'no endpoint and no need': [{ metadata: { userinfo_endpoint: ABSENT } }, 'accepted'],
  });
});

t.test('case 24 and its like: answers that nobody can read', async (t) => {
  const liar = await openLiar(t);
  const raw =
    (body: string | Buffer, headers: Record<string, string> = {}) =>
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(body);
    };
  const bomb = raw(gzipSync(Buffer.alloc(64 * 1024 * 1024)), { 'content-encoding': 'gzip' });
  const moved = (response: ServerResponse) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
  const reset = (response: ServerResponse) => response.socket?.resetAndDestroy();
  const hang = () => {};
  const error = (status: number, body: unknown) => (response: ServerResponse) => answerJson(response, body, status);
  const says = (metadata: Lies['metadata'], reason: Row[1] = 'metadata_refused'): Row => [
    { metadata: metadata ?? {} },
    reason,
  ];
  await judgeAll(
    t,
    liar,
    {
      'metadata: garbage': [{ at: { [METADATA]: raw('garbage') } }, 'metadata_refused'],
      'metadata: not UTF-8': [{ at: { [METADATA]: raw(Buffer.from([0x7b, 0xff, 0x7d])) } }, 'metadata_refused'],
      'metadata: a list': [{ at: { [METADATA]: raw('[]') } }, 'metadata_refused'],
      'metadata: deep': [{ at: { [METADATA]: raw('{"a":'.repeat(20_000)) } }, 'metadata_refused'],
      'metadata: bomb': [{ at: { [METADATA]: bomb } }, 'environment_error'],
      'metadata: moved': [{ at: { [METADATA]: moved } }, 'environment_error'],
      'metadata: reset': [{ at: { [METADATA]: reset } }, 'environment_unavailable'],
      'metadata: hang': [{ at: { [METADATA]: hang } }, 'environment_timeout'],
      'metadata: 404': [{ at: { [METADATA]: error(404, {}) } }, 'environment_error'],
      'metadata: 503': [{ at: { [METADATA]: error(503, {}) } }, 'environment_unavailable'],
      'metadata: another issuer': says({ issuer: 'https://id.other.test' }),
      'metadata: issuer with a slash': says({ issuer: `${liar.issuer}/` }),
      'metadata: no issuer': says({ issuer: ABSENT }),
      'metadata: no authorization_endpoint': says({ authorization_endpoint: ABSENT }),
      'metadata: a script as authorization_endpoint': says({ authorization_endpoint: 'javascript:alert(1)' }),
      'metadata: a path as token_endpoint': says({ token_endpoint: '/token' }),
      'metadata: user info in jwks_uri': says({ jwks_uri: 'https://a:b@id.other.test/' }),
      'metadata: a fragment': says({ authorization_endpoint: `${liar.issuer}/#/authorize` }),
      'metadata: a list as end_session_endpoint': says({ end_session_endpoint: [`${liar.issuer}/logout`] }),
      'metadata: token_endpoint inside': says(
        { token_endpoint: 'https://169.254.169.254/' },
        'environment_unavailable',
      ),
      'token: garbage': [{ at: { '/token': raw('garbage') } }, 'environment_error'],
      'token: null': [{ at: { '/token': raw('null') } }, 'environment_error'],
      'token: bomb': [{ at: { '/token': bomb } }, 'environment_error'],
      'token: moved': [{ at: { '/token': moved } }, 'environment_error'],
      'token: reset': [{ at: { '/token': reset } }, 'environment_unavailable'],
      'token: hang': [{ at: { '/token': hang } }, 'environment_timeout'],
      'token: 500': [{ at: { '/token': error(500, { error: 'invalid_grant' }) } }, 'environment_error'],
      'token: invalid_grant': [{ at: { '/token': error(400, { error: 'invalid_grant' }) } }, 'code_refused'],
      'token: invalid_client': [{ at: { '/token': error(401, { error: 'invalid_client' }) } }, 'client_refused'],
      'token: 401 without words': [{ at: { '/token': error(401, '') } }, 'client_refused'],
      'token: invalid_request': [{ at: { '/token': error(400, { error: 'invalid_request' }) } }, 'environment_error'],
      'token: no access_token': [{ tokens: { access_token: ABSENT } }, 'environment_error'],
      'token: access_token with a line end': [{ tokens: { access_token: 'a\r\nx: y' } }, 'environment_error'],
      'token: no token_type': [{ tokens: { token_type: ABSENT } }, 'environment_error'],
      'token: token_type mac': [{ tokens: { token_type: 'mac' } }, 'environment_error'],
      'jwks: garbage': [{ at: { '/jwks': raw('garbage') } }, 'keys_unavailable'],
      'jwks: HTML': [{ at: { '/jwks': raw('<html>', { 'content-type': 'text/html' }) } }, 'keys_unavailable'],
      'jwks: bomb': [{ at: { '/jwks': bomb } }, 'keys_unavailable'],
      'jwks: moved': [{ at: { '/jwks': moved } }, 'keys_unavailable'],
      'jwks: hang': [{ at: { '/jwks': hang } }, 'keys_unavailable'],
      'jwks: a secret key': [{ at: { '/jwks': raw('{"keys":[{"kty":"oct","k":"AAAA"}]}') } }, 'keys_unavailable'],
      'jwks: none': [{ at: { '/jwks': raw('{"keys":[]}') } }, 'jwt_invalid_signature'],
    },
    300,
  );
});

t.test('metadata is read once for many logins, again after ten minutes, and kept for a day', async (t) => {
  const liar = await openLiar(t);
  const trips = openTrips(t, { issuer: liar.issuer });
  const reads = () => liar.asked.filter((path) => path === METADATA).length;
  const begin = (now: number) => reasonOf(() => trips.depart(now));

  await Promise.all(Array.from({ length: 50 }, () => trips.depart(NOW)));
  t.equal(reads(), 1, 'fifty logins at once');
  await trips.depart(NOW + 599);
  t.equal(reads(), 1, 'fresh');
  await trips.depart(NOW + 600);
  t.equal(reads(), 2, 'ten minutes later');

  const readAt = NOW + 600;
  liar.lie({ at: { [METADATA]: (response) => answerJson(response, {}, 503) } });
  t.equal(await begin(readAt + 600), 'accepted', 'the provider is down');
  t.equal(reads(), 3);
  t.equal(await begin(readAt + 629), 'accepted');
  t.equal(reads(), 3, 'no new try within 30 s');
  t.equal(await begin(readAt + 630), 'accepted');
  t.equal(reads(), 4);
  liar.lie({ metadata: { issuer: 'https://id.other.test' } });
  t.equal(await begin(readAt + 86_399), 'accepted', 'the last good copy');
  t.equal(await begin(readAt + 86_400), 'metadata_refused', 'a day later, within the pause');
  liar.lie({});
  t.equal(await begin(readAt + 86_430), 'accepted', 'it is back');
});

t.test('without any metadata the next try is five seconds later', async (t) => {
  const liar = await openLiar(t);
  const trips = openTrips(t, { issuer: liar.issuer });
  liar.lie({ at: { [METADATA]: (response) => answerJson(response, {}, 503) } });
  const begin = (now: number) => reasonOf(() => trips.depart(now));
  for (const after of [0, 1, 4]) t.equal(await begin(NOW + after), 'environment_unavailable');
  t.equal(liar.asked.length, 1);
  liar.lie({});
  t.equal(await begin(NOW + 4), 'environment_unavailable');
  t.equal(await begin(NOW + 5), 'accepted');
  t.equal(liar.asked.length, 2);
});

t.test('a query of the authorization endpoint is kept, and cannot say our parameters', async (t) => {
  const liar = await openLiar(t);
  liar.lie({
    metadata: { authorization_endpoint: `${liar.issuer}/authorize?p=b2c&client_id=evil&prompt=none&state=x&state=y` },
  });
  const { url } = await openTrips(t, { issuer: liar.issuer }).depart(NOW);
  const asked = new URL(url).searchParams;
  t.equal(asked.get('p'), 'b2c');
  t.same(asked.getAll('client_id'), ['wayhome']);
  t.equal(asked.getAll('state').length, 1);
  t.notOk(asked.has('prompt'));
});

t.test('no body of any endpoint is a bug of ours', async (t) => {
  const liar = await openLiar(t);
  const path = fc.constantFrom(METADATA, '/token', '/jwks', '/userinfo');
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
  const status = fc.constantFrom(200, 200, 200, 201, 204, 400, 401, 403, 404, 429, 500, 503, 599, 999);
  await fc.assert(
    fc.asyncProperty(path, body, status, async (path, body, status) => {
      const at = { [path]: (response: ServerResponse) => response.writeHead(status).end(body) };
      await judge(t, liar, { at }, { userinfo: 'always' });
    }),
    { numRuns: 150 },
  );
  t.equal(await judge(t, liar, {}), 'accepted');
});

t.test('no change of an id_token’s claims is a bug of ours', async (t) => {
  const liar = await openLiar(t);
  const name = fc.constantFrom(
    'iss',
    'sub',
    'aud',
    'exp',
    'iat',
    'nonce',
    'azp',
    'at_hash',
    'email',
    '__proto__',
    'sid',
  );
  await fc.assert(
    fc.asyncProperty(name, fc.jsonValue(), async (name, value) => {
      const others = JSON.stringify({ ...liar.claims(), [name]: ABSENT }).slice(0, -1);
      const claims = `${others},"${name}":${JSON.stringify(value)}}`;
      await judge(t, liar, { idToken: signRs256({ alg: 'RS256', kid: 'key-1' }, claims) });
    }),
    { numRuns: 150 },
  );
});
