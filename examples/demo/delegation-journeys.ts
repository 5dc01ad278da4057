/** Journeys through environments that sign no token for the router: each signs in and out in words of its own. */
import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import type { Browser } from './browser.ts';
import type { Journey } from './journeys.ts';
import { LIVE_CLOCK_PATH } from './live-clock.ts';
import { readTitle } from './markup.ts';
import type { Demo } from './start.ts';
import {
  chooseFromList,
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

export const DELEGATION_JOURNEYS: readonly Journey[] = [
  {
    title: 'an OpenID provider: in by email address, again without a question, and out of its session, too',
    async walk(demo, browser) {
      const { wonka } = demo.environments;
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'charlie@wonka.example');
      expectAt(browser, wonka);
      assert.match(browser.shown().body, /Expected: <strong>charlie@wonka/, 'the email did not travel along');
      await signInAs(browser, 'Charlie');
      expectSignedIn(browser, demo, { email: 'charlie@wonka.example', account_external_id: 'wonka-eu' });
      await browser.open(`${demo.portal}/login`);
      expectSignedIn(browser, demo, { email: 'charlie@wonka.example' });

      await press(browser, 'Sign out');
      expectAt(browser, wonka);
      const page = await press(browser, 'Yes, sign out');
      assert.equal(page.url.href, `${wonka}/`, 'the sign-out ends somewhere else');
      await expectSignedOut(browser, demo.portal);
      await browser.open(wonka);
      await browser.click(({ text }) => text === 'Help center', 'to the help center');
      assert.equal(readTitle(browser.shown().body), 'Sign in to Wonka', 'the provider still knows this browser');
    },
  },
  {
    title: 'an OpenID provider: an address that it has not verified is not believed, and cancelling is understood',
    async walk(demo, browser) {
      await browser.open(demo.environments.wonka);
      await browser.click(({ text }) => text === 'Help center', 'to the help center');
      await browser.click(({ text }) => text === 'Cancel', 'to cancel');
      expectRefusal(browser, demo, [403]);
      await browser.click(({ text }) => text === 'Start again', 'to start again');
      await signInAs(browser, 'Veruca');
      expectRefusal(browser, demo, [403]);
      await expectSignedOut(browser, demo.portal);
    },
  },
  {
    title: 'a shared session: in by its login page, and out',
    async walk(demo, browser) {
      const { account } = demo.environments;
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'account');
      expectAt(browser, account);
      await signInAs(browser, 'Nina');
      expectSignedIn(browser, demo, { email: 'nina@acme.example', account_external_id: 'acme' });
      const page = await press(browser, 'Sign out');
      assert.equal(page.url.href, `${account}/`, 'the sign-out ends somewhere else');
      await expectSignedOut(browser, account);
      await expectSignedOut(browser, demo.portal);
    },
  },
  {
    title: 'a shared session: who is signed in already goes straight to the portal',
    async walk(demo, browser) {
      const { account } = demo.environments;
      await signInToApp(browser, account, 'Nina');
      const before = browser.hops.length;
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'account');
      expectSignedIn(browser, demo, { email: 'nina@acme.example' });
      const detours = browser.hops.slice(before).filter(({ url }) => url.origin === account);
      assert.deepEqual(detours, [], 'there was a detour by the app');
    },
  },
  {
    title: 'behind the router: its redirect to the portal is caught, the portal gets our token, and out again',
    async walk(demo, browser) {
      const { soylent } = demo.environments;
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'robert@soylent.example');
      expectAt(browser, soylent);
      await signInAs(browser, 'Robert');
      expectSignedIn(browser, demo, { email: 'robert@soylent.example', account_external_id: 'soylent' });
      expectOneDelivery(browser, demo);
      const page = await press(browser, 'Sign out');
      assert.equal(page.url.href, `${soylent}/app`, 'the sign-out ends somewhere else');
      await expectSignedOut(browser, `${soylent}/app`);
      await expectSignedOut(browser, demo.portal);
    },
  },
  {
    title: 'behind the router: started by its app, which signs a token that nobody asked for',
    async walk(demo, browser) {
      const app = `${demo.environments.soylent}/app`;
      await signInToApp(browser, app, 'Robert');
      await browser.click(({ text }) => text === 'How refunds work', 'to the article');
      expectSignedIn(browser, demo, { email: 'robert@soylent.example', account_external_id: 'soylent' });
      assert.equal(browser.shown().url.pathname, '/articles/refunds');
      expectOneDelivery(browser, demo);
    },
  },
  {
    title: 'behind the router: a WebSocket passes, and a page that is not listed does not',
    async walk(demo, browser) {
      const { soylent } = demo.environments;
      await browser.open(`${soylent}/staff-only`);
      assert.equal(browser.shown().status, 404);
      assert.doesNotMatch(browser.shown().body, /Nobody outside/);
      assert.match(await firstMessage(soylent), /^\d\d:\d\d:\d\d$/);
    },
  },
];

/** Exactly one token came to the portal, and it was the router's: the installation's own never got there. */
function expectOneDelivery(browser: Browser, demo: Demo): void {
  const tokens = browser.hops
    .filter(({ url }) => url.origin === demo.portal && url.pathname === '/callback/jwt')
    .map(({ url }) => url.searchParams.get('access_token') ?? '');
  const issuers = tokens.map((token) => {
    const [, payload = ''] = token.split('.');
    return JSON.parse(Buffer.from(payload, 'base64url').toString()).iss;
  });
  assert.deepEqual(issuers, [`${demo.router}/`], 'who signed what came to the portal');
}

/** What the clock on the login page says first, asked for as a page of that host does it. */
function firstMessage(origin: string): Promise<string> {
  const { host, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${LIVE_CLOCK_PATH}`, {
      origin,
      headers: { host },
      handshakeTimeout: 5_000,
    });
    socket.once('error', reject).once('message', (message) => {
      resolve(String(message));
      socket.close();
    });
  });
}
