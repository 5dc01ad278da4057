import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import t from 'tap';
import { appWidgetRoutes } from '../../examples/demo/app-widget.ts';
import { openEnvironment } from '../../examples/demo/environment.ts';
import { Jar } from '../../examples/demo/jar.ts';
import { US_PEOPLE } from '../../examples/demo/people.ts';
import { judgeToken, type Rule } from '../../examples/demo/portal-token.ts';
import { choosePorts, FIXED_PORTS, movePorts } from '../../examples/demo/ports.ts';
import { openPylonInstallation } from '../../examples/demo/pylon-installation.ts';
import { openPylonsyncInstallation } from '../../examples/demo/pylonsync-installation.ts';
import { openServer } from '../../examples/demo/server.ts';
import { openSharedSession } from '../../examples/demo/shared-session.ts';

const NOW = 1_800_000_000;
const ISSUER = 'https://login.acme.test/';
const SECRET = 'a secret of the portal and the router, 64 characters and no less';

const good = {
  iss: ISSUER,
  aud: 'https://portal.usepylon.com',
  iat: NOW,
  exp: NOW + 60,
  jti: 'one',
  email: 'ada@initech.example',
} satisfies JWTPayload;

const sign = (claims: object, alg = 'HS256', secret = SECRET): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg, typ: 'JWT' }).sign(Buffer.from(secret));

const without = (name: keyof typeof good): object =>
  Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

t.test('the stand-in portal takes a token exactly when every rule of its article holds', async (t) => {
  const cases: readonly (readonly [string, object, Rule | 'accepted'])[] = [
    ['all as it should be', good, 'accepted'],
    ['with account_id', { ...good, account_id: 'a' }, 'accepted'],
    ['with account_external_id', { ...good, account_external_id: 'a' }, 'accepted'],
    ['with both', { ...good, account_id: 'a', account_external_id: 'a' }, 'account'],
    ['with an account that is no text', { ...good, account_id: 7 }, 'account'],
    ['with a claim that is not listed', { ...good, name: 'Ada' }, 'listed claims'],
    ['iss without its slash', { ...good, iss: 'https://login.acme.test' }, 'iss'],
    ['iss with a path', { ...good, iss: 'https://login.acme.test/callback' }, 'iss'],
    ['aud as a list', { ...good, aud: ['https://portal.usepylon.com'] }, 'aud'],
    ['aud with a slash', { ...good, aud: 'https://portal.usepylon.com/' }, 'aud'],
    ['iat 60 s ahead', { ...good, iat: NOW + 60, exp: NOW + 120 }, 'accepted'],
    ['iat 61 s ahead', { ...good, iat: NOW + 61, exp: NOW + 120 }, 'iat'],
    ['iat 60 s ago', { ...good, iat: NOW - 60 }, 'accepted'],
    ['iat 61 s ago', { ...good, iat: NOW - 61 }, 'iat age'],
    ['iat with a fraction', { ...good, iat: NOW - 0.5 }, 'iat'],
    ['no iat', without('iat'), 'iat'],
    ['exp 59 s ago', { ...good, exp: NOW - 59 }, 'accepted'],
    ['exp 60 s ago', { ...good, exp: NOW - 60 }, 'exp'],
    ['no exp', without('exp'), 'exp'],
    ['no email', without('email'), 'email'],
    ['an email of two', { ...good, email: 'a@b@c' }, 'email'],
    ['emails as a list', { ...good, email: ['ada@initech.example'] }, 'email'],
  ];
  for (const [title, claims, expected] of cases) {
    const verdict = await judgeToken(await sign(claims), { issuer: ISSUER, secret: SECRET }, NOW);
    t.equal(verdict.accepted ? 'accepted' : verdict.rule, expected, title);
  }
});

t.test('a shared secret verifies HMAC only, and that secret only', async (t) => {
  const judge = async (token: string) => {
    const verdict = await judgeToken(token, { issuer: ISSUER, secret: SECRET }, NOW);
    return verdict.accepted ? 'accepted' : verdict.rule;
  };
  for (const alg of ['HS256', 'HS384', 'HS512']) t.equal(await judge(await sign(good, alg)), 'accepted', alg);
  t.equal(
    await judge(await sign(good, 'HS256', 'another secret, which is of sixty-four characters, as it should')),
    'signature',
  );
  const { privateKey } = await generateKeyPair('RS256');
  t.equal(
    await judge(await new SignJWT(good).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)),
    'algorithm',
    'RS256',
  );
  const [, payload] = (await sign(good)).split('.');
  t.equal(await judge(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`), 'algorithm', 'none');
  t.equal(await judge('not a token'), 'signature');
});

t.test('without a secret the portal reads the keys that the metadata of the issuer names', async (t) => {
  const { router, admin } = await choosePorts('free');
  const origin = `http://127.0.0.1:${router}`;
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k' };
  let metadata: object = {};
  const server = await openServer(router, {
    'GET /.well-known/openid-configuration': () => ({ status: 200, body: JSON.stringify(metadata) }),
    'GET /jwks': () => ({ status: 200, body: JSON.stringify({ keys: [jwk] }) }),
  });
  t.teardown(() => server.close());
  const cases: readonly (readonly [string, object, string, string])[] = [
    ['as it should be', { issuer: `${origin}/`, jwks_uri: `${origin}/jwks` }, 'PS256', 'accepted'],
    ['PS512 by the same key', { issuer: `${origin}/`, jwks_uri: `${origin}/jwks` }, 'PS512', 'accepted'],
    ['RS256 is not listed', { issuer: `${origin}/`, jwks_uri: `${origin}/jwks` }, 'RS256', 'algorithm'],
    ['another issuer', { issuer: origin, jwks_uri: `${origin}/jwks` }, 'PS256', 'keys'],
    ['keys from elsewhere', { issuer: `${origin}/`, jwks_uri: `http://127.0.0.1:${admin}/jwks` }, 'PS256', 'keys'],
  ];
  for (const [title, served, alg, expected] of cases) {
    metadata = served;
    const token = await new SignJWT({ ...good, iss: `${origin}/` })
      .setProtectedHeader({ alg, kid: 'k' })
      .sign(privateKey);
    const verdict = await judgeToken(token, { issuer: `${origin}/` }, NOW);
    t.equal(verdict.accepted ? 'accepted' : verdict.rule, expected, title);
  }
});

t.test('an environment hands its token to the router’s return address only', async (t) => {
  const ports = await choosePorts('free');
  const router = `http://localhost:${ports.router}`;
  const environment = await openEnvironment({
    port: ports.us,
    name: 'us',
    look: { party: 'US', role: 'test', accent: '#000' },
    people: US_PEOPLE,
    router,
    secret: SECRET,
    links: { helpCenter: '/', article: '/', portalLogin: '/' },
    now: () => NOW,
  });
  t.teardown(() => environment.close());
  const logIn = (redirectUri: string, origin = environment.origin) =>
    fetch(`${environment.origin}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin },
      body: new URLSearchParams({ person: 'ada', redirect_uri: redirectUri, nonce: 'n' }),
    });

  const answer = await logIn(`${router}/return/us?state=s`);
  const location = answer.headers.get('location') ?? '';
  t.match(location, `${router}/return/us?state=s&access_token=`);
  const claims = JSON.parse(Buffer.from(location.split('.')[1] ?? '', 'base64url').toString());
  t.match(claims, { iss: `${environment.origin}/`, aud: `${router}/`, iat: NOW, exp: NOW + 120, nonce: 'n' });

  for (const redirectUri of [
    'https://evil.example/return/us?state=s',
    `${router}.evil.example/return/us?state=s`,
    `${router}@evil.example/return/us?state=s`,
    `${router}/return/eu?state=s`,
    `${router}/return/us?state=s#f`,
    `${router}/callback?state=s`,
  ]) {
    const refused = await logIn(redirectUri);
    t.equal(refused.status, 400, redirectUri);
    t.equal(refused.headers.get('location'), null);
  }
  t.equal((await logIn(`${router}/return/us?state=s`, 'https://evil.example')).status, 400, 'a form of another site');

  for (const [returnTo, ends] of [
    [`${router}/logout/run`, `${router}/logout/run`],
    ['https://evil.example/', '/'],
    [`${router}@evil.example/`, '/'],
    ['', '/'],
  ]) {
    const address = `${environment.origin}/logout?return_to=${encodeURIComponent(returnTo ?? '')}`;
    t.equal((await fetch(address, { redirect: 'manual' })).headers.get('location'), ends, `signing out to ${returnTo}`);
  }
});

t.test('a session is told by its cookie alone, and its login page leads to the router only', async (t) => {
  const ports = await choosePorts('free');
  const router = `http://localhost:${ports.router}`;
  const links = { helpCenter: '/', article: '/', portalLogin: '/' };
  const account = await openSharedSession({ port: ports.account, name: 'account', router, links });
  t.teardown(() => account.close());
  const at = `http://127.0.0.1:${ports.account}`;
  const logIn = (returnTo: string) =>
    fetch(`${at}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: account.origin },
      body: new URLSearchParams({ person: 'nina', return_to: returnTo }),
    });

  const answer = await logIn(`${router}/return/account?state=s`);
  t.equal(answer.headers.get('location'), `${router}/return/account?state=s`);
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';');
  const asked = await fetch(`${at}/api/me`, { headers: { cookie } });
  t.match(await asked.json(), { email: 'nina@acme.example', account_external_id: 'acme' });
  t.equal((await fetch(`${at}/api/me`)).status, 401);
  t.equal((await fetch(`${at}/api/me`, { headers: { cookie: `${cookie}x` } })).status, 401);

  for (const returnTo of [
    'https://evil.example/return/account?state=s',
    `${router}@evil.example/return/account?`,
    `${router}/return/us?state=s`,
    `${router}/logout`,
    '',
  ]) {
    const refused = await logIn(returnTo);
    t.equal(refused.status, 400, returnTo);
    t.equal(refused.headers.get('set-cookie'), null);
  }
});

t.test('the installation that knows only Pylon signs for the portal’s own address and no other', async (t) => {
  const ports = await choosePorts('free');
  const callback = `http://127.0.0.1:${ports.portal}/callback/jwt?orgSlug=acme`;
  const router = `http://localhost:${ports.router}`;
  const origin = `http://soylent.localhost:${ports.router}`;
  const installation = await openPylonInstallation({
    port: ports.soylent,
    origin,
    router,
    portal: `http://127.0.0.1:${ports.portal}`,
    callback,
    secret: SECRET,
    now: () => NOW,
  });
  t.teardown(() => installation.close());
  const logIn = (redirectUri: string) =>
    fetch(`http://127.0.0.1:${ports.soylent}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin },
      body: new URLSearchParams({ person: 'robert', redirect_uri: redirectUri }),
    });

  const location = (await logIn(`${callback}&state=s`)).headers.get('location') ?? '';
  t.match(location, `${callback}&state=s&access_token=`);
  const [, payload = ''] = new URL(location).searchParams.get('access_token')?.split('.') ?? [];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  t.strictSame(claims, {
    email: 'robert@soylent.example',
    iss: `${origin}/`,
    aud: 'https://portal.usepylon.com',
    iat: NOW,
    exp: NOW + 36_000,
  });
  for (const redirectUri of [`${router}/return/soylent?state=s`, `${callback}x`, 'https://evil.example/', '']) {
    t.equal((await logIn(redirectUri)).status, 400, redirectUri);
  }
});

t.test('the app built on pylonsync sends what it mints to the router’s return address only', async (t) => {
  const ports = await choosePorts('free');
  const router = `http://localhost:${ports.router}`;
  const links = { helpCenter: '/', article: '/', portalLogin: '/' };
  const app = await openPylonsyncInstallation({
    port: ports.initrode,
    name: 'initrode',
    router,
    links,
    secret: SECRET,
    now: () => NOW,
  });
  t.teardown(() => app.close());
  const logIn = (redirectUri: string) =>
    fetch(`${app.origin}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: app.origin },
      body: new URLSearchParams({ person: 'peter', redirect_uri: redirectUri }),
    });

  const location = (await logIn(`${router}/return/initrode?state=s`)).headers.get('location') ?? '';
  t.match(location, `${router}/return/initrode?state=s&access_token=`);
  const [, payload = ''] = new URL(location).searchParams.get('access_token')?.split('.') ?? [];
  t.strictSame(JSON.parse(Buffer.from(payload, 'base64url').toString()), {
    iss: 'pylon',
    sub: 'user_peter',
    iat: NOW,
    exp: NOW + 3600,
    roles: ['member'],
    name: 'Peter Gibbons',
    email: 'peter@initrode.example',
    tenant_id: 'org_initrode',
  });
  for (const redirectUri of [
    'https://evil.example/return/initrode?state=s',
    `${router}@evil.example/return/initrode?`,
    `${router}/return/us?state=s`,
    `${router}/return/initrode?state=s#f`,
    '',
  ]) {
    t.equal((await logIn(redirectUri)).status, 400, redirectUri);
  }
});

t.test('an app’s pages have tokens for those whom it knows, and for nobody else', async (t) => {
  const ports = await choosePorts('free');
  const look = { party: 'US', role: 'test', accent: '#000' };
  const router = `http://localhost:${ports.router}`;
  const environment = await openEnvironment({
    port: ports.us,
    name: 'us',
    look,
    people: US_PEOPLE,
    router,
    secret: SECRET,
    links: { helpCenter: '/', article: '/', portalLogin: '/' },
    pages: (own) => appWidgetRoutes(own, { look, router, helpCenter: 'http://127.0.0.1:1', portal: 'help' }),
    now: () => NOW,
  });
  t.teardown(() => environment.close());
  for (const path of ['/widget', '/widget-by-page', '/own-token', '/helpcenter-token'])
    t.equal((await fetch(environment.origin + path)).status, 401, path);

  const body = new URLSearchParams({ person: 'ada' });
  const answer = await fetch(`${environment.origin}/login`, { method: 'POST', redirect: 'manual', body });
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';');
  const own = await fetch(`${environment.origin}/own-token`, { headers: { cookie } });
  t.equal(own.headers.get('access-control-allow-origin'), null, 'no other page may read it');
  const { token } = (await own.json()) as { token: string };
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  t.match(claims, { aud: `${router}/`, email: 'ada@initech.example', exp: NOW + 120 });
  t.notOk('nonce' in claims, 'it answers no login');
  const page = await fetch(`${environment.origin}/widget-by-page`, { headers: { cookie } });
  const policy = page.headers.get('content-security-policy') ?? '';
  t.match(policy, /script-src 'sha256-[^']+' http:\/\/127\.0\.0\.1:1 http:\/\/localhost:\d+;/);
  t.match(policy, `connect-src 'self' http://127.0.0.1:1 ${router};`);
});

t.test('moving the ports changes every address of the demo and nothing else', async (t) => {
  const ports = Object.fromEntries(
    Object.keys(FIXED_PORTS).map((party, index) => [party, 20_000 + index]),
  ) as typeof FIXED_PORTS;
  const folders = ['environments', 'portals'].map((name) => new URL(`../../examples/demo/${name}/`, import.meta.url));
  const files = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).map((name) => new URL(name, folder))),
  );
  t.equal(files.flat().length, 7);
  for (const file of [new URL('../../routes.yaml', import.meta.url), ...files.flat()]) {
    const text = await readFile(file, 'utf8');
    const moved = movePorts(text, ports);
    for (const [party, port] of Object.entries(FIXED_PORTS))
      t.notMatch(moved, new RegExp(`(?:localhost|127\\.0\\.0\\.1):${port}\\b`), `${party} has moved`);
    const back = Object.entries(FIXED_PORTS).reduce(
      (sofar, [, port], index) => sofar.replaceAll(`:${20_000 + index}`, `:${port}`),
      moved,
    );
    t.equal(back, text);
  }
  t.equal(
    movePorts('10.127.0.0.1:80801 localhost:80 127.0.0.1:4400', ports),
    '10.127.0.0.1:80801 localhost:80 127.0.0.1:20002',
  );
  t.equal(movePorts('http://soylent.localhost:8080/app', ports), 'http://soylent.localhost:20000/app');
});

t.test('the client of the check keeps cookies as browsers do', async (t) => {
  const router = new URL('http://localhost:8080/callback');
  const portal = new URL('http://127.0.0.1:4400/');
  const soylent = new URL('http://soylent.localhost:8080/app');
  const cases: readonly (readonly [string, URL, string, string, 'GET' | 'POST', boolean, boolean])[] = [
    ['a plain one', router, 'a=1', 'http://localhost:9999/x', 'GET', false, true],
    ['another host', router, 'a=1', 'http://127.0.0.1:8080/', 'GET', false, false],
    ['another path', router, 'a=1; Path=/callback', 'http://localhost:8080/callbacks', 'GET', false, false],
    ['a path below', router, 'a=1; Path=/callback', 'http://localhost:8080/callback/x', 'GET', false, true],
    ['expired', router, 'a=1; Max-Age=0', 'http://localhost:8080/', 'GET', false, false],
    ['Secure on localhost', router, '__Host-a=1; Path=/; Secure', 'http://localhost:8080/', 'GET', false, true],
    ['Secure below localhost', soylent, '__Host-a=1; Path=/; Secure', soylent.href, 'GET', false, true],
    ['of localhost, below it', router, 'a=1', soylent.href, 'GET', false, false],
    ['Secure elsewhere without TLS', portal, '__Host-a=1; Path=/; Secure', portal.href, 'GET', false, false],
    ['__Host- without Secure', router, '__Host-a=1; Path=/', router.href, 'GET', false, false],
    ['__Host- with a domain', router, '__Host-a=1; Path=/; Secure; Domain=localhost', router.href, 'GET', false, false],
    ['Lax, another site’s link', router, 'a=1; SameSite=Lax', router.href, 'GET', true, true],
    ['Lax, another site’s form', router, 'a=1; SameSite=Lax', router.href, 'POST', true, false],
    ['Strict, another site’s link', router, 'a=1; SameSite=Strict', router.href, 'GET', true, false],
    ['None, another site’s form', router, 'a=1; Secure; SameSite=None', router.href, 'POST', true, true],
  ];
  for (const [title, from, cookie, to, method, cross, sent] of cases) {
    const jar = new Jar();
    jar.keep(from, [cookie]);
    t.equal(jar.header(new URL(to), { method, cross }) !== '', sent, title);
  }
});

t.test('every journey of the demo goes well, several demos side by side', async (t) => {
  const [{ startDemo }, { checkDemo }] = await Promise.all([
    import('../../examples/demo/start.ts'),
    import('../../examples/demo/check.ts'),
  ]);
  const walk = async (): Promise<void> => {
    const log: string[] = [];
    const demo = await startDemo({ ports: 'free', output: (line) => log.push(line) });
    try {
      await checkDemo(demo, ({ journey, problem }) => t.equal(problem, undefined, journey));
      t.notMatch(log.join('\n'), /eyJ|access_token=/, 'no token in the log');
    } finally {
      await demo.close();
    }
  };
  await Promise.all([walk(), walk()]);
});
