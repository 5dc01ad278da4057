/** Journeys to the second portal, HelpCenter.io: by its redirect, and by its widget on a page of an app. */
import assert from 'node:assert/strict';
import type { Browser, Page } from './browser.ts';
import type { Journey } from './journeys.ts';
import { readTable, readTitle } from './markup.ts';
import type { Demo } from './start.ts';
import { tradeFields } from './trade.ts';
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
} from './walk.ts';

export const HELP_CENTER_JOURNEYS: readonly Journey[] = [
  {
    title: 'HelpCenter.io: sent away with a key, back with a token whose jti is that key, and out again',
    async walk(demo, browser) {
      const { us } = demo.environments;
      await browser.open(demo.helpCenter);
      await chooseFromList(browser, 'us');
      expectAt(browser, us);
      await signInAs(browser, 'Ada');
      expectInside(browser, demo, { email: 'ada@initech.example', name: 'Ada Fields', role: 'viewer' });
      const page = await press(browser, 'Sign out');
      assert.equal(page.url.href, `${us}/`, 'the sign-out ends somewhere else');
      await expectSignedOut(browser, us);
      await browser.open(demo.helpCenter);
      expectAt(browser, demo.router);
    },
  },
  {
    title: 'HelpCenter.io: the page that was wanted is where the login ends',
    async walk(demo, browser) {
      await browser.open(`${demo.helpCenter}/content/invoices`);
      await chooseFromList(browser, 'us');
      await signInAs(browser, 'Sam');
      assert.equal(expectInside(browser, demo, { email: 'sam@hooli.example' }).url.pathname, '/content/invoices');
    },
  },
  {
    title: 'two portals, one list of environments: in by one session, and out of each by itself',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'eu');
      await signInAs(browser, 'Léa');
      expectSignedIn(browser, demo, { email: 'lea@boulangerie.example' });
      await browser.open(demo.helpCenter);
      await chooseFromList(browser, 'eu');
      expectInside(browser, demo, { email: 'lea@boulangerie.example', name: 'Léa Moreau' });
      const page = await press(browser, 'Sign out');
      assert.equal(page.url.href, `${demo.environments.eu}/`);
      await browser.open(demo.portal);
      assert.match(
        browser.shown().body,
        /Signed in as lea@/,
        'signing out of one portal is not signing out of another',
      );
    },
  },
  {
    title: 'HelpCenter.io: a link in the app leads in without a question',
    async walk(demo, browser) {
      await signInToApp(browser, demo.environments.us, 'Ada');
      await browser.click(({ text }) => text === 'The other help center', 'to the help center');
      expectInside(browser, demo, { email: 'ada@initech.example' });
    },
  },
  {
    title: 'HelpCenter.io: what it refuses, it refuses by its own reasons',
    async walk(demo, browser) {
      await browser.open(demo.helpCenter);
      await chooseFromList(browser, 'us');
      await signInAs(browser, 'Ada');
      await browser.open(deliveryOf(browser, demo));
      await expectRejected(browser, demo, 'jwt_replayed');
      await browser.open(`${demo.router}/help?subdomain=acme&key=of-nobody&env=us`);
      await expectRejected(browser, demo, 'jwt_replayed');
    },
  },
  {
    title: 'HelpCenter.io: whom it has suspended does not get in',
    async walk(demo, browser) {
      await browser.open(demo.helpCenter);
      await chooseFromList(browser, 'eu');
      await signInAs(browser, 'Jonas');
      await expectRejected(browser, demo, 'user_banned');
    },
  },
  {
    title: 'HelpCenter.io: a request for another help center, or without its key, leads nowhere',
    async walk(demo, browser) {
      for (const query of ['subdomain=evil.example/%23&key=k', 'subdomain=acme', 'subdomain=acme&key=a&key=b']) {
        await browser.open(`${demo.router}/help?${query}`);
        expectRefusal(browser, demo, [400]);
      }
    },
  },
  {
    title: 'HelpCenter.io’s widget: the app’s backend trades for its tokens, the first and each that follows',
    async walk(demo, browser) {
      const { us } = demo.environments;
      await signInToApp(browser, us, 'Ada');
      const { body } = await browser.click(({ text }) => text === 'Help right here', 'to the widget');
      const [, first = ''] = /jwt: '([^']+)'/.exec(body) ?? [];
      const { jwt: second } = JSON.parse((await browser.open(`${us}/helpcenter-token`)).body);
      assert.notEqual(first, second);
      for (const token of [first, second]) {
        assert.deepEqual(await askAsWidget(demo, token, 'one'), { status: 200, email: 'ada@initech.example' });
        assert.deepEqual(await askAsWidget(demo, token, 'one'), { status: 200, email: 'ada@initech.example' });
      }
      assert.deepEqual(await askAsWidget(demo, first, 'another'), { status: 401, reason: 'jwt_replayed' });
    },
  },
  {
    title: 'HelpCenter.io’s widget: a page of the app trades by itself, and a page of another app cannot',
    async walk(demo, browser) {
      const { us, eu } = demo.environments;
      await signInToApp(browser, us, 'Ada');
      const { token } = JSON.parse((await browser.open(`${us}/own-token`)).body);
      assert.deepEqual(await tradeAsPage(demo, token, eu), { status: 403, readable: null });
      const { jwt, ...traded } = await tradeAsPage(demo, token, us);
      assert.deepEqual(traded, { status: 200, readable: us });
      assert.deepEqual(await askAsWidget(demo, jwt ?? '', 'w'), { status: 200, email: 'ada@initech.example' });
      assert.deepEqual(await tradeAsPage(demo, token, us), { status: 401, readable: us }, 'a token is traded once');
    },
  },
];

/** The help center's page shows these claims, and the `jti` is the key that it sent along. */
function expectInside(browser: Browser, demo: Demo, claims: Readonly<Record<string, string>>): Page {
  const page = browser.shown();
  expectAt(browser, demo.helpCenter);
  const told = readTable(page.body);
  const keys = browser.hops.flatMap(({ url }) => (url.pathname === '/help' ? [url.searchParams.get('key')] : []));
  const expected = { ...claims, jti: keys.at(-1) ?? '', iss: `${demo.router}/` };
  for (const [name, value] of Object.entries(expected)) assert.equal(told.get(name), value, name);
  assert.doesNotMatch(page.url.search, /jwt/, 'the token stayed in the address');
  return page;
}

async function expectRejected(browser: Browser, demo: Demo, reason: string): Promise<void> {
  const { url, status, body } = browser.shown();
  assert.equal(url.origin, demo.helpCenter);
  assert.equal(status, 401, readTitle(body));
  assert.match(body, new RegExp(`<strong>${reason}</strong>`));
  const logs = await browser.open(`${demo.helpCenter}/logs`);
  assert.match(logs.body, new RegExp(`sso\\.redirect_flow\\.rejected ${reason}`));
}

/** Where the token went, token included. */
const deliveryOf = (browser: Browser, demo: Demo): URL =>
  browser.hops.findLast(({ url }) => url.origin === demo.helpCenter && url.pathname === '/sso/jwt')?.url ??
  assert.fail('no token came to the help center');

/** A call of the widget. */
async function askAsWidget(demo: Demo, token: string, widget: string): Promise<object> {
  const answer = await fetch(`${demo.helpCenter}/api/articles?widget=${widget}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { email, reason } = (await answer.json()) as { email?: string; reason?: string };
  return { status: answer.status, ...(email !== undefined && { email }), ...(reason !== undefined && { reason }) };
}

/** As the script of a page does; `readable`: whose pages may read the answer. */
async function tradeAsPage(demo: Demo, token: string, origin: string) {
  const body = new URLSearchParams(tradeFields(token, 'help'));
  const answer = await fetch(`${demo.router}/api/auth/jwt`, { method: 'POST', headers: { origin }, body });
  const { jwt } = (await answer.json()) as { jwt?: string };
  const readable = answer.headers.get('access-control-allow-origin');
  return { status: answer.status, readable, ...(jwt !== undefined && { jwt }) };
}
