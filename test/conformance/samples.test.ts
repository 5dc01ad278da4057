/** Integrations that were written for a portal work as environments, unchanged, with words of routes.yaml. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import { decodeJwt } from 'jose';
import t from 'tap';
import { denied } from '../support/denied.ts';
import { leaksOf } from '../support/leaks.ts';
import { type HelpcenterUser, loadHelpcenterSample, type PylonSample, runPylonSample } from '../support/samples.ts';
import { changedRoutes, departure, LOGIN, ORIGIN, openWorld, portalToken } from '../support/world.ts';

const PYLON = {
  RETURN_SECRET: 'canary-secret-of-the-pylon-sample-at-return-0123456789abcdef0123',
  ENTER_SECRET: 'canary-secret-of-the-pylon-sample-at-enter-0123456789abcdef01234',
};
const HELPCENTER = {
  MINT_SECRET: 'canary-secret-of-the-helpcenter-function-0123456789abcdef0123456',
  EXPRESS_SECRET: 'canary-secret-of-the-helpcenter-endpoint-0123456789abcdef0123456',
};

/** Pylon's sample: for Pylon's audience, for ten hours, without `jti` and `nonce`. */
const pylonLogin = {
  issuer: 'https://acme.eu.auth0.com/',
  audience: 'https://portal.usepylon.com',
  jti: 'not_sent',
  max_lifetime: '10h',
};
/** HelpCenter.io's sample: its issuer is no URL, it names no audience and echoes no nonce. */
const helpcenterLogin = { issuer: 'app.yourcompany.com', audience: 'not_sent', nonce: 'not_echoed' };

const ada: HelpcenterUser = { id: 7, email: 'ada@acme.test', fullName: 'Ada' };

const app = express();
const mint = loadHelpcenterSample(
  app,
  (request, _response, next) => {
    (request as Request & { user: HelpcenterUser }).user = ada;
    next();
  },
  HELPCENTER.EXPRESS_SECRET,
);
const mintOnly = loadHelpcenterSample(express(), (_request, _response, next) => next(), HELPCENTER.MINT_SECRET);
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
t.teardown(() => server.close());
const expressUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth/helpcenter`;

const environment = (login: object, secret: string, url = 'https://app.acme.test/sso') => ({
  app_url: 'https://app.acme.test/',
  login: { protocol: 'handoff', url, algorithms: ['HS256'], secret: { env: secret }, ...login },
  may_assert: { email_domains: 'any' },
});

const world = await openWorld(t, {
  variables: { ...PYLON, ...HELPCENTER },
  routes: changedRoutes(({ environments }) => {
    Object.assign(environments, {
      'auth0-return': environment({ ...pylonLogin, nonce: 'not_echoed' }, 'RETURN_SECRET'),
      'auth0-enter': environment({ ...pylonLogin, unsolicited: 'allowed' }, 'ENTER_SECRET'),
      minting: environment(helpcenterLogin, 'MINT_SECRET'),
      express: environment({ ...helpcenterLogin, jti: 'not_sent' }, 'EXPRESS_SECRET', expressUrl),
    });
  }),
});

const sample = (secret: string, address: string): PylonSample => ({
  clientId: 'acme-app',
  issuer: pylonLogin.issuer,
  secret,
  address,
});
const emailIn = (token: string) => decodeJwt(token).email;

t.test('Pylon’s Auth0 action, asked by the portal, ends at the deep link that the portal asked for', async (t) => {
  const browser = world.browser();
  const { redirectUri } = departure(await browser.get(`${LOGIN}&env=auth0-return`));
  const sentTo = (await runPylonSample(sample(PYLON.RETURN_SECRET, `${redirectUri}&`), ada.email)) ?? '';
  const seen = await browser.get(sentTo);
  t.equal(emailIn(portalToken(seen)), ada.email);
  t.match(seen.location, '&state=xyz&access_token=');
  await denied(t, world, 'once', 'login_already_used', () => browser.get(sentTo));
  await denied(t, world, 'only in the browser that left', 'login_not_from_this_browser', () =>
    world.browser().get(sentTo),
  );
  t.equal(await runPylonSample(sample(PYLON.RETURN_SECRET, `${redirectUri}&`), ada.email, 'another app'), undefined);
});

t.test('Pylon’s Auth0 action, started by the app, ends at the portal, once', async (t) => {
  const address = `${ORIGIN}/enter/auth0-enter/support?`;
  const sentTo = (await runPylonSample(sample(PYLON.ENTER_SECRET, address), ada.email)) ?? '';
  t.ok(sentTo.startsWith(`${address}access_token=`));
  const seen = await world.browser().get(sentTo);
  t.equal(emailIn(portalToken(seen)), ada.email);
  for (let again = 0; again < 2; again++) {
    await denied(t, world, 'a second time', 'jwt_replayed', () => world.browser().get(sentTo));
  }
  await denied(t, world, 'at the door of the other', 'unsolicited_not_allowed', () =>
    world.browser().get(sentTo.replace('auth0-enter', 'auth0-return')),
  );
  const { now } = world;
  world.now += 5 * 3600;
  await denied(t, world, 'five hours later', 'jwt_replayed', () => world.browser().get(sentTo));
  world.now += 5 * 3600 + 61;
  await denied(t, world, 'after its ten hours', 'jwt_expired', () => world.browser().get(sentTo));
  world.now = now;
});

t.test('Pylon’s Auth0 action with another secret, issuer or lifetime than configured is refused', async (t) => {
  const enter = (changes: Partial<PylonSample>) => async () => {
    const changed = { ...sample(PYLON.ENTER_SECRET, `${ORIGIN}/enter/auth0-enter/support?`), ...changes };
    return world.browser().get((await runPylonSample(changed, ada.email)) ?? '');
  };
  await denied(t, world, 'another secret', 'jwt_invalid_signature', enter({ secret: PYLON.RETURN_SECRET }));
  await denied(t, world, 'another issuer', 'jwt_issuer_mismatch', enter({ issuer: 'https://acme.eu.auth0.com' }));
});

t.test('HelpCenter.io’s mint function signs people in, and each of its tokens once', async (t) => {
  const browser = world.browser();
  const leave = async () => departure(await browser.get(`${LOGIN}&env=minting`)).redirectUri;
  const token = mintOnly(ada);
  const seen = await browser.get(`${await leave()}&access_token=${token}`);
  t.strictSame(Object.keys(decodeJwt(portalToken(seen))), ['iss', 'aud', 'iat', 'exp', 'jti', 'email']);
  const again = `${await leave()}&access_token=${token}`;
  await denied(t, world, 'the same token for another login', 'jwt_replayed', () => browser.get(again));
  t.equal((await browser.get(`${await leave()}&access_token=${mintOnly(ada)}`)).status, 302, 'a fresh one');
});

t.test('HelpCenter.io’s Express endpoint works as an environment’s login page', async (t) => {
  const browser = world.browser();
  const left = await browser.get(`${LOGIN}&env=express`);
  t.ok(left.location.startsWith(`${expressUrl}?redirect_uri=`));
  const answer = await fetch(left.location, { redirect: 'manual' });
  const seen = await browser.get(answer.headers.get('location') ?? '');
  t.equal(emailIn(portalToken(seen)), ada.email);
  t.ok(mint(ada).includes('.'));
});

t.test('case 39: none of it was anywhere else', (t) => {
  t.same(leaksOf(world), []);
  t.end();
});
