import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT, UnsecuredJWT } from 'jose';
import t from 'tap';
import { discourseSigner } from '../../src/portals/discourse-connect.ts';
import { readQuery } from '../../src/portals/query.ts';
import { openTokenSigner } from '../../src/portals/token-signer.ts';
import { type Change, changed, open, person, presetOf, SETTINGS, set, type Tree } from './invented.ts';
import { refusal, refusalDetail } from './refusal.ts';

const NOW = 1_780_000_000;
const SECRET = Buffer.from('s'.repeat(40));
const OTHER = Buffer.from('t'.repeat(40));
const RETURN = 'https://acme.portal.test/sso';

const params = (returnName: string, more: Tree): Tree => ({
  [returnName]: {
    role: 'redirect_uri',
    required: true,
    url: { kind: 'absolute', allow: ['https://{config.subdomain}.portal.test/sso'] },
  },
  ...more,
});

/** A portal that signs its request as a JWT and reads the answer in the fragment; a guest is an empty user. */
const jwtPortal = (...more: Change[]) =>
  changed(
    set('authn_request', {
      encoding: 'signed_jwt',
      jwt_param: 'jwt',
      algs: ['HS256'],
      kid: '{config.subdomain}',
      max_lifetime: 600,
      params: params('rurl', { st: { role: 'state', required: true, json: true } }),
    }),
    set('token.header', { kid: '{config.subdomain}' }),
    set('token.claims', {
      v: { const: 'wayhome:3' },
      iat: { from: 'time.iat', required: true },
      exp: { from: 'time.exp', required: true },
      st: { from: 'request.st', required: true },
      u: {
        required: true,
        claims: {
          id: { from: 'user.id', required: true },
          email: { from: 'user.email', required: true },
          roles: { from: 'user.roles', type: 'array', privileged: true },
        },
      },
    }),
    set('token.replay', 'none'),
    set('guest', 'signed_empty_user'),
    set('authn_response', { mode: 'fragment', token_param: 'jwt', target: { from_param: 'rurl', url: RETURN } }),
    ...more,
  );

const state = { n: 'nonce', t: '/target' };
const claims = { rurl: `${RETURN}?a=1`, st: state, iat: NOW, exp: NOW + 600 };
const signed = (payload: Tree = claims, header: Tree = {}, key = SECRET) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'acme', ...header }).sign(key);
const arrive = (jwt: string, more = '') => {
  const search = `jwt=${jwt}${more}`;
  return open(jwtPortal(), { secret: SECRET }).readRequest(readQuery(search), { search, now: NOW });
};

t.test('a signed request becomes parameters, and what was signed is kept to ask again', async (t) => {
  const jwt = await signed();
  const request = arrive(jwt, '&rurl=https://evil.test/&st=other');
  t.same(request.params, { jwt, rurl: `${RETURN}?a=1`, st: JSON.stringify(state) });
  const again = new URLSearchParams(request.params).toString();
  t.same(open(jwtPortal(), { secret: SECRET }).readRequest(readQuery(again), { search: again, now: NOW }), request);
});

t.test('a request that the portal did not sign as it should is refused for its reason', async (t) => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['another key', await signed(claims, {}, OTHER), 'jwt_invalid_signature'],
    [
      'another algorithm',
      await signed(claims, { alg: 'HS512' }, Buffer.concat([SECRET, SECRET])),
      'jwt_algorithm_not_allowed',
    ],
    ['no signature', new UnsecuredJWT(claims).encode(), 'jwt_malformed'],
    ['alg none', `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.AA`, 'jwt_algorithm_not_allowed'],
    ['another client', await signed(claims, { kid: 'evil' }), 'request_parameter_mismatch'],
    ['no client', await signed(claims, { kid: undefined }), 'request_parameter_mismatch'],
    ['a key address', await signed(claims, { jku: 'https://evil.test' }), 'jwt_header_not_allowed'],
    ['expired', await signed({ ...claims, iat: NOW - 700, exp: NOW - 61 }), 'jwt_expired'],
    ['from the future', await signed({ ...claims, iat: NOW + 61, exp: NOW + 600 }), 'jwt_iat_in_future'],
    ['valid too long', await signed({ ...claims, exp: NOW + 601 }), 'jwt_lifetime_too_long'],
    ['without iat', await signed({ ...claims, iat: undefined }), 'jwt_missing_required_claim'],
    ['without exp', await signed({ ...claims, exp: undefined }), 'jwt_missing_required_claim'],
    ['exp in fractions', await signed({ ...claims, exp: NOW + 0.5 }), 'jwt_claim_malformed'],
    ['a foreign return address', await signed({ ...claims, rurl: 'https://evil.test/sso' }), 'redirect_uri_not_listed'],
    ['a reserved parameter', await signed({ ...claims, rurl: `${RETURN}?jwt=x` }), 'redirect_uri_reserved_parameter'],
    ['a list of addresses', await signed({ ...claims, rurl: [RETURN] }), 'jwt_claim_malformed'],
    ['no return address', await signed({ ...claims, rurl: undefined }), 'request_parameter_missing'],
    ['no state', await signed({ ...claims, st: undefined }), 'request_parameter_missing'],
    ['an oversized state', await signed({ ...claims, st: 'x'.repeat(3_000) }), 'request_malformed'],
    ['an oversized token', 'x'.repeat(17_000), 'jwt_malformed'],
    ['nothing', '', 'request_parameter_missing'],
  ];
  for (const [what, jwt, reason] of rows) {
    t.equal(
      refusal(() => arrive(jwt)),
      reason,
      what,
    );
  }
  const jwt = await signed();
  t.equal(
    refusal(() => arrive(jwt, '&JWT=x')),
    'request_parameter_duplicated',
  );
  t.equal(
    refusal(() => open(jwtPortal(), { secret: SECRET }).readRequest(readQuery(`Jwt=${jwt}`), { search: '', now: NOW })),
    'request_malformed',
  );
  const skewed = await signed({ ...claims, iat: NOW + 60, exp: NOW + 60 });
  t.equal(arrive(skewed).params.rurl, `${RETURN}?a=1`, 'clocks may differ by a minute');
});

t.test('without the portal’s secret, or the time, a signed request is not judged', async (t) => {
  const jwt = await signed();
  const query = readQuery(`jwt=${jwt}`);
  for (const read of [
    () => open(jwtPortal()).readRequest(query, { search: '', now: NOW }),
    () => open(jwtPortal(), { secret: SECRET }).readRequest(query),
    () => open(discoursePortal()).readRequest(readQuery('sso=a&sig=b')),
  ]) {
    t.equal(refusal(read), 'sso_not_configured');
  }
});

t.test('no change of a signed request is accepted', async (t) => {
  const jwt = await signed();
  const portal = open(jwtPortal(), { secret: SECRET });
  fc.assert(
    fc.property(fc.nat(jwt.length - 1), fc.constantFrom(...'ABCXYZabcxyz0189-_.=%'), (at, letter) => {
      const changedJwt = jwt.slice(0, at) + letter + jwt.slice(at + 1);
      if (changedJwt === jwt) return;
      const query = new Map([['jwt', changedJwt]]);
      assert.notEqual(
        refusal(() => portal.readRequest(query, { search: '', now: NOW })),
        'accepted',
        changedJwt,
      );
    }),
    { numRuns: 1_000 },
  );
  t.end();
});

t.test('the answer: own header, state as it was, a nested user, guests as empty ones', async (t) => {
  const portal = open(jwtPortal(), { secret: SECRET });
  const request = arrive(await signed());
  const minted = { now: NOW, id: 'i' };
  const common = { v: 'wayhome:3', iat: NOW, exp: NOW + 60, st: state };
  const made = (roles: string[], ...granted: string[]) =>
    JSON.parse(portal.makeClaims(person({ id: 'u1', roles }, ...granted), request, minted)) as unknown;
  t.same(made(['admin']), { ...common, u: { id: 'u1', email: 'ada@acme.test' } }, 'not granted');
  t.same(made(['admin'], 'roles'), { ...common, u: { id: 'u1', email: 'ada@acme.test', roles: ['admin'] } });
  t.same(JSON.parse(portal.makeGuestClaims?.(request, minted) ?? ''), { ...common, u: {} });
  t.equal(
    refusalDetail(() => portal.makeClaims(person(), request, minted)),
    'u.id',
  );
  t.same([...portal.carries], ['id', 'roles']);

  const signer = await openTokenSigner(presetOf(jwtPortal()), SETTINGS, 'HS256', { secret: SECRET });
  const token = await signer.sign('{"v":1}');
  t.equal(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString(), '{"alg":"HS256","typ":"JWT","kid":"acme"}');
  const hmac = createHmac('sha256', SECRET)
    .update(token.slice(0, token.lastIndexOf('.')))
    .digest('base64url');
  t.equal(token.split('.')[2], hmac);
  t.same(portal.deliver(request, token), { mode: 'redirect', url: `${RETURN}?a=1#jwt=${token}` });
});

/** A portal that speaks DiscourseConnect, both ways. */
const discoursePortal = (...more: Change[]) =>
  changed(
    set('authn_request', {
      encoding: 'discourse_connect',
      params: params('return_sso_url', { nonce: { role: 'nonce', required: true } }),
    }),
    set('token.format', 'discourse_connect'),
    set('token.claims', {
      nonce: { from: 'request.nonce', required: true },
      email: { from: 'user.email', required: true },
      external_id: { from: 'user.id', required: true },
      name: { from: 'user.name' },
      admin: { from: 'user.admin', type: 'boolean', privileged: true, default: false },
      groups: { from: 'user.groups', type: 'array', join: ',' },
    }),
    set('token.replay', 'nonce'),
    set('authn_response', {
      mode: 'query',
      token_param: 'sso',
      signature_param: 'sig',
      form_post_param: 'sso',
      target: { from_param: 'return_sso_url', url: RETURN },
    }),
    ...more,
  );

const hex = (text: string, key = SECRET) => createHmac('sha256', key).update(text).digest('hex');
const sso = (text: string) => Buffer.from(text).toString('base64');
const asked = (text: string, sig = hex(sso(text))) => `sso=${encodeURIComponent(sso(text))}&sig=${sig}`;
const GOOD = `nonce=n-1&return_sso_url=${encodeURIComponent(RETURN)}`;
const discourse = open(discoursePortal(), { secret: SECRET });

t.test('DiscourseConnect: request and answer as its documents describe them', async (t) => {
  const request = discourse.readRequest(readQuery(asked(GOOD)));
  t.match(request.params, { nonce: 'n-1', return_sso_url: RETURN });
  const payload = discourse.makeClaims(
    person({ id: '7', name: 'Ada & Bob ü', admin: true, groups: ['x', 'y'] }),
    request,
    { now: NOW, id: 'i' },
  );
  t.same(Object.fromEntries(new URLSearchParams(payload)), {
    nonce: 'n-1',
    email: 'ada@acme.test',
    external_id: '7',
    name: 'Ada & Bob ü',
    admin: 'false',
    groups: 'x,y',
  });
  const signer = await openTokenSigner(presetOf(discoursePortal()), SETTINGS, 'HS256', { secret: SECRET });
  const delivery = discourse.deliver(request, await signer.sign(payload));
  const sent = new URL(delivery.mode === 'redirect' ? delivery.url : '').searchParams;
  t.equal(Buffer.from(sent.get('sso') ?? '', 'base64').toString(), payload);
  t.equal(sent.get('sig'), hex(sent.get('sso') ?? ''), 'over the base64 text, not over what it says');
  const posting = open(discoursePortal(), { secret: SECRET, delivery: { mode: 'form_post' } });
  const posted = posting.deliver(request, 'YQ==.00');
  t.same(posted, { mode: 'form_post', action: RETURN, fields: { sso: 'YQ==', sig: '00' } });
});

t.test('DiscourseConnect: nothing is believed before its signature', (t) => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['another key', asked(GOOD, hex(sso(GOOD), OTHER)), 'jwt_invalid_signature'],
    ['a signature over the decoded text', asked(GOOD, hex(GOOD)), 'jwt_invalid_signature'],
    ['upper case', asked(GOOD, hex(sso(GOOD)).toUpperCase()), 'jwt_invalid_signature'],
    ['half a signature', asked(GOOD, hex(sso(GOOD)).slice(0, 32)), 'jwt_invalid_signature'],
    ['no signature', `sso=${sso(GOOD)}`, 'request_parameter_missing'],
    ['nothing', '', 'request_parameter_missing'],
    ['twice', `${asked(GOOD)}&sso=x`, 'request_parameter_duplicated'],
    ['another spelling', asked(GOOD).replace('sso=', 'Sso='), 'request_malformed'],
    ['no base64', `sso=%21%21&sig=${hex('!!')}`, 'request_malformed'],
    ['bytes that are no text', `sso=%2Fw%3D%3D&sig=${hex('/w==')}`, 'request_malformed'],
    ['a nonce twice', asked(`${GOOD}&nonce=n-2`), 'request_parameter_duplicated'],
    ['no nonce', asked(`return_sso_url=${RETURN}`), 'request_parameter_missing'],
    ['a foreign address', asked('nonce=n&return_sso_url=https://evil.test/sso'), 'redirect_uri_not_listed'],
    ['an address with a token', asked(`nonce=n&return_sso_url=${RETURN}?sig%3Dx`), 'redirect_uri_reserved_parameter'],
  ];
  for (const [what, query, reason] of rows) {
    t.equal(
      refusal(() => discourse.readRequest(readQuery(query))),
      reason,
      what,
    );
  }
  t.end();
});

const visible = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '');

t.test('what is not signed is no request: neither a link in an app nor an environment’s own redirect', (t) => {
  const target = { from_param: 'rurl', url: RETURN };
  const portal = open(jwtPortal(set('token.claims.st', undefined), set('unsolicited', { target })), { secret: SECRET });
  t.same(portal.readEntry(readQuery(`rurl=${RETURN}`)).params, {});
  t.equal(portal.readDelivery(`${RETURN}?jwt=x`), undefined);
  t.end();
});

t.test('whatever the claims hold, a reader of the payload finds exactly them', (t) => {
  const request = discourse.readRequest(readQuery(asked(GOOD)));
  const signer = discourseSigner(SECRET);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), visible, (name, id) => {
      const payload = discourse.makeClaims(person({ id, name }), request, { now: NOW, id: 'i' });
      const delivery = discourse.deliver(request, signer.sign(payload) as string);
      const sent = new URL(delivery.mode === 'redirect' ? delivery.url : '').searchParams.get('sso') ?? '';
      const read = [...new URLSearchParams(Buffer.from(sent, 'base64').toString())];
      assert.deepEqual(read, [
        ['nonce', 'n-1'],
        ['email', 'ada@acme.test'],
        ['external_id', id],
        ['name', name],
        ['admin', 'false'],
      ]);
    }),
    // A tilde makes a plus sign in base64, which a query has to escape.
    { examples: ['~', '~~', '~~~'].map((id): [string, string] => ['Ada', id]) },
  );
  t.end();
});
