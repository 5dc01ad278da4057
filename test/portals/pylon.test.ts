import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { CompactSign } from 'jose';
import t from 'tap';
import type { Claims, Identity } from '../../src/core/environment.ts';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { checkSettings } from '../../src/portals/check-settings.ts';
import { builtInPreset } from '../../src/portals/load.ts';
import { openPortal } from '../../src/portals/open-portal.ts';
import type { PortalSettings } from '../../src/portals/portal.ts';
import { readQuery } from '../../src/portals/query.ts';
import { refusal, refusalDetail } from './refusal.ts';

// It comes without types.
const jsonwebtoken = createRequire(import.meta.url)('jsonwebtoken') as {
  verify(token: string, key: Buffer | KeyObject, options: Record<string, unknown>): unknown;
};

const loaded = builtInPreset('pylon');
if (!loaded) throw new Error('the preset is missing');
const preset = loaded;

const NOW = 1_780_000_000;
const FIXED = 'https://graph.usepylon.com/callback/jwt?orgSlug=acme';
const SETTINGS: PortalSettings = {
  portal: { name: 'support' as PortalName, title: 'Support', environments: new Set() },
  publicOrigin: 'https://login.acme.test:8443',
  settings: { org_slug: 'acme' },
  allowRedirects: [],
  tokenLifetime: 60,
};
const open = (settings: Partial<PortalSettings> = {}) => openPortal(preset, { ...SETTINGS, ...settings });
const portal = open();
const person = (claims: Claims = {}): Identity => ({
  environment: 'us' as EnvironmentName,
  email: 'ada@acme.test',
  claims,
});
const login = (redirectUri?: string) =>
  portal.readRequest(readQuery(redirectUri === undefined ? '' : `redirect_uri=${encodeURIComponent(redirectUri)}`));
const claimsOf = (claims: Claims) => portal.makeClaims(person(claims), login(), { now: NOW, id: 'id-1' });

t.test('the portal’s own flow: the token is appended to the unchanged redirect_uri', (t) => {
  for (const uri of [FIXED, `${FIXED}&to=%2Fkb%20a+b~'`, 'https://graph.usepylon.com:443/callback/jwt?orgSlug=acme']) {
    const request = login(uri);
    t.same(request, { portal: 'support', initiated: 'portal', params: { redirect_uri: uri } });
    t.equal(portal.returnUrl(request), uri);
    t.same(portal.deliver(request, 'a.b.c'), { mode: 'redirect', url: `${uri}&access_token=a.b.c` });
  }
  t.end();
});

t.test('without redirect_uri both flows end at the workspace’s own address', (t) => {
  t.same(portal.deliver(login(), 'a.b.c'), { mode: 'redirect', url: `${FIXED}&access_token=a.b.c` });
  const entry = portal.readEntry(readQuery('utm_source=app'));
  t.same(entry, { portal: 'support', initiated: 'platform', params: {} });
  t.equal(portal.returnUrl(entry), undefined);
  t.same(portal.deliver(entry, 'a.b.c'), { mode: 'redirect', url: `${FIXED}&access_token=a.b.c` });
  t.end();
});

t.test('a platform-initiated login keeps a deep link', (t) => {
  const uri = `${FIXED}&to=%2Fkb`;
  const entry = portal.readEntry(readQuery(`redirect_uri=${encodeURIComponent(uri)}`));
  t.equal(entry.initiated, 'platform');
  t.same(portal.deliver(entry, 'a.b.c'), { mode: 'redirect', url: `${uri}&access_token=a.b.c` });
  t.end();
});

t.test('delivery is a setting: a posted form with the field jwt, or another name', (t) => {
  const rows: readonly (readonly [PortalSettings['delivery'], unknown])[] = [
    [{ mode: 'form_post' }, { mode: 'form_post', action: FIXED, fields: { jwt: 'a.b.c' } }],
    [
      { mode: 'form_post', param: 'token' },
      { mode: 'form_post', action: FIXED, fields: { token: 'a.b.c' } },
    ],
    [{ param: 'jwt' }, { mode: 'redirect', url: `${FIXED}&jwt=a.b.c` }],
    [
      { mode: 'query', param: 'token' },
      { mode: 'redirect', url: `${FIXED}&token=a.b.c` },
    ],
  ];
  for (const [delivery, expected] of rows) {
    const opened = open(delivery ? { delivery } : {});
    for (const query of ['', `redirect_uri=${encodeURIComponent(FIXED)}`]) {
      t.same(opened.deliver(opened.readRequest(readQuery(query)), 'a.b.c'), expected, JSON.stringify(delivery));
    }
    t.same(opened.deliver(opened.readEntry(new Map()), 'a.b.c'), expected, 'platform-initiated');
  }
  t.end();
});

t.test('a link in the app may bring the token under another name than the portal’s own logins', (t) => {
  const deliver = (delivery: NonNullable<PortalSettings['delivery']>) => {
    const opened = open({ delivery });
    const back = readQuery(`redirect_uri=${encodeURIComponent(FIXED)}`);
    return [opened.readRequest(back), opened.readEntry(new Map()), opened.readEntry(back)].map((request) => {
      const delivered = opened.deliver(request, 'a.b.c');
      return delivered.mode === 'redirect' ? delivered.url.slice(FIXED.length) : Object.keys(delivered.fields).join();
    });
  };
  t.same(deliver({ unsolicitedParam: 'jwt' }), ['&access_token=a.b.c', '&jwt=a.b.c', '&access_token=a.b.c']);
  t.same(deliver({ param: 'x', unsolicitedParam: 'jwt' }), ['&x=a.b.c', '&jwt=a.b.c', '&x=a.b.c']);
  t.same(deliver({ mode: 'form_post', unsolicitedParam: 'y' }), ['jwt', 'y', 'jwt']);
  t.match(checkSettings(preset, { ...SETTINGS, delivery: { unsolicitedParam: 'a-b' } }), [
    { path: ['delivery', 'unsolicited_param'] },
  ]);
  const reserving = open({ delivery: { unsolicitedParam: 'Ticket' } });
  t.equal(
    refusal(() => reserving.readRequest(readQuery(`redirect_uri=${encodeURIComponent(`${FIXED}&ticket=evil`)}`))),
    'redirect_uri_reserved_parameter',
  );
  t.end();
});

t.test('case 3: the name that the operator chose for the token is reserved too', (t) => {
  const opened = open({ delivery: { param: 'Ticket' } });
  const query = readQuery(`redirect_uri=${encodeURIComponent(`${FIXED}&ticket=evil`)}`);
  t.equal(
    refusal(() => opened.readRequest(query)),
    'redirect_uri_reserved_parameter',
  );
  t.end();
});

t.test('a return address is judged again when the token leaves', (t) => {
  const before = open({ allowRedirects: ['https://kb.acme.test/sso'] });
  const request = before.readRequest(readQuery('redirect_uri=https://kb.acme.test/sso?orgSlug=acme'));
  t.match(before.deliver(request, 'a.b.c'), { url: 'https://kb.acme.test/sso?orgSlug=acme&access_token=a.b.c' });
  t.equal(
    refusal(() => portal.deliver(request, 'a.b.c')),
    'redirect_uri_not_listed',
    'the routes have changed',
  );
  t.end();
});

t.test('a token that makes the URL longer than 8,192 characters is refused, and still fits a form', (t) => {
  const room = 8_192 - `${FIXED}&access_token=`.length;
  t.match(portal.deliver(login(FIXED), 'x'.repeat(room)), { mode: 'redirect' });
  t.equal(
    refusal(() => portal.deliver(login(FIXED), 'x'.repeat(room + 1))),
    'token_too_large',
  );
  const posting = open({ delivery: { mode: 'form_post' } });
  t.match(posting.deliver(posting.readEntry(new Map()), 'x'.repeat(room + 1)), { mode: 'form_post' });
  t.end();
});

t.test('case 40: the claims are the listed ones, in one order, with at most one account', (t) => {
  const common = `"iss":"https://login.acme.test:8443/","aud":"https://portal.usepylon.com","iat":${NOW},"exp":${NOW + 60},"jti":"id-1","email":"ada@acme.test"`;
  const rows: readonly (readonly [Claims, string])[] = [
    [{}, ''],
    [{ account_id: 'acc' }, ',"account_id":"acc"'],
    [{ account_external_id: 'ext' }, ',"account_external_id":"ext"'],
    [{ account_id: 'acc', account_external_id: 'ext' }, ',"account_external_id":"ext"'],
    [{ account_id: 'acc', account_external_id: '' }, ',"account_id":"acc"'],
    [{ name: 'Ada', role: 'admin', sub: '1', nbf: 1, iss: 'x', aud: 'x', exp: 9e9, email: 'eve@evil.test' }, ''],
    [JSON.parse('{"__proto__":{"account_id":"evil"},"constructor":1}') as Claims, ''],
  ];
  for (const [claims, more] of rows) t.equal(claimsOf(claims), `{${common}${more}}`);
  t.same([...portal.carries], ['account_external_id', 'account_id']);
  t.end();
});

t.test('a claim of another type, or of broken Unicode, is refused by its name', (t) => {
  const wrong: readonly Claims[string][] = [42, true, ['a'], { a: 'b' }, 'lone \ud800'];
  for (const value of wrong) {
    for (const name of ['account_id', 'account_external_id']) {
      const make = () => claimsOf({ [name]: value });
      t.equal(refusal(make), 'jwt_claim_malformed', JSON.stringify(value));
      t.equal(refusalDetail(make), name);
    }
  }
  t.end();
});

t.test('tokens of all six algorithms pass a check as strict as the documents', async (t) => {
  const secret = new TextEncoder().encode('s'.repeat(64));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  t.same(preset.token.algs, ['HS256', 'HS384', 'HS512', 'PS256', 'PS384', 'PS512']);
  for (const alg of preset.token.algs) {
    const hmac = alg.startsWith('HS');
    const key: Uint8Array | KeyObject = hmac ? secret : rsa.privateKey;
    const payload = new TextEncoder().encode(claimsOf({ account_external_id: 'ext' }));
    const token = await new CompactSign(payload).setProtectedHeader({ alg, typ: 'JWT' }).sign(key);
    const delivery = portal.deliver(login(FIXED), token);
    const sent = delivery.mode === 'redirect' ? new URL(delivery.url).searchParams.get('access_token') : null;
    const read = jsonwebtoken.verify(sent ?? '', hmac ? Buffer.from(secret) : rsa.publicKey, {
      algorithms: [alg],
      issuer: 'https://login.acme.test:8443/',
      audience: 'https://portal.usepylon.com',
      clockTimestamp: NOW + 59,
      maxAge: '60s',
    });
    t.match(read, { email: 'ada@acme.test', iat: NOW, exp: NOW + 60, account_external_id: 'ext' }, alg);
  }
});

t.test('settings are checked against the preset, every fault at once and by its place', (t) => {
  const rows: readonly (readonly [Parameters<typeof checkSettings>[1], readonly string[]])[] = [
    [SETTINGS, []],
    [{ ...SETTINGS, tokenLifetime: 300, algorithm: 'PS512' }, []],
    [{ ...SETTINGS, settings: { org_slug: 'acme', callback: 'http://127.0.0.1:4100/callback/jwt' } }, []],
    [{ ...SETTINGS, settings: {} }, ['settings.org_slug']],
    [{ ...SETTINGS, settings: { org_slug: 'a/b', orgslug: 'x' } }, ['settings.orgslug', 'settings.org_slug']],
    [{ ...SETTINGS, settings: { org_slug: 'acme\n' } }, ['settings.org_slug']],
    [
      { ...SETTINGS, settings: { org_slug: 'acme', callback: 'http://graph.usepylon.com/callback/jwt' } },
      ['settings.callback'],
    ],
    [{ ...SETTINGS, settings: { org_slug: 'acme', callback: 'https://x.test/?a=1' } }, ['settings.callback']],
    [{ ...SETTINGS, settings: { org_slug: 'acme', login_origin: 'https://evil.test' } }, ['settings.login_origin']],
    [{ ...SETTINGS, allowRedirects: ['https://kb.test/a', 'https://*.kb.test/'] }, ['allow_redirects.1']],
    [{ ...SETTINGS, tokenLifetime: 301, algorithm: 'RS256' }, ['token_lifetime', 'signing.algorithm']],
    [{ ...SETTINGS, tokenLifetime: 0 }, ['token_lifetime']],
    [{ ...SETTINGS, delivery: { param: 'a&b' } }, ['delivery.param']],
  ];
  for (const [settings, places] of rows) {
    const problems = checkSettings(preset, settings);
    t.same(
      problems.map(({ path }) => path.join('.')),
      places,
      problems.map(({ message }) => message).join('; '),
    );
  }
  t.throws(() => open({ settings: {} }), { message: /settings\.org_slug/ }, 'what was not checked is not opened');
  t.end();
});

t.test('a callback on loopback takes the place of the portal’s own', (t) => {
  const demo = open({ settings: { org_slug: 'acme', callback: 'http://127.0.0.1:4100/callback/jwt' } });
  const local = 'http://127.0.0.1:4100/callback/jwt?orgSlug=acme';
  t.match(demo.deliver(demo.readEntry(new Map()), 'a.b.c'), { url: `${local}&access_token=a.b.c` });
  t.equal(demo.readRequest(readQuery(`redirect_uri=${local}`)).params.redirect_uri, local);
  t.equal(
    refusal(() => demo.readRequest(readQuery(`redirect_uri=${FIXED}`))),
    'redirect_uri_not_listed',
  );
  t.end();
});
