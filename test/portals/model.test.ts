import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { compactVerify } from 'jose';
import t from 'tap';
import type { Claims } from '../../src/core/environment.ts';
import { type Algorithm, HMAC_ALGORITHMS, PUBLIC_KEY_ALGORITHMS } from '../../src/keys/keys.ts';
import { makeSigningKey } from '../../src/keys/signer.ts';
import { checkSettings } from '../../src/portals/check-settings.ts';
import { privilegedClaims } from '../../src/portals/claim-plan.ts';
import { decodeSecret, portalKeyFault } from '../../src/portals/portal-key.ts';
import { readQuery } from '../../src/portals/query.ts';
import { openTokenSigner } from '../../src/portals/token-signer.ts';
import { type Change, changed, open, person, presetOf, SETTINGS, set } from './invented.ts';
import { refusal } from './refusal.ts';

const NOW = 1_780_000_000;
const MINTED = { now: NOW, id: 'i' };
const SECRET = Buffer.from('s'.repeat(64));

const keys = (family: string, rule: object): Change => set('token.keys', { [family]: rule });
const algs = (...list: string[]): Change => set('token.algs', list);
const secretKey = (more: object = {}): Change => keys('HS', { encoding: 'utf8', publish: 'shared', ...more });

t.test('tokens of every algorithm are signed with the key that the preset describes', async (t) => {
  for (const alg of HMAC_ALGORITHMS) {
    const preset = presetOf(changed(algs(alg), secretKey()));
    const token = await (await openTokenSigner(preset, SETTINGS, alg, { secret: SECRET })).sign('{"a":1}');
    t.ok(await compactVerify(token, SECRET, { algorithms: [alg] }), alg);
  }
  for (const alg of PUBLIC_KEY_ALGORITHMS) {
    const family = alg === 'EdDSA' ? alg : alg.slice(0, 2);
    const preset = presetOf(changed(algs(alg), keys(family, { encoding: 'pem', publish: 'pem' })));
    const privateKeyPem = makeSigningKey(alg);
    const signer = await openTokenSigner(preset, SETTINGS, alg, { privateKeyPem });
    t.ok(await compactVerify(await signer.sign('{}'), createPublicKey(privateKeyPem), { algorithms: [alg] }), alg);
  }
});

t.test('a private key may be a JWK, and what the router made for itself is PEM', async (t) => {
  const preset = presetOf(changed(algs('EdDSA'), keys('EdDSA', { encoding: 'jwk', publish: 'jwks' })));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const jwk = JSON.stringify(privateKey.export({ format: 'jwk' }));
  for (const privateKeyPem of [jwk, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string]) {
    const signer = await openTokenSigner(preset, SETTINGS, 'EdDSA', { privateKeyPem });
    t.ok(await compactVerify(await signer.sign('{}'), publicKey, { algorithms: ['EdDSA'] }));
    t.equal(portalKeyFault(preset, 'EdDSA', Buffer.from(privateKeyPem)), undefined);
  }
  t.match(portalKeyFault(preset, 'EdDSA', Buffer.from('{}')), /not jwk/);
});

t.test('a secret in base64 signs with what it decodes to', async (t) => {
  const preset = presetOf(changed(secretKey({ encoding: 'base64' })));
  const bytes = Buffer.alloc(40, 0xfb);
  for (const text of [bytes.toString('base64'), bytes.toString('base64url')]) {
    t.same(decodeSecret(preset, Buffer.from(text)), bytes);
    const signer = await openTokenSigner(preset, SETTINGS, 'HS256', { secret: Buffer.from(text) });
    t.ok(await compactVerify(await signer.sign('{}'), bytes));
  }
  for (const text of ['', '=', 'a', 'ab c', 'YQ==\n', 'YR==', '!!!!']) {
    t.match(portalKeyFault(preset, 'HS256', Buffer.from(text)), /not base64/, JSON.stringify(text));
    t.throws(() => decodeSecret(preset, Buffer.from(text)));
  }
});

t.test('a key that the portal would not take is told apart', (t) => {
  const rows: readonly (readonly [Change[], Algorithm, string, RegExp | undefined])[] = [
    [[], 'HS256', 's'.repeat(32), undefined],
    [[], 'HS256', 's'.repeat(31), /31 bytes; HS256 needs at least 32/],
    [[secretKey({ min_bytes: 64 })], 'HS256', 's'.repeat(63), /63 bytes; Invented wants at least 64/],
    [[secretKey({ encoding: 'base64' })], 'HS256', 'YWJj'.repeat(10), /30 bytes/],
    [[], 'HS256', '-----BEGIN PUBLIC KEY-----', /PEM/],
  ];
  for (const [changes, algorithm, text, fault] of rows) {
    t.match(portalKeyFault(presetOf(changed(...changes)), algorithm, Buffer.from(text)) ?? '', fault ?? /^$/, text);
  }
  const issued = presetOf(
    changed(algs('EdDSA'), keys('EdDSA', { encoding: 'pem', publish: 'pem', generated_by: 'portal' })),
  );
  const places = (hasPrivateKey?: boolean) =>
    checkSettings(issued, {
      ...SETTINGS,
      algorithm: 'EdDSA',
      ...(hasPrivateKey !== undefined && { hasPrivateKey }),
    }).map(({ path }) => path.join('.'));
  t.same(places(false), ['signing.private_key'], 'the router cannot make a key that the portal hands out');
  t.same(places(true), []);
  t.same(places(), []);
  t.end();
});

const madeBy =
  (...changes: Change[]) =>
  (claims: Claims, ...granted: string[]) => {
    const portal = open(changed(...changes));
    const request = portal.readRequest(readQuery('subdomain=acme&key=k'));
    return JSON.parse(portal.makeClaims(person({ name: 'A', ...claims }, ...granted), request, MINTED)) as Claims;
  };

t.test('a claim that gives rights is sent only where the environment was granted it', (t) => {
  const role = { from: 'user.role', enum: ['viewer', 'editor', 'admin'], default: 'viewer' };
  const whole = madeBy(set('token.claims.role', { ...role, privileged: true }));
  const some = madeBy(set('token.claims.role', { ...role, privileged: ['admin'] }));
  const rows: readonly (readonly [typeof whole, string, string[], string])[] = [
    [whole, 'editor', [], 'viewer'],
    [whole, 'editor', ['role'], 'editor'],
    [whole, 'admin', ['other'], 'viewer'],
    [some, 'editor', [], 'editor'],
    [some, 'admin', [], 'viewer'],
    [some, 'admin', ['role'], 'admin'],
  ];
  for (const [make, asserted, granted, sent] of rows) {
    t.equal(make({ role: asserted }, ...granted).role, sent, `${asserted} ${granted}`);
  }
  t.equal(
    refusal(() => some({ role: 'owner' })),
    'jwt_claim_malformed',
    'the list holds for everybody',
  );
  const bare = madeBy(set('token.claims.admin', { from: 'user.admin', type: 'boolean', privileged: true }));
  t.notOk('admin' in bare({ admin: true }), 'without a default nothing is said');
  t.equal(bare({ admin: true }, 'admin').admin, true);
  const { token } = presetOf(changed(set('token.claims.role', { ...role, privileged: ['admin'] })));
  t.same([...privilegedClaims(token)], ['role']);
  t.end();
});

t.test('an object is made of its claims, and left out when nothing is in it', (t) => {
  const member = { from: 'user.company' };
  const make = madeBy(set('token.claims.company', { claims: { name: member, plan: { const: 'pro' } } }));
  t.same(make({ company: 'Acme' }).company, { name: 'Acme', plan: 'pro' });
  const loose = madeBy(set('token.claims.company', { claims: { name: member } }));
  t.notOk('company' in loose({}));
  const strict = madeBy(set('token.claims.company', { required: true, claims: { name: member } }));
  t.same(strict({}).company, {});
  t.match(
    refusal(() => madeBy(set('token.claims.company', { claims: { name: { ...member, required: true } } }))({})),
    'jwt_missing_required_claim',
  );
  t.end();
});

t.test('session.exp says how long the portal keeps the person signed in', (t) => {
  const make = madeBy(set('token.session', 3_600), set('token.claims.until', { from: 'session.exp', unit: 'ms' }));
  t.equal(make({}).until, (NOW + 3_600) * 1_000);
  t.end();
});

t.test('a posted form holds the token, and its address what is echoed', (t) => {
  const portal = open(changed(set('authn_response.mode', 'form_post')));
  const request = portal.readRequest(readQuery('subdomain=acme&key=k&state=a%26jwt%3Db'));
  t.same(portal.deliver(request, 'T'), {
    mode: 'form_post',
    action: 'https://acme.portal.test/sso?key=k&state=a%26jwt%3Db',
    fields: { jwt: 'T' },
  });
  t.end();
});

t.test('a bare fragment stands behind what is echoed', (t) => {
  const portal = open(changed(set('authn_response.mode', 'fragment'), set('authn_response.token_param', null)));
  const request = portal.readRequest(readQuery('subdomain=acme&key=k&state=/x%23y'));
  t.match(portal.deliver(request, 'T'), { url: 'https://acme.portal.test/sso?key=k&state=%2Fx%23y#T' });
  t.end();
});

t.test('the address for errors travels beside the token, and is offered to a person who was refused', (t) => {
  const allow = ['https://{config.subdomain}.portal.test/failed'];
  const portal = open(
    changed(
      set('authn_request.params.err', { role: 'error_uri', url: { kind: 'absolute', allow } }),
      set('error', { param: 'error_url', value: 'request.err' }),
    ),
  );
  const url = 'https://acme.portal.test/failed?x=1';
  const request = portal.readRequest(readQuery(`subdomain=acme&key=k&err=${encodeURIComponent(url)}`));
  t.equal(portal.errorUrl?.(request), url);
  t.match(portal.deliver(request, 'T'), {
    url: `https://acme.portal.test/sso?key=k&error_url=${encodeURIComponent(url)}&jwt=T`,
  });
  const without = portal.readRequest(readQuery('subdomain=acme&key=k'));
  t.equal(portal.errorUrl?.(without), undefined);
  t.match(portal.deliver(without, 'T'), { url: 'https://acme.portal.test/sso?key=k&jwt=T' });
  t.equal(
    refusal(() => portal.readRequest(readQuery('subdomain=acme&key=k&err=https://evil.test/'))),
    'redirect_uri_not_listed',
  );
  const moved = open(
    changed(
      set('config.oops', {
        label: 'Error page',
        kind: 'url',
        default: 'https://acme.test/oops',
        example: 'https://a.test/',
      }),
      set('error', { param: 'error_url', value: 'config.oops' }),
    ),
  );
  t.equal(moved.errorUrl?.(without), 'https://acme.test/oops');
  t.equal(open(changed()).errorUrl, undefined, 'an ability that is not there is absent');
  t.end();
});

t.test('sign-out: the portal’s own end, and what it says went wrong', (t) => {
  const logout = {
    request_params: ['return_to', 'kind', 'message'],
    error_params: ['kind', 'message'],
    end_session_endpoint: 'https://{config.subdomain}.portal.test/logout',
    post_logout_redirect_param: 'return_to',
  };
  const portal = open(changed(set('logout', logout)));
  t.equal(portal.signOutUrl?.(), 'https://acme.portal.test/logout');
  t.equal(
    portal.signOutUrl?.('https://app.test/?a=1&b'),
    'https://acme.portal.test/logout?return_to=https%3A%2F%2Fapp.test%2F%3Fa%3D1%26b',
  );
  t.equal(portal.readLogoutNotice?.(readQuery('return_to=/x')), undefined);
  t.equal(portal.readLogoutNotice?.(readQuery('kind=error&message=No+%3Cb%3Eseat')), 'error: No <b>seat');
  t.equal(portal.readLogoutNotice?.(readQuery(`message=${'x'.repeat(5_000)}`))?.length, 300);
  const silent = open(changed());
  t.equal(silent.signOutUrl, undefined);
  t.equal(silent.readLogoutNotice, undefined);
  t.end();
});

t.test('a setting that is a whole address joins a path with one slash', (t) => {
  for (const site of ['https://portal.acme.test', 'https://portal.acme.test/', 'https://portal.acme.test/kb/']) {
    const preset = changed(
      set('config.site', { label: 'Site', kind: 'url', required: true, example: 'https://portal.test' }),
      set('authn_response.target.url', '{config.site}/auth/sso'),
    );
    const portal = open(preset, { settings: { subdomain: 'acme', site } });
    const request = portal.readRequest(readQuery('subdomain=acme&key=k'));
    t.match(portal.deliver(request, 'T'), { url: `${site.replace(/\/$/, '')}/auth/sso?jwt=T` });
  }
  t.end();
});

t.test('a link in an app may name a page of the portal, and nothing else', (t) => {
  const portal = open(
    changed(
      set('authn_request.params', { to: { role: 'return_to', required: true, url: { kind: 'relative' } }, state: {} }),
      set('token.claims', { jti: { from: 'random.uuid' }, email: { from: 'user.email' } }),
      set('token.replay', 'jti'),
      set('authn_response.target.url', 'https://acme.portal.test/sso'),
      set('authn_response.params', { to: 'request.to', state: 'request.state' }),
      set('unsolicited', {}),
    ),
  );
  const entry = portal.readEntry(readQuery('to=/kb&state=x'));
  t.same(entry.params, { to: '/kb' });
  t.match(portal.deliver(entry, 'T'), { url: 'https://acme.portal.test/sso?to=%2Fkb&jwt=T' });
  t.same(portal.readEntry(readQuery('')).params, {});
  t.equal(
    refusal(() => portal.readEntry(readQuery('to=//evil.test'))),
    'request_malformed',
  );
  t.end();
});

t.test('the operator cannot give the token a name that something else travels under', (t) => {
  const preset = presetOf(changed());
  const places = (param: string) =>
    checkSettings(preset, { ...SETTINGS, delivery: { param } }).map(({ path }) => path.join('.'));
  t.same(places('state'), ['delivery.param']);
  t.same(places('ticket'), []);
  t.match(checkSettings(preset, { ...SETTINGS, delivery: { unsolicitedParam: 'ticket' } }), [
    { path: ['delivery', 'unsolicited_param'], message: /takes no login from a link/ },
  ]);
  t.end();
});
