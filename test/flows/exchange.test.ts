/** Tokens that are traded at /api/auth/jwt: whose, for what, how often; HelpCenter.io's reasons; pylonsync's surface. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import t from 'tap';
import { freshTo, type HelpCenterSettings, judgeAtHelpCenter } from '../../examples/demo/help-center-token.ts';
import type { Reason } from '../../src/core/reason.ts';
import { counterparts, PYTHON, without } from '../support/counterparts.ts';
import { alive, denied } from '../support/denied.ts';
import { DOOR, notTraded, trade, traded } from '../support/exchange.ts';
import { leaksOf } from '../support/leaks.ts';
import {
  changedRoutes,
  comeBack,
  departure,
  environmentToken,
  ISSUER,
  LOGIN,
  ORIGIN,
  openWorld,
  portalToken,
  SECRETS,
  type TokenParts,
  temporaryFolder,
  type UsualEnvironment,
} from '../support/world.ts';

const folder = temporaryFolder(t);

const MORE = {
  // 64 characters of base64, as its settings page makes them; the text itself is the key.
  HELPCENTER_SECRET: 'Y2FuYXJ5LWhlbHBjZW50ZXItc2VjcmV0LTAxMjM0NTY3ODktMDEyMzQ1Njc4OQ==',
  TWIN_SECRET: 'canary-twin-handoff-secret-0123456789abcdef0123456789abcdef0123',
  OTHER_TWIN_SECRET: 'canary-other-twin-handoff-secret-0123456789abcdef0123456789abcd',
  CLOSED_SECRET: 'canary-closed-handoff-secret-0123456789abcdef0123456789abcdef01',
  PYLONSYNC_SECRET: 'canary-pylonsync-jwt-secret-0123456789abcdef0123456789abcdef0123',
};
const HELPCENTER: HelpCenterSettings = { secret: MORE.HELPCENTER_SECRET, issuer: ISSUER };

const twin = (secret: string) => ({
  app_url: 'https://twin.acme.test/',
  login: {
    protocol: 'handoff',
    url: 'https://twin.acme.test/sso',
    issuer: 'twin',
    algorithms: ['HS256'],
    secret: { env: secret },
  },
  may_assert: { email_domains: 'any' },
});

const world = await openWorld(t, {
  file: join(folder, 'routes.yaml'),
  variables: MORE,
  routes: changedRoutes(({ portals, environments }) => {
    portals.ps = { ...portals.support, login_path: '/ps', logout_path: '/ps/logout', signing: { algorithm: 'PS256' } };
    portals.docs = {
      preset: 'helpcenter_io',
      login_path: '/docs',
      settings: { subdomain: 'acme' },
      signing: { algorithm: 'HS256', secret: { env: 'HELPCENTER_SECRET' } },
    };
    portals.europe = { ...portals.ps, login_path: '/europe', logout_path: '/europe/logout', environments: ['eu'] };
    Object.assign(environments, {
      'twin-a': twin('TWIN_SECRET'),
      'twin-b': twin('OTHER_TWIN_SECRET'),
      // Its documented token: iss, sub, iat, exp an hour later, tenant_id, roles. No aud, no jti, no nonce.
      pylonsync: {
        app_url: 'https://sync.acme.test/',
        login: {
          protocol: 'handoff',
          url: 'https://sync.acme.test/support',
          issuer: 'pylon',
          algorithms: ['HS256'],
          secret: { env: 'PYLONSYNC_SECRET' },
          audience: 'not_sent',
          nonce: 'not_echoed',
          jti: 'not_sent',
          max_lifetime: '1h',
        },
        may_assert: { email_domains: ['acme.test'] },
      },
    });
    environments.closed = {
      ...twin('CLOSED_SECRET'),
      login: { ...twin('CLOSED_SECRET').login, issuer: 'closed', secret: { env: 'CLOSED_SECRET' } },
      disabled: true,
    };
  }),
});
const browser = world.browser();
const token = (environment: UsualEnvironment, parts?: TokenParts, nonce?: string) =>
  environmentToken(environment, world.now, nonce, parts);
const sign = (claims: object, secret: string) => jsonwebtoken.sign(claims, secret);

t.test('every handoff environment trades its tokens, each judged by its own rules', async (t) => {
  for (const [environment, expected] of [
    ['us', { email: 'ada@acme.test', account_external_id: 'initech' }],
    ['eu', { email: 'ada@acme.test', account_external_id: 'initech' }],
    ['globex', { email: 'kim@globex.example', account_external_id: 'globex' }],
  ] as const) {
    const subject = await token(environment, { claims: { account_external_id: 'initech', role: 'admin' } });
    const { jwt } = traded(t, await trade(browser, subject));
    const { payload } = await jwtVerify(jwt, Buffer.from(SECRETS.PORTAL_SECRET), {
      currentDate: new Date(world.now * 1000),
    });
    const { jti, ...claims } = payload;
    t.strictSame(claims, {
      iss: ISSUER,
      aud: 'https://portal.usepylon.com',
      iat: world.now,
      exp: world.now + 60,
      ...expected,
    });
    t.match(jti, /^[0-9a-f-]{36}$/);
    t.match(world.events().at(-1), { event: 'token.minted', reason: 'ok', portal: 'support', environment });
    t.match(world.events().at(-1)?.reference, /^[0-9a-z]{10}$/);
  }
});

t.test('a token that is not one for this door is refused', async (t) => {
  const { now } = world;
  const claims = (change: Record<string, unknown>): TokenParts => ({ claims: change });
  const rows: readonly (readonly [what: string, subject: string, reason: Reason])[] = [
    ['one that was made for /return', await token('us', {}, 'a-nonce'), 'jwt_made_for_return'],
    ['one with an empty nonce', await token('us', claims({ nonce: '' })), 'jwt_made_for_return'],
    ['no iss', await token('us', claims({ iss: undefined })), 'jwt_missing_required_claim'],
    ['iss in a list', await token('us', claims({ iss: ['https://us.acme.test/'] })), 'jwt_claim_malformed'],
    ['nobody’s iss', await token('us', claims({ iss: 'https://evil.example/' })), 'jwt_issuer_mismatch'],
    ['iss without its slash', await token('us', claims({ iss: 'https://us.acme.test' })), 'jwt_issuer_mismatch'],
    ['the router’s own iss', await token('us', claims({ iss: ISSUER })), 'jwt_issuer_mismatch'],
    ['a name of objects as iss', await token('us', claims({ iss: '__proto__' })), 'jwt_issuer_mismatch'],
    ['another environment’s iss', await token('us', claims({ iss: 'https://eu.acme.test/' })), 'jwt_invalid_signature'],
    ['another secret', await token('us', { secret: SECRETS.EU_SECRET }), 'jwt_invalid_signature'],
    ['the portal’s secret', await token('us', { secret: SECRETS.PORTAL_SECRET }), 'jwt_invalid_signature'],
    ['another algorithm', await token('us', { header: { alg: 'HS512' } }), 'jwt_algorithm_not_allowed'],
    ['no jti', await token('us', claims({ jti: undefined })), 'jwt_missing_required_claim'],
    ['no aud', await token('us', claims({ aud: undefined })), 'jwt_missing_required_claim'],
    ['the portal’s aud', await token('us', claims({ aud: 'https://portal.usepylon.com' })), 'jwt_audience_mismatch'],
    ['this address as aud', await token('us', claims({ aud: `${ORIGIN}${DOOR}` })), 'jwt_audience_mismatch'],
    ['a second aud', await token('us', claims({ aud: [ISSUER, 'https://evil.example/'] })), 'jwt_audience_mismatch'],
    ['an old one', await token('us', claims({ iat: now - 400, exp: now + 60 })), 'jwt_too_old'],
    ['a long one', await token('us', claims({ exp: now + 301 })), 'jwt_lifetime_too_long'],
    ['a portal token', traded(t, await trade(browser, await token('us'))).jwt, 'jwt_issuer_mismatch'],
    [
      'of two environments with one issuer',
      sign({ iss: 'twin', aud: ISSUER, iat: now, exp: now + 60, jti: 't', email: 'a@acme.test' }, MORE.TWIN_SECRET),
      'issuer_ambiguous',
    ],
    ['of an environment that is disabled', sign({ iss: 'closed' }, 'x'.repeat(32)), 'environment_disabled'],
    [
      'of an environment that cannot say what is for this door',
      sign({ iss: 'pylon' }, 'x'.repeat(32)),
      'exchange_not_allowed',
    ],
    [
      'about somebody else’s people',
      await token('globex', claims({ email: 'ada@acme.test' })),
      'email_domain_not_allowed',
    ],
    ['about nobody', await token('us', claims({ email: undefined })), 'jwt_missing_required_claim'],
    [
      'about an address that is not verified',
      await token('us', claims({ email_verified: false })),
      'email_not_verified',
    ],
  ];
  for (const [what, subject, reason] of rows) await notTraded(t, world, what, reason, () => trade(browser, subject));
  await notTraded(
    t,
    world,
    'for a portal that does not take this environment’s people',
    'environment_not_offered',
    async () => trade(browser, await token('us'), { audience: 'europe' }),
    'invalid_target',
  );
  await alive(t, world);
});

t.test('a token is used up by being traded, for every portal and at every door, and by nothing else', async (t) => {
  const subject = await token('us');
  await notTraded(
    t,
    world,
    'for nobody',
    'sso_not_configured',
    () => trade(browser, subject, { audience: 'x' }),
    'invalid_target',
  );
  await notTraded(t, world, 'without a name, for a portal that needs one', 'jwt_missing_required_claim', () =>
    trade(browser, subject, { audience: 'docs' }),
  );
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      trade(world.browser(), subject, { audience: index % 2 ? 'ps' : 'support' }),
    ),
  );
  t.equal(answers.filter(({ status }) => status === 200).length, 1, 'forty at once, one answer');
  t.same(new Set(answers.map(({ status }) => status)), new Set([200, 401]));
  await notTraded(t, world, 'once more', 'jwt_replayed', () => trade(browser, subject));
  const again = await token('us', { claims: { jti: decodeJwt(subject).jti } });
  await notTraded(t, world, 'its jti in another token', 'jwt_replayed', () => trade(browser, again));

  const { nonce, redirectUri } = departure(await browser.get(`${LOGIN}&env=us`));
  const sameJti = await token('us', { claims: { jti: decodeJwt(subject).jti } }, nonce);
  await denied(t, world, 'its jti at /return', 'jwt_replayed', () =>
    browser.get(`${redirectUri}&access_token=${sameJti}`),
  );
  await denied(t, world, 'and at /enter nobody takes it', 'unsolicited_not_allowed', async () =>
    browser.get(`/enter/us/support?access_token=${await token('us')}`),
  );
});

t.test('what came back to /return is worth nothing here, used or not', async (t) => {
  const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
  const leaked = await token('us', {}, nonce);
  await notTraded(t, world, 'before', 'jwt_made_for_return', () => trade(world.browser(), leaked));
  t.equal((await browser.get(`${redirectUri}&access_token=${leaked}`)).status, 302, 'the login is not disturbed');
  await notTraded(t, world, 'after', 'jwt_made_for_return', () => trade(world.browser(), leaked));
});

t.test('HelpCenter.io takes what is traded for its widget', async (t) => {
  const ask = async () => {
    const claims = { name: 'Ada Fields', external_id: '7', role: 'admin' };
    const seen = await trade(browser, await token('us', { claims }), {
      audience: 'docs',
      origin: 'https://us.acme.test',
    });
    return traded(t, seen);
  };
  const { jwt, expires_in } = await ask();
  t.equal(expires_in, 120, 'within its TTL of 300 s');
  t.match(decodeJwt(jwt), { iss: ISSUER, email: 'ada@acme.test', name: 'Ada Fields', role: 'viewer' });
  const seen = new Map<string, string>();
  const judge = (token: string, tab: string) => judgeAtHelpCenter(token, HELPCENTER, freshTo(tab, seen), world.now);
  t.match(await judge(jwt, 'tab 1'), { accepted: true, claims: { name: 'Ada Fields' } });
  t.match(await judge((await ask()).jwt, 'tab 2'), { accepted: true });
});

t.test('each of HelpCenter.io’s reasons, at this door, for what an environment did wrong', async (t) => {
  const { now } = world;
  const named = (change: Record<string, unknown> = {}): TokenParts => ({ claims: { name: 'Ada', ...change } });
  const rows: readonly (readonly [reason: Reason, subject: string])[] = [
    ['jwt_invalid_signature', await token('us', { ...named(), secret: SECRETS.GLOBEX_SECRET })],
    ...(await Promise.all(
      ['jti', 'iss', 'iat', 'exp', 'email', 'name'].map(
        async (name) => ['jwt_missing_required_claim', await token('us', named({ [name]: undefined }))] as const,
      ),
    )),
    ['jwt_missing_required_claim', await token('us', named({ name: '' }))],
    ['jwt_missing_required_claim', await token('us', named({ email: '' }))],
    ['jwt_expired', await token('us', named({ iat: now - 120, exp: now - 60 }))],
    ['jwt_iat_in_future', await token('us', named({ iat: now + 61, exp: now + 121 }))],
    ['jwt_too_old', await token('us', named({ iat: now - 361, exp: now + 1 }))],
    ['jwt_issuer_mismatch', await token('us', named({ iss: 'app.yourcompany.com' }))],
    ['jwt_audience_mismatch', await token('us', named({ aud: 'https://acme.helpcenter.io' }))],
  ];
  for (const [reason, subject] of rows)
    await notTraded(t, world, reason, reason, () => trade(browser, subject, { audience: 'docs' }));
  const used = await token('us', named());
  traded(t, await trade(browser, used, { audience: 'docs' }));
  await notTraded(t, world, 'jwt_replayed', 'jwt_replayed', () => trade(browser, used, { audience: 'docs' }));
  await notTraded(
    t,
    world,
    'sso_not_configured',
    'sso_not_configured',
    async () => trade(browser, await token('us', named()), { audience: 'wiki' }),
    'invalid_target',
  );
  // A backend that knows the person to be suspended makes no token; in a browser's login it says so.
  const { redirectUri } = departure(await browser.get(`${LOGIN}&env=us`));
  await denied(t, world, 'user_banned', 'user_banned', () => browser.get(`${redirectUri}&error=user_banned`));
});

t.test('each of HelpCenter.io’s reasons, at HelpCenter.io, where its settings and ours disagree', async (t) => {
  const { jwt } = traded(t, await trade(browser, await token('us', { claims: { name: 'Ada' } }), { audience: 'docs' }));
  const other = traded(t, await trade(browser, await token('us'))).jwt;
  const { now } = world;
  const judge = (settings: HelpCenterSettings, at = now, seen = new Map<string, string>(), subject = jwt) =>
    judgeAtHelpCenter(subject, { ...HELPCENTER, ...settings }, freshTo('tab', seen), at);
  for (const [reason, verdict] of [
    ['jwt_invalid_signature', judge({ secret: Buffer.from(MORE.HELPCENTER_SECRET, 'base64').toString('latin1') })],
    ['jwt_missing_required_claim', judge({ secret: SECRETS.PORTAL_SECRET }, now, new Map(), other)],
    ['jwt_expired', judge({}, now + 120 + 31)],
    ['jwt_iat_in_future', judge({}, now - 31)],
    ['jwt_too_old', judge({ ttl: 60 }, now + 61)],
    ['jwt_issuer_mismatch', judge({ issuer: ORIGIN })],
    ['jwt_audience_mismatch', judge({ audience: 'https://acme.helpcenter.io' })],
    ['jwt_replayed', judge({}, now, new Map([[decodeJwt(jwt).jti ?? '', 'another tab']]))],
    ['sso_not_configured', judgeAtHelpCenter(jwt, {}, freshTo('tab', new Map()), now)],
    ['user_banned', judge({ suspended: ['ada@acme.test'] })],
  ] as const)
    t.same(await verdict, { accepted: false, reason });
  t.match(await judge({}, now + 120 + 30), { accepted: true }, 'up to its skew');
});

t.test('pylonsync’s surface, field by field', async (t) => {
  const metadata = await browser.get('/.well-known/openid-configuration', { headers: { host: 'evil.example' } });
  const found = JSON.parse(metadata.body) as Record<string, unknown>;
  t.match(metadata.headers, { 'content-type': 'application/json' });
  const rows: readonly (readonly [field: string, expected: unknown, why: string])[] = [
    [
      'issuer',
      decodeJwt(portalToken(await comeBack(world, browser, 'us'))).iss,
      'configuration alone, never Host; byte for byte the tokens’',
    ],
    ['token_endpoint', `${ORIGIN}${DOOR}`, 'where tokens are minted'],
    ['jwks_uri', `${ORIGIN}/.well-known/jwks.json`, 'the same set as at /oidc/jwks'],
    ['id_token_signing_alg_values_supported', ['HS256', 'PS256'], 'the signing algorithms'],
    ['grant_types_supported', ['urn:ietf:params:oauth:grant-type:token-exchange'], 'what the token endpoint does'],
    ['token_endpoint_auth_methods_supported', ['none'], 'who holds the token speaks for it'],
    // pylonsync names these though nothing is behind them; only what works is named here.
    ['authorization_endpoint', undefined, 'there is none'],
    ['response_types_supported', undefined, 'it would belong to one; zero elements are left out (OIDC Discovery §4.2)'],
    ['scopes_supported', undefined, 'likewise'],
  ];
  for (const [field, expected, why] of rows) t.strictSame(found[field], expected, `${field}: ${why}`);
  t.same(
    Object.keys(found).sort(),
    rows.flatMap(([field, expected]) => (expected === undefined ? [] : [field])).sort(),
  );

  for (const address of ['/oidc/jwks', '/.well-known/jwks.json']) {
    const seen = await browser.get(address);
    t.match(seen.headers, { 'content-type': 'application/json' });
    const { keys } = JSON.parse(seen.body) as { keys: Record<string, unknown>[] };
    t.match(keys, [
      { kty: 'RSA', use: 'sig', alg: 'PS256', e: 'AQAB' },
      { kty: 'RSA', alg: 'PS256' },
    ]);
  }
  const hmacOnly = await openWorld(t);
  const answer = await hmacOnly.browser().get('/oidc/jwks');
  t.strictSame(JSON.parse(answer.body), { keys: [] }, 'with HMAC alone there is nothing to publish');
});

t.test('downstream, a minted token is verified by the shared secret or by the key set', async (t) => {
  const minted = async (audience: string) => traded(t, await trade(browser, await token('us'), { audience })).jwt;
  const rules = { issuer: ISSUER, audience: 'https://portal.usepylon.com' };
  const shared = await minted('support');
  const published = await minted('ps');
  const jwks = createRemoteJWKSet(new URL(`${world.running.localUrl}/oidc/jwks`));
  t.equal((await jwtVerify(shared, Buffer.from(SECRETS.PORTAL_SECRET), rules)).payload.email, 'ada@acme.test');
  t.equal((await jwtVerify(published, jwks, rules)).payload.email, 'ada@acme.test');
  await t.rejects(jwtVerify(shared, jwks, rules), 'no key is published for it: it is refused, not passed');

  await t.test('by PyJWT', { skip: without(counterparts.pyjwt) }, async (t) => {
    const script = new URL('../conformance/verify_tokens.py', import.meta.url).pathname;
    const asked = {
      ...rules,
      jwks: `${world.running.localUrl}/oidc/jwks`,
      tokens: [
        { token: shared, alg: 'HS256', secret: SECRETS.PORTAL_SECRET },
        { token: published, alg: 'PS256' },
      ],
    };
    const verdicts = await new Promise<string>((resolve, reject) => {
      const child = execFile(PYTHON, [script], { timeout: 60_000 }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      );
      child.stdin?.end(JSON.stringify(asked));
    });
    t.match(JSON.parse(verdicts), [
      { claims: { email: 'ada@acme.test' }, refuses: true },
      { claims: { email: 'ada@acme.test' }, refuses: true },
    ]);
  });
});

t.test('pylonsync as an environment: its token, with an email added, ends a login; it is traded nowhere', async (t) => {
  const { now } = world;
  const minted = { sub: 'user_7', iat: now, exp: now + 3600, iss: 'pylon', tenant_id: 'org_1', roles: ['admin'] };
  const arrive = async (claims: object) => {
    const { redirectUri } = departure(await browser.get(`${LOGIN}&env=pylonsync`));
    return () => browser.get(`${redirectUri}&access_token=${sign(claims, MORE.PYLONSYNC_SECRET)}`);
  };
  await denied(t, world, 'as it mints it', 'jwt_missing_required_claim', await arrive(minted));
  t.match(world.events().at(-1), { detail: 'email' }, 'it says who signed in by a number of its own alone');
  const seen = await (await arrive({ ...minted, email: 'ada@acme.test' }))();
  t.match(decodeJwt(portalToken(seen)), { iss: ISSUER, email: 'ada@acme.test' });
  t.notMatch(decodeJwt(portalToken(seen)), { roles: ['admin'] });
  await denied(t, world, 'longer than its hour', 'jwt_lifetime_too_long', await arrive({ ...minted, exp: now + 3601 }));
  await notTraded(t, world, 'at the other door', 'exchange_not_allowed', () =>
    trade(browser, sign({ ...minted, email: 'ada@acme.test' }, MORE.PYLONSYNC_SECRET)),
  );
});

t.test('without the store nothing is minted', async (t) => {
  const broken = await openWorld(t, { sqlite: join(folder, 'broken.db') });
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(join(folder, 'broken.db'), { timeout: 5_000 });
  db.exec('ALTER TABLE claims RENAME TO away');
  const subject = await environmentToken('us', broken.now, undefined);
  await notTraded(
    t,
    broken,
    'no store',
    'store_unavailable',
    () => trade(broken.browser(), subject),
    'temporarily_unavailable',
  );
  db.exec('ALTER TABLE away RENAME TO claims');
  db.close();
  traded(t, await trade(broken.browser(), subject));
});

t.test('case 39: none of it was anywhere else', (t) => {
  t.same(leaksOf(world), []);
  const log = world.lines.join('');
  for (const { send } of world.exchanges) {
    const subject = typeof send.form === 'object' ? send.form.subject_token : undefined;
    for (const part of subject?.split('.').slice(1) ?? []) t.notOk(part.length > 12 && log.includes(part));
  }
  t.end();
});
