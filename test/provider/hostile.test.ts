import fc from 'fast-check';
import { decodeJwt } from 'jose';
import t from 'tap';
import { departure, environmentToken } from '../support/world.ts';
import {
  authorizeUrl,
  basic,
  codeOf,
  DOCS,
  foundInLog,
  HELP,
  leaveFor,
  openPartyWorld,
  type Params,
  PKCE,
  partyRoutes,
  redeem,
  signedIn,
  signIn,
  tokenRequest,
  userinfo,
} from './party-world.ts';

const world = await openPartyWorld(t);

t.test('an authorization request with nobody to send the browser back to ends on a page', async (t) => {
  const table: readonly [Params | string, number, string][] = [
    [{ redirect_uri: 'https://evil.test/' }, 400, 'redirect_uri_not_listed'],
    [{ redirect_uri: `${HELP}/` }, 400, 'redirect_uri_not_listed'],
    [{ redirect_uri: `${HELP}?kind=c` }, 400, 'redirect_uri_not_listed'],
    [{ redirect_uri: HELP.toUpperCase() }, 400, 'redirect_uri_not_listed'],
    [{ redirect_uri: `${HELP}#x` }, 400, 'redirect_uri_not_listed'],
    [{ redirect_uri: `https://help.acme.test@evil.test/signed-in` }, 400, 'redirect_uri_not_listed'],
    [{ redirect_uri: DOCS }, 400, 'redirect_uri_not_listed'],
    [{ redirect_uri: undefined }, 400, 'request_malformed'],
    [{ redirect_uri: 'https://evil.test/', response_mode: 'form_post' }, 400, 'redirect_uri_not_listed'],
    [{ redirect_uri: 'https://evil.test/', response_mode: 'form_post', scope: 'x' }, 400, 'redirect_uri_not_listed'],
    [{ client_id: 'nobody' }, 401, 'client_refused_here'],
    [{ client_id: '__proto__' }, 401, 'client_refused_here'],
    [{ client_id: undefined }, 400, 'request_malformed'],
    [`${authorizeUrl()}&client_id=help`, 400, 'request_parameter_duplicated'],
    [`${authorizeUrl()}&redirect_uri=https%3A%2F%2Fevil.test`, 400, 'request_parameter_duplicated'],
    [`${authorizeUrl()}&redirect_uri[]=https%3A%2F%2Fevil.test`, 400, 'request_parameter_duplicated'],
    [`${authorizeUrl()}&Scope=openid`, 400, 'request_parameter_duplicated'],
    [{ state: 'x'.repeat(2_400) }, 414, 'request_too_long'],
    [{ state: 'x'.repeat(20_000) }, 414, 'request_too_long'],
  ];
  for (const [asked, status, reason] of table) {
    const from = world.lines.length;
    const seen = await world.browser().get(typeof asked === 'string' ? asked : authorizeUrl(asked));
    t.equal(seen.status, status, JSON.stringify(asked).slice(0, 80));
    t.equal(seen.location, '');
    t.same(seen.headers['set-cookie'], undefined);
    t.match(seen.reference, /^[0-9a-z]{10}$/);
    const said = world.events().slice(from);
    t.match(said, [{ reason, reference: seen.reference }], 'one line of the log');
    t.notMatch(seen.body, /evil|redirect_uri|invalid_/, 'which tells the browser nothing');
  }
});

t.test('faults of a request that names the portal rightly go back to the portal', async (t) => {
  const table: readonly [Params, string][] = [
    [{ client_id: 'docs', code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge: 'short' }, 'invalid_request'],
    [{ response_type: 'token' }, 'invalid_request'],
    [{ response_type: 'code id_token' }, 'invalid_request'],
    [{ response_type: undefined }, 'invalid_request'],
    [{ scope: 'email' }, 'invalid_request'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ prompt: 'create' }, 'invalid_request'],
    [{ max_age: '-1' }, 'invalid_request'],
    [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    [{ request_uri: 'https://evil.test/request' }, 'request_uri_not_supported'],
    [{ registration: '{}' }, 'registration_not_supported'],
    [{ id_token_hint: 'x.y.z' }, 'invalid_request'],
  ];
  for (const [asked, error] of table) {
    const { status, location } = await world.browser().get(authorizeUrl(asked));
    const name = JSON.stringify(asked).slice(0, 80);
    t.equal(status, 303, name);
    const back = new URL(location);
    t.equal(back.origin + back.pathname, asked.client_id === 'docs' ? DOCS : HELP);
    // Of a response type that would come in the fragment, so does the error.
    const answer = new URLSearchParams(back.search || back.hash.slice(1));
    t.equal(answer.get('error'), error, name);
    t.equal(answer.get('state'), 'rp-state');
    t.notOk(answer.has('code'));
    t.match(world.events().at(-1), { event: 'login.refused', portal: asked.client_id ?? 'help' });
  }
});

t.test('a code is for one client, one address, one verifier, once', async (t) => {
  const fresh = async () => codeOf(await signIn(world, world.browser(), 'us'));
  const wrong: readonly [string, Params, Record<string, string>][] = [
    ['another client', { redirect_uri: HELP, client_id: 'docs' }, {}],
    ['another address', { redirect_uri: `${HELP}?kind=b` }, basic()],
    ['no address', { redirect_uri: undefined }, basic()],
    ['another verifier', { code_verifier: 'x'.repeat(43) }, basic()],
    ['no verifier', { code_verifier: undefined }, basic()],
  ];
  for (const [what, changed, headers] of wrong) {
    const code = await fresh();
    const { status, body } = await redeem(world, code, changed, headers);
    t.equal(status, 400, what);
    t.match(String(body.error), /^invalid_(grant|request)$/);
    t.notOk('access_token' in body);
    t.match(world.events().at(-1), { event: 'token.refused' });
  }
  const code = await fresh();
  const first = await redeem(world, code);
  t.equal(first.status, 200);
  t.match(await redeem(world, code), { status: 400, body: { error: 'invalid_grant' } });
  t.equal((await userinfo(world, first.body.access_token)).status, 401, 'and what it gave is taken back');
  for (const near of [`${code}\n`, `${code}=`, code.slice(0, -1), code.toLowerCase(), ''])
    t.equal((await redeem(world, near)).status, 400, JSON.stringify(near).slice(0, 12));
});

t.test('a client that does not prove itself gets nothing', async (t) => {
  const code = codeOf(await signIn(world, world.browser(), 'us'));
  for (const [what, changed, headers] of [
    ['no proof', { client_id: 'help' }, {}],
    ['another secret', {}, basic('help', 'x'.repeat(40))],
    ['another one in the body', { client_id: 'help', client_secret: 'x'.repeat(40) }, {}],
    ['nobody', {}, basic('nobody')],
    ['not base64', {}, { authorization: 'Basic %%%' }],
    ['two proofs', { client_id: 'help', client_secret: 'x' }, basic()],
  ] as readonly [string, Params, Record<string, string>][]) {
    const { status, body } = await redeem(world, code, changed, headers);
    t.ok(status === 401 || status === 400, what);
    t.match(String(body.error), /^invalid_(client|request)$/, what);
  }
  t.equal((await redeem(world, code)).status, 200, 'and the code is still its own');
});

t.test('the endpoints for programs speak JSON, whatever is thrown at them', async (t) => {
  const browser = world.browser();
  const json = { 'content-type': 'application/json' };
  for (const [status, seen] of [
    [400, await browser.post('/oidc/token?code=x', { grant_type: 'authorization_code' }, { headers: basic() })],
    [400, await browser.post('/oidc/token', 'grant_type=a&grant_type=b', { headers: basic() })],
    [415, await browser.post('/oidc/token', '{}', { headers: { ...basic(), ...json } })],
    [413, await browser.post('/oidc/token', `code=${'x'.repeat(70_000)}`, { headers: basic() })],
    [
      400,
      await browser.post('/oidc/token', { grant_type: 'password' }, { headers: { ...basic(), accept: 'text/html' } }),
    ],
    [405, await browser.get('/oidc/token')],
    [400, await browser.get('/oidc/me?access_token=x')],
    [401, await browser.get('/oidc/me', { headers: { authorization: 'Bearer x', accept: 'text/html' } })],
  ] as const) {
    t.equal(seen.status, status, seen.url.slice(0, 40));
    t.match(seen.headers['content-type'], 'application/json', seen.url.slice(0, 40));
    t.type(JSON.parse(seen.body).error, 'string');
  }
  t.equal((await browser.get('/oidc/session/end/confirm')).status, 404, 'the library’s own addresses are not there');
  t.equal((await browser.get('/oidc/auth/%2e%2e')).status, 404);
});

t.test('a posted request is no longer than one in the address', async (t) => {
  for (const path of ['/oidc/auth', '/oidc/logout']) {
    const seen = await world.browser().post(path, { client_id: 'help', state: '"'.repeat(6_000) });
    t.match(seen, { status: 414, location: '' }, path);
    const twice = await world.browser().post(`${path}?client_id=help`, { client_id: 'help' });
    t.match(twice, { status: 400, location: '' });
  }
});

t.test('the limit for one client holds at every endpoint', async (t) => {
  const limited = await openPartyWorld(t, {
    routes: partyRoutes((routes) => Object.assign(routes, { rate_limit: { per_client: '1/m', burst: 3 } })),
  });
  const browser = limited.browser();
  for (const ask of [
    () => browser.post('/oidc/token', { grant_type: 'authorization_code', code: 'x' }, { headers: basic() }),
    () => browser.get('/oidc/me'),
    () => browser.get(authorizeUrl()),
  ])
    t.not((await ask()).status, 429);
  const guess = await browser.post('/oidc/token', { code: 'x' }, { headers: basic('help', 'guess') });
  t.match(guess, { status: 429, headers: { 'content-type': 'application/json', 'retry-after': String } });
  t.match(JSON.parse(guess.body), { error: 'temporarily_unavailable' });
  t.equal((await browser.get(authorizeUrl())).status, 429);
});

t.test('looking at an address does nothing', async (t) => {
  const browser = world.browser();
  const looks = { headers: { 'sec-purpose': 'prefetch' } };
  t.equal((await browser.get(authorizeUrl(), looks)).status, 204);
  t.equal((await browser.send(authorizeUrl(), { method: 'HEAD' })).status, 204);
  t.equal(browser.jar.size, 0);
  const back = await signedIn(world, browser, 'us', await leaveFor(browser, 'us'));
  t.equal((await browser.get(back.location, looks)).status, 204);
  t.match((await browser.get(back.location)).location, /code=/, 'and the login can still end');
});

t.test('Host and forwarded headers change no address', async (t) => {
  const headers = { host: 'evil.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http' };
  const browser = world.browser();
  const asked = await browser.get(authorizeUrl({ domain_hint: 'us' }), { headers });
  const left = await browser.get(asked.location, { headers });
  const { redirectUri, nonce } = departure(left);
  const token = await environmentToken('us', world.now, nonce);
  const back = await browser.get(`${redirectUri}&access_token=${token}`, { headers });
  t.ok(back.location.startsWith('https://login.acme.test/oidc/auth/'));
  const { body } = await redeem(world, codeOf(new URL((await browser.get(back.location, { headers })).location)));
  t.equal(decodeJwt(String(body.id_token)).iss, 'https://login.acme.test/');
});

t.test('whatever the request, the provider answers and lives', async (t) => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  const names = fc.constantFrom(
    'client_id',
    'redirect_uri',
    'scope',
    'prompt',
    'max_age',
    'state',
    'claims',
    'login_hint',
    'x',
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, text, { maxKeys: 5 }), async (changed) => {
      const { status, location } = await world.browser().get(authorizeUrl(changed));
      return status < 500 && (location === '' || location.startsWith('/oidc/login/') || location.startsWith(HELP));
    }),
    { numRuns: 150 },
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string({ maxLength: 12 }), text, { maxKeys: 5 }), async (form) => {
      const { status, seen } = await tokenRequest(world, { grant_type: 'authorization_code', ...form });
      return status >= 400 && status < 500 && seen.headers['cache-control'] === 'no-store';
    }),
    { numRuns: 150 },
  );
  t.equal(
    (await redeem(world, codeOf(await signIn(world, world.browser(), 'us')), { code_verifier: PKCE.verifier })).status,
    200,
  );
});

t.test('the log holds nothing of all this', async (t) => {
  t.ok(world.exchanges.length > 10);
  t.same(foundInLog(world), []);
});
