/** An app built on pylonsync, as the demo stands in for it, and what becomes of those who take it for something else. */
import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import t from 'tap';
import { choosePorts } from '../../examples/demo/ports.ts';
import { openPylonsyncInstallation } from '../../examples/demo/pylonsync-installation.ts';
import { denied } from '../support/denied.ts';
import { changedRoutes, ISSUER, LOGIN, ORIGIN, openWorld, portalToken } from '../support/world.ts';

const { initrode: hmacPort, soylent: rsaPort } = await choosePorts('free');
const HMAC = `http://127.0.0.1:${hmacPort}`;
const RSA = `http://127.0.0.1:${rsaPort}`;
const SECRET = `canary-pylonsync-secret-${randomBytes(32).toString('base64url')}`;

const words = { audience: 'not_sent', nonce: 'not_echoed', jti: 'not_sent', max_lifetime: '1h', issuer: 'pylon' };
const may_assert = { email_domains: 'any' };
const byKeys = (app: string) => ({
  app_url: app,
  login: {
    ...words,
    protocol: 'handoff',
    url: `${app}/support-login`,
    algorithms: ['RS256'],
    jwks_url: `${app}/oidc/jwks`,
    allow_private: true,
  },
  may_assert,
});

const world = await openWorld(t, {
  variables: { SYNC_SECRET: SECRET },
  routes: changedRoutes(({ environments }) => {
    Object.assign(environments, {
      hmac: {
        app_url: HMAC,
        login: {
          ...words,
          protocol: 'handoff',
          url: `${HMAC}/support-login`,
          algorithms: ['HS256'],
          secret: { env: 'SYNC_SECRET' },
        },
        may_assert,
      },
      rsa: byKeys(RSA),
      keyless: byKeys(HMAC),
      mistaken: {
        app_url: HMAC,
        login: { protocol: 'oidc', issuer: HMAC, client_id: 'wayhome', allow_private: true },
        may_assert,
      },
    });
  }),
});

const links = { helpCenter: '/', article: '/', portalLogin: '/' };
const clock = { now: () => world.now, router: ORIGIN, links };
for (const options of [
  { ...clock, port: hmacPort, name: 'hmac', secret: SECRET },
  { ...clock, port: rsaPort, name: 'rsa' },
]) {
  const app = await openPylonsyncInstallation(options);
  t.teardown(() => app.close());
}

const signIn = (app: string, fields: Record<string, string> = {}) => {
  const body = new URLSearchParams({ person: 'peter', ...fields });
  return fetch(`${app}/login`, { method: 'POST', redirect: 'manual', body });
};

/** “Your app calls /api/auth/jwt to mint a JWT for the user.” */
async function minted(app: string): Promise<string> {
  const [cookie = ''] = ((await signIn(app)).headers.get('set-cookie') ?? '').split(';');
  const answer = await fetch(`${app}/api/auth/jwt`, { method: 'POST', headers: { cookie } });
  return ((await answer.json()) as { token: string }).token;
}

/** A browser that left for an environment, and where from there. */
async function leave(environment: string) {
  const browser = world.browser();
  const { location, status } = await browser.get(`${LOGIN}&env=${environment}`);
  const to = new URL(location);
  return { browser, status, to, redirectUri: to.searchParams.get('redirect_uri') ?? '' };
}

t.test('what it mints signs its people in, by HS256 and by the RSA key that it publishes', async (t) => {
  for (const [name, app] of [
    ['hmac', HMAC],
    ['rsa', RSA],
  ] as const) {
    const { browser, redirectUri } = await leave(name);
    const back = (await signIn(app, { redirect_uri: redirectUri })).headers.get('location') ?? '';
    const claims = decodeJwt(portalToken(await browser.get(back)));
    t.match(claims, { iss: ISSUER, email: 'peter@initrode.example' }, name);
    t.notOk('roles' in claims || 'sub' in claims, 'nothing else of it is repeated');
    await denied(t, world, 'the same answer again', 'login_already_used', () => browser.get(back));
  }
  t.equal((await fetch(`${HMAC}/api/auth/jwt`, { method: 'POST' })).status, 401, 'nobody is signed in');
});

t.test('{"keys":[]} lets nobody in: it never means that there is nothing to check', async (t) => {
  t.strictSame(await (await fetch(`${HMAC}/oidc/jwks`)).json(), { keys: [] });
  for (const [what, token, reason] of [
    ['a token of its own, by HS256', await minted(HMAC), 'jwt_algorithm_not_allowed'],
    ['somebody else’s, by RS256', await minted(RSA), 'jwt_invalid_signature'],
  ] as const) {
    const { browser, redirectUri } = await leave('keyless');
    await denied(t, world, what, reason, () => browser.get(`${redirectUri}&access_token=${token}`));
  }
});

t.test('taken for an OpenID provider, by what it advertises, it signs nobody in', async (t) => {
  const { browser, to } = await leave('mistaken');
  t.equal(`${to.origin}${to.pathname}`, `${HMAC}/authorize`);
  t.equal((await fetch(to)).status, 404, 'what it advertises is not there');
  const state = to.searchParams.get('state') ?? '';
  const seen = await browser.get(`/return/mistaken?${new URLSearchParams({ state, code: 'made-up' })}`);
  t.match(seen, { status: 502, location: '' });
  t.match(world.events().at(-1), {
    reason: 'environment_error',
    detail: 'token endpoint 404',
    environment: 'mistaken',
  });
});

t.test('every installation signs as “pylon”: the key tells whose a token is', async (t) => {
  const { browser, redirectUri } = await leave('rsa');
  const foreign = `${redirectUri}&access_token=${await minted(HMAC)}`;
  await denied(t, world, 'another installation’s token', 'jwt_algorithm_not_allowed', () => browser.get(foreign));
});
