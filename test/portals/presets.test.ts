import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { checkPresetFile } from '../../src/config/preset-rules.ts';
import type { Claims } from '../../src/core/environment.ts';
import { builtInPreset, builtInPresetNames, parsePreset } from '../../src/portals/load.ts';
import { readQuery } from '../../src/portals/query.ts';
import { type Change, changed, invented, open, person, set } from './invented.ts';
import { refusal, refusalDetail } from './refusal.ts';

t.test('every built-in preset fits the model and names its sources', (t) => {
  t.ok(builtInPresetNames().includes('pylon'));
  for (const name of builtInPresetNames()) {
    const preset = builtInPreset(name);
    t.equal(preset?.id, name);
    t.ok(preset && preset.sources.length > 0);
  }
  for (const name of ['nothing', '../pylon', 'pylon.yaml', '__proto__', ''])
    t.equal(builtInPreset(name), undefined, name);
  t.end();
});

t.test('no code of the room names a portal', (t) => {
  const room = new URL('../../src/portals/', import.meta.url);
  for (const file of readdirSync(room).filter((name) => name.endsWith('.ts'))) {
    t.notMatch(readFileSync(new URL(file, room), 'utf8'), /pylon/i, file);
  }
  t.end();
});

t.test('another portal needs no other code: tenant, replay key, echoes, enum, list, unit', (t) => {
  const portal = open(invented());
  const request = portal.readRequest(readQuery('subdomain=acme&key=k%2F1&state=a%3D%3D%26b&site=static'));
  t.same(request.params, { subdomain: 'acme', key: 'k/1', state: 'a==&b' });
  t.same(portal.deliver(request, 'a.b.c'), {
    mode: 'redirect',
    url: 'https://acme.portal.test/sso?key=k%2F1&state=a%3D%3D%26b&jwt=a.b.c',
  });
  const made = portal.makeClaims(person({ name: 'Ada', tags: ['x', 'y'], age: 36 }), request, {
    now: 100,
    id: 'unused',
  });
  t.equal(
    made,
    '{"jti":"k/1","iat":100000,"email":"ada@acme.test","name":"Ada","role":"viewer","tags":"x,y","age":36,"site":"acme/k/1","v":3}',
  );
  t.same([...portal.carries], ['name', 'role', 'tags', 'age']);
  t.end();
});

t.test('a request that differs from the preset is refused with its reason', (t) => {
  const portal = open(invented());
  const rows: readonly (readonly [string, string])[] = [
    ['key=k', 'request_parameter_missing'],
    ['subdomain=acme', 'request_parameter_missing'],
    ['subdomain=acme&key=', 'request_parameter_missing'],
    ['subdomain=evil&key=k', 'request_parameter_mismatch'],
    ['subdomain=ACME&key=k', 'request_parameter_mismatch'],
    ['subdomain=acme&key=123456789', 'request_malformed'],
    ['subdomain=acme&key=k&State=x', 'request_malformed'],
  ];
  for (const [query, reason] of rows)
    t.equal(
      refusal(() => portal.readRequest(readQuery(query))),
      reason,
      query,
    );
  t.equal(
    refusal(() => portal.readEntry(new Map())),
    'request_parameter_missing',
    'unsolicited: false',
  );
  t.end();
});

t.test('a claim that the preset does not allow is refused by name', (t) => {
  const portal = open(invented());
  const request = portal.readRequest(readQuery('subdomain=acme&key=k'));
  const rows: readonly (readonly [Claims, string, string])[] = [
    [{}, 'jwt_missing_required_claim', 'name'],
    [{ name: '' }, 'jwt_missing_required_claim', 'name'],
    [{ name: 'A', role: 'admin' }, 'jwt_claim_malformed', 'role'],
    [{ name: 'A', tags: 'x' }, 'jwt_claim_malformed', 'tags'],
    [{ name: 'A', tags: ['x,admin'] }, 'jwt_claim_malformed', 'tags'],
    [{ name: 'A', tags: [1] }, 'jwt_claim_malformed', 'tags'],
    [{ name: 'A', age: '36' }, 'jwt_claim_malformed', 'age'],
  ];
  for (const [claims, reason, detail] of rows) {
    const make = () => portal.makeClaims(person(claims), request, { now: 100, id: 'i' });
    t.equal(refusal(make), reason, JSON.stringify(claims));
    t.equal(refusalDetail(make), detail);
  }
  t.end();
});

t.test('a token travels in a fragment or at the end of a path where the preset says so', (t) => {
  const rows: readonly (readonly [Change[], string])[] = [
    [[set('authn_response.mode', 'fragment')], 'https://acme.portal.test/sso?key=k#jwt=a.b.c'],
    [
      [set('authn_response.mode', 'fragment'), set('authn_response.token_param', null)],
      'https://acme.portal.test/sso?key=k#a.b.c',
    ],
    [
      [
        set('authn_response.mode', 'path'),
        set('authn_response.token_param', null),
        set('authn_response.params', undefined),
        set('authn_response.target.url', 'https://{config.subdomain}.portal.test/login/token/'),
      ],
      'https://acme.portal.test/login/token/a.b.c',
    ],
  ];
  for (const [changes, url] of rows) {
    const portal = open(changed(...changes));
    t.same(portal.deliver(portal.readRequest(readQuery('subdomain=acme&key=k')), 'a.b.c'), { mode: 'redirect', url });
  }
  t.end();
});

t.test('a token is appended to a return address with a query and to one without', (t) => {
  const portal = open(
    changed(
      set('authn_request.params.state', {
        role: 'redirect_uri',
        url: { kind: 'absolute', allow: ['https://x.test/cb'] },
      }),
      set('authn_response.target.from_param', 'state'),
      set('authn_response.params', undefined),
    ),
  );
  const rows: readonly (readonly [string, string])[] = [
    ['https://x.test/cb', 'https://x.test/cb?jwt=a.b.c'],
    ['https://x.test/cb?', 'https://x.test/cb?&jwt=a.b.c'],
    ['https://x.test/cb?a=1', 'https://x.test/cb?a=1&jwt=a.b.c'],
    ['https://x.test/cb?a=1&', 'https://x.test/cb?a=1&&jwt=a.b.c'],
  ];
  for (const [uri, url] of rows) {
    const request = portal.readRequest(readQuery(`subdomain=acme&key=k&state=${encodeURIComponent(uri)}`));
    t.same(portal.deliver(request, 'a.b.c'), { mode: 'redirect', url });
    t.equal(new URL(url).searchParams.get('jwt'), 'a.b.c');
  }
  t.end();
});

t.test('a setting cannot move the token to another host', (t) => {
  const loose = changed(set('config.subdomain.pattern', '.*'));
  for (const subdomain of ['evil.test/#', 'evil.test/', 'evil.test?', 'a@evil.test:1', 'evil.test\\', '']) {
    t.throws(() => open(loose, { settings: { subdomain } }), { message: /settings/ }, JSON.stringify(subdomain));
  }
  t.end();
});

const signedJwt = (more: object) => ({
  encoding: 'signed_jwt',
  jwt_param: 'jwt',
  algs: ['HS256'],
  max_lifetime: 600,
  params: { key: { role: 'replay_key', required: true }, state: {} },
  ...more,
});
const discourse = (more: object) => ({
  encoding: 'discourse_connect',
  params: { key: { role: 'replay_key', required: true }, state: {}, ...more },
});

t.test('a preset whose parts do not fit together is refused, each fault at its place', (t) => {
  const param = 'authn_request.params';
  const url = { kind: 'absolute', allow: ['https://x.test/'] };
  const rows: readonly (readonly [string, unknown, string])[] = [
    ['unknown_key', 1, 'unknown_key'],
    ['authn_request.encoding', 'carrier_pigeon', 'authn_request.encoding'],
    ['authn_request.encoding', 'signed_jwt', 'authn_request.jwt_param'],
    ['authn_request.encoding', 'signed_jwt', 'authn_request.max_lifetime'],
    ['authn_request', signedJwt({ jwt_param: 'find' }), 'authn_request.jwt_param'],
    ['authn_request', signedJwt({ jwt_param: 'key' }), 'authn_request.params.key'],
    ['authn_request', signedJwt({ kid: '{request.key}' }), 'authn_request.kid'],
    ['authn_request', signedJwt({ algs: ['RS256'] }), 'authn_request.algs.0'],
    ['authn_request', discourse({ sso: {} }), 'authn_request.params.sso'],
    ['token.format', 'discourse_connect', 'authn_response.signature_param'],
    ['authn_response.signature_param', 'sig', 'authn_response.signature_param'],
    ['authn_response.mode', 'code', 'authn_response.mode'],
    ['authn_response.token_param', 'state', 'authn_response.token_param'],
    ['guest', 'signed_empty_user', 'guest'],
    ['error', { param: 'error_url', value: 'request.state' }, 'error.value'],
    ['error', { param: 'error_url', value: 'config.subdomain' }, 'error.value'],
    ['logout', { post_logout_redirect_param: 'to' }, 'logout.post_logout_redirect_param'],
    ['logout', { end_session_endpoint: 'http://x.test/' }, 'logout.end_session_endpoint'],
    ['setup', ['Paste {login_url} and {secret}.'], 'setup.0'],
    ['setup', ['Paste {config.nothing}.'], 'setup.0'],
    ['token.claims.v.privileged', true, 'token.claims.v.privileged'],
    ['token.claims.age.privileged', [99], 'token.claims.age.privileged'],
    ['unsolicited', { target: { url: 'https://x.test/' } }, 'unsolicited'],
    ['token.claims.admin', { from: 'user.role', privileged: true }, 'token.claims.role'],
    ['token.claims.u', { claims: { x: {} } }, 'token.claims.u.claims.x'],
    ['token.claims.u', { claims: { email: { const: 'a@b.test' } } }, 'token.claims.u.claims.email'],
    ['token.claims.u', { claims: { deep: { claims: {} } } }, 'token.claims.u.claims.deep.claims'],
    ['token.claims.u', { const: 1, claims: {} }, 'token.claims.u'],
    ['token.header', { kid: '{request.key}' }, 'token.header.kid'],
    ['token.header', { jku: 'x' }, 'token.header.jku'],
    ['token.expects', { aud: 'x' }, 'token.expects.aud'],
    ['token.keys.HS', { encoding: 'pem', publish: 'shared' }, 'token.keys.HS.encoding'],
    ['token.keys.HS', { encoding: 'utf8', publish: 'jwks' }, 'token.keys.HS.publish'],
    ['token.keys.RS', { encoding: 'utf8', publish: 'pem' }, 'token.keys.RS.encoding'],
    ['token.claims.__proto', { const: 1 }, 'token.claims.__proto'],
    ['unsolicited', { target: { url: 1 } }, 'unsolicited.target.url'],
    ['config.subdomain.pattern', '(', 'config.subdomain.pattern'],
    ['config.subdomain.pattern', undefined, 'config.subdomain'],
    ['config.subdomain.default', 'x', 'config.subdomain.default'],
    ['config.login_origin', { label: 'x', pattern: 'x', example: 'x' }, 'config.login_origin'],
    [`${param}.choose`, {}, `${param}.choose`],
    [`${param}.ask`, {}, `${param}.ask`],
    [`${param}.email`, {}, `${param}.email`],
    [`${param}.find`, {}, `${param}.find`],
    [`${param}.again`, {}, `${param}.again`],
    [`${param}.state.role`, 'return_to', `${param}.state`],
    [`${param}.state.json`, true, `${param}.state.json`],
    [`${param}.state`, { role: 'redirect_uri', url: { kind: 'relative' } }, `${param}.state.url.kind`],
    [`${param}.state`, { role: 'return_to', url: { kind: 'absolute' } }, `${param}.state.url`],
    [
      `${param}.state`,
      { role: 'return_to', url: { kind: 'absolute', allow_prefix: ['https://x.test/a'] } },
      `${param}.state.url.allow_prefix.0`,
    ],
    [`${param}.state.role`, 'redirect_uri', `${param}.state`],
    [`${param}.state.url`, url, `${param}.state`],
    [
      `${param}.state`,
      { role: 'redirect_uri', url: { ...url, allow: ['http://x.test/'] } },
      `${param}.state.url.allow.0`,
    ],
    [
      `${param}.state`,
      { role: 'redirect_uri', url: { ...url, allow: ['https://{request.key}/'] } },
      `${param}.state.url.allow.0`,
    ],
    [
      `${param}.state`,
      { role: 'redirect_uri', url: { ...url, allow: ['{config.subdomain}/x'] } },
      `${param}.state.url.allow.0`,
    ],
    [
      `${param}.state`,
      { role: 'redirect_uri', url: { ...url, pins: { a: '{config.no}' } } },
      `${param}.state.url.pins.a`,
    ],
    [`${param}.state.role`, 'tenant', `${param}.state`],
    [`${param}.subdomain.equals`, '{config.nothing}', `${param}.subdomain.equals`],
    [`${param}.subdomain.equals`, '{config.subdomain', `${param}.subdomain.equals`],
    [`${param}.subdomain.equals`, '{request.key}', `${param}.subdomain.equals`],
    ['token.algs', ['HS256', 'PS256'], 'token.algs.1'],
    ['token.algs', ['none'], 'token.algs.0'],
    ['token.claims.x', {}, 'token.claims.x'],
    ['token.claims.x', { const: 1, from: 'time.iat' }, 'token.claims.x'],
    ['token.claims.x', { from: 'request.nothing' }, 'token.claims.x.from'],
    ['token.claims.x', { from: 'session.exp' }, 'token.claims.x.from'],
    ['token.claims.x', { from: 'user.a', unit: 'ms' }, 'token.claims.x.unit'],
    ['token.claims.x', { from: 'user.a', join: ',' }, 'token.claims.x.join'],
    ['token.claims.email', { from: 'user.mail' }, 'token.claims.email'],
    ['token.at_most_one', [['role', 'nothing']], 'token.at_most_one.0.1'],
    ['token.at_most_one', [['role', 'name']], 'token.at_most_one.0.1'],
    ['token.lifetime', { default: 300, max: 120 }, 'token.lifetime.default'],
    ['token.max_age', 30, 'token.lifetime.default'],
    ['token.replay', 'jti', 'token.replay'],
    ['token.replay', 'nonce', 'token.replay'],
    ['authn_response.token_param', null, 'authn_response.token_param'],
    ['authn_response.mode', 'path', 'authn_response.token_param'],
    ['authn_response.target.from_param', 'state', 'authn_response.target.from_param'],
    ['authn_response.target.append_path', 'state', 'authn_response.target.append_path'],
    ['authn_response.target.url', 'http://x.test/', 'authn_response.target.url'],
    ['authn_response.target.url', 'https://{request.key}.x.test/', 'authn_response.target.url'],
    ['authn_response.target.url', 'https://x.test/{request.key}?', 'authn_response.target.url'],
    ['authn_response.target.url', 'https://x.test/#', 'authn_response.target.url'],
    ['authn_response.params', { a: 'user.email' }, 'authn_response.params.a'],
    ['authn_response.params', { a: 'request.nothing' }, 'authn_response.params.a'],
    ['unsolicited', {}, 'unsolicited.target.url'],
    ['unsolicited', { target: { url: 'https://x.test/' } }, 'token.claims.jti'],
    ['unverified', ['/token/nothing'], 'unverified.0'],
  ];
  t.ok(parsePreset(invented()).ok);
  for (const [path, value, place] of rows) {
    const outcome = parsePreset(changed(set(path, value)));
    const places = outcome.ok ? [] : outcome.problems.map((problem) => problem.path.join('.'));
    t.ok(places.includes(place), `${path} = ${JSON.stringify(value)}: ${places.join(' ') || 'accepted'}`);
  }
  const both = parsePreset(changed(set('token.lifetime.default', 999), set('token.replay', 'jti')));
  t.equal(!both.ok && both.problems.length, 2, 'every fault at once');
  t.end();
});

t.test('a slip of the pen in a preset file is answered with its place and the nearest known word', (t) => {
  const own = readFileSync(new URL('../../src/portals/presets/pylon.yaml', import.meta.url), 'utf8');
  const signedJwt = 'encoding: signed_jwt\n  jwt_parm: jwt\n  algs: [HS256]\n  max_lifetime: 600';
  const rows: readonly (readonly [string, string, string, RegExp])[] = [
    ['encoding: query', 'encoding: signed_jtw', 'authn_request.encoding', /"signed_jwt"/],
    ['encoding: query', signedJwt, 'authn_request.jwt_parm', /"jwt_param"/],
    ['allow: [', 'alow_prefix: [', 'authn_request.params.redirect_uri.url.alow_prefix', /"allow_prefix"/],
    ['replay: none', 'replay: none\n  expect: {}', 'token.expect', /"expects"/],
    ['email: {', 'u: { claims: { id: { form: user.id } } }\n    email: {', 'token.claims.u.claims.id.form', /"from"/],
    ['title: Pylon', 'title: Pylon\nlogut: {}', 'logut', /"logout"/],
  ];
  t.same(checkPresetFile('own.yaml', own).problems, []);
  for (const [from, to, path, remedy] of rows) {
    const text = own.replace(from, to);
    const [problem] = checkPresetFile('own.yaml', text).problems;
    const written = path.split('.').at(-1) ?? '';
    t.equal(problem?.path, path);
    t.match(
      text.split('\n')[(problem?.line ?? 0) - 1]?.slice((problem?.column ?? 0) - 1),
      new RegExp(`^(${written}|signed_jtw)`),
    );
    t.match(problem?.remedy, remedy);
  }
  t.end();
});
