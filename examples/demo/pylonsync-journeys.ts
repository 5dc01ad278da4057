/** Journeys with pylonsync in both of its parts: an environment that mints, and the mint that services trust. */
import assert from 'node:assert/strict';
import type { Journey } from './journeys.ts';
import { readTable } from './markup.ts';
import { trade } from './trade.ts';
import {
  expectAt,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
  logInAtPortal,
  press,
  signInAs,
  signInToApp,
  typeEmail,
} from './walk.ts';

type Metadata = Readonly<Record<'issuer' | 'authorization_endpoint' | 'token_endpoint' | 'jwks_uri', string>>;

export const PYLONSYNC_JOURNEYS: readonly Journey[] = [
  {
    title: 'pylonsync: what it mints signs its people in, at both portals, and out again',
    async walk(demo, browser) {
      const { initrode } = demo.environments;
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'peter@initrode.example');
      expectAt(browser, initrode);
      await signInAs(browser, 'Peter');
      expectSignedIn(browser, demo, { email: 'peter@initrode.example', account_external_id: 'initrode' });
      await browser.open(demo.helpCenter);
      await typeEmail(browser, 'peter@initrode.example');
      assert.equal(readTable(browser.shown().body).get('name'), 'Peter Gibbons');
      const page = await press(browser, 'Sign out');
      assert.equal(page.url.href, `${initrode}/`, 'the sign-out ends somewhere else');
      await expectSignedOut(browser, initrode);
    },
  },
  {
    title: 'pylonsync: the endpoints that it advertises are not there, and nobody is sent to them',
    async walk(demo, browser) {
      const { initrode } = demo.environments;
      const metadata = JSON.parse(
        (await browser.open(`${initrode}/.well-known/openid-configuration`)).body,
      ) as Metadata;
      for (const name of ['authorization_endpoint', 'token_endpoint'] as const)
        assert.equal((await browser.open(metadata[name])).status, 404, name);
      const before = browser.hops.length;
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'peter@initrode.example');
      await signInAs(browser, 'Peter');
      const visited = browser.hops.slice(before).filter(({ url }) => url.origin === initrode);
      assert.deepEqual([...new Set(visited.map(({ url }) => url.pathname))], ['/support-login', '/login']);
    },
  },
  {
    title: 'pylonsync takes its issuer from the Host header; the router does not',
    async walk(demo, browser) {
      const issuerAt = async (origin: string): Promise<string> => {
        const { body } = await browser.open(`${origin}/.well-known/openid-configuration`, { host: 'evil.example' });
        return (JSON.parse(body) as Metadata).issuer;
      };
      assert.equal(await issuerAt(demo.environments.initrode), 'http://evil.example');
      assert.equal(await issuerAt(demo.router), `${demo.router}/`);
    },
  },
  {
    title: 'pylonsync: a person who would rather not, and a JWT of its that is shown at another door',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'peter@initrode.example');
      await browser.click(({ text }) => text === 'Cancel', 'to cancel');
      expectRefusal(browser, demo, [403]);
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'peter@initrode.example');
      await signInAs(browser, 'Peter');
      const returned = browser.hops.findLast(({ url }) => url.pathname === '/return/initrode');
      const token = returned?.url.searchParams.get('access_token') ?? '';
      await assert.rejects(trade(demo.router, token, 'support'), /the router says invalid_request/);
    },
  },
  {
    title: 'pylonsync’s surface: services take what the router minted, by a shared secret and by its published keys',
    async walk(demo, browser) {
      const { us } = demo.environments;
      await signInToApp(browser, us, 'Ada');
      const { body } = await browser.click(({ text }) => text === 'Services behind this app', 'to the services');
      const said = '200 {"email":"ada@initech.example","tenant_id":"initech"}';
      assert.deepEqual(Object.fromEntries(readTable(body)), { billing: said, metrics: said });

      const minted = async (service: string): Promise<string> =>
        trade(demo.router, JSON.parse((await browser.open(`${us}/own-token`)).body).token, service);
      const statusAt = async (service: string, token: string): Promise<number> =>
        (await fetch(`${demo.downstream}/${service}`, { headers: { authorization: `Bearer ${token}` } })).status;
      assert.equal(await statusAt('metrics', await minted('billing')), 401, 'another service’s token');
      assert.equal(await statusAt('billing', await minted('metrics')), 401, 'another service’s token');
      assert.equal(await statusAt('billing', await minted('support')), 401, 'a portal’s token');
    },
  },
];
