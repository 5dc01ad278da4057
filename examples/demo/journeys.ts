/**
 * Every journey of the demo, clicked through: here those from Pylon's stand-in through the regions, in the other files
 * those through other kinds of environments, to HelpCenter.io and with pylonsync. Addresses come from the pages' own
 * links and forms; each journey has a browser that has never been anywhere.
 */
import assert from 'node:assert/strict';
import { Browser } from './browser.ts';
import { DELEGATION_JOURNEYS } from './delegation-journeys.ts';
import { HELP_CENTER_JOURNEYS } from './help-center-journeys.ts';
import { Jar } from './jar.ts';
import { PYLONSYNC_JOURNEYS } from './pylonsync-journeys.ts';
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

export type Journey = { readonly title: string; walk(demo: Demo, browser: Browser): Promise<void> };

const SOMEBODY = {
  us: { person: 'Ada', email: 'ada@initech.example' },
  eu: { person: 'Léa', email: 'lea@boulangerie.example' },
  globex: { person: 'Hank', email: 'hank@globex.example' },
} as const;

const isReturn = (url: URL): boolean => url.pathname.startsWith('/return/');

export const JOURNEYS: readonly Journey[] = [
  {
    title: 'choosing from the list, to the United States',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'us');
      expectAt(browser, demo.environments.us);
      await signInAs(browser, 'Ada');
      expectSignedIn(browser, demo, { email: 'ada@initech.example', account_external_id: 'initech' });
    },
  },
  {
    title: 'typing an email address, to Globex, whose account the routes set',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'hank@globex.example');
      expectAt(browser, demo.environments.globex);
      assert.match(browser.shown().body, /hank@globex\.example/, 'the email did not travel along');
      await signInAs(browser, 'Hank');
      expectSignedIn(browser, demo, { email: 'hank@globex.example', account_external_id: 'globex' });
    },
  },
  {
    title: 'an email address of nobody is asked for again',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'someone@nowhere.example');
      expectAt(browser, demo.router);
      await chooseFromList(browser, 'eu');
      await signInAs(browser, 'Jonas');
      expectSignedIn(browser, demo, { email: 'jonas@werk.example' });
    },
  },
  {
    title: 'the second time, nothing is asked',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'eu');
      await signInAs(browser, 'Léa');
      await browser.open(`${demo.portal}/login`);
      expectSignedIn(browser, demo, { email: 'lea@boulangerie.example', account_id: 'acc_2041' });
    },
  },
  {
    title: 'an article behind the login is where the login ends',
    async walk(demo, browser) {
      await browser.open(demo.portal);
      await browser.click(({ text }) => text.includes('refunds'), 'to the article');
      await chooseFromList(browser, 'us');
      const page = await signInAs(browser, 'Sam');
      expectSignedIn(browser, demo, { email: 'sam@hooli.example' });
      assert.equal(page.url.pathname, '/articles/refunds');
    },
  },
  {
    title: 'a hint in the portal’s link, to Europe',
    async walk(demo, browser) {
      await browser.open(`${demo.portal}/login?env=eu`);
      expectAt(browser, demo.environments.eu);
      await signInAs(browser, 'Jonas');
      expectSignedIn(browser, demo, { email: 'jonas@werk.example' });
    },
  },
  {
    title: 'a hint on the Remote Login URL, to Europe',
    async walk(demo, browser) {
      await browser.open(`${await loginUrl(demo, browser)}&env=eu`);
      expectAt(browser, demo.environments.eu);
    },
  },
  {
    title: 'a rule about a request header, to Europe',
    async walk(demo, browser) {
      await browser.open(await loginUrl(demo, browser), { 'cf-ipcountry': 'DE' });
      expectAt(browser, demo.environments.eu);
    },
  },
  {
    title: 'a link to the portal in the Europe app, to Europe',
    async walk(demo, browser) {
      await signInToApp(browser, demo.environments.eu, 'Léa');
      await browser.click(({ text }) => text === 'Support portal', 'to the portal');
      expectSignedIn(browser, demo, { email: 'lea@boulangerie.example' });
    },
  },
  ...(['us', 'eu', 'globex'] as const).map(
    (name): Journey => ({
      title: `started by the ${name} app, with and without a deep link`,
      async walk(demo, browser) {
        const { person, email } = SOMEBODY[name];
        await signInToApp(browser, demo.environments[name], person);
        await browser.click(({ text }) => text === 'Help center', 'to the help center');
        expectSignedIn(browser, demo, { email });
        await browser.open(demo.environments[name]);
        const page = await browser.click(({ text }) => text === 'How refunds work', 'to the article');
        expectSignedIn(browser, demo, { email });
        assert.equal(page.url.pathname, '/articles/refunds');
      },
    }),
  ),
  {
    title: 'two tabs, the first finished last',
    async walk(demo) {
      const jar = new Jar();
      const [first, second] = [new Browser(jar), new Browser(jar)];
      try {
        for (const [tab, name] of [
          [first, 'us'],
          [second, 'eu'],
        ] as const) {
          await logInAtPortal(tab, demo);
          await chooseFromList(tab, name);
        }
        await signInAs(second, 'Jonas');
        expectSignedIn(second, demo, { email: 'jonas@werk.example' });
        await signInAs(first, 'Sam');
        expectSignedIn(first, demo, { email: 'sam@hooli.example' });
      } finally {
        await Promise.all([first.close(), second.close()]);
      }
    },
  },
  {
    title: 'signing out: the environment too, ending at its app, and nothing is remembered',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'us');
      await signInAs(browser, 'Ada');
      const page = await press(browser, 'Sign out');
      assert.equal(page.url.href, `${demo.environments.us}/`, 'the sign-out ends somewhere else');
      await expectSignedOut(browser, demo.environments.us);
      await expectSignedOut(browser, demo.portal);
      await logInAtPortal(browser, demo);
      expectAt(browser, demo.router);
    },
  },
  {
    title: 'cancelling at the environment, and starting again',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'eu');
      await browser.click(({ text }) => text === 'Cancel', 'to cancel');
      expectRefusal(browser, demo, [403]);
      await browser.click(({ text }) => text === 'Start again', 'to start again');
      await chooseFromList(browser, 'us');
      await signInAs(browser, 'Ada');
      expectSignedIn(browser, demo, { email: 'ada@initech.example' });
    },
  },
  {
    title: 'Globex speaking for somebody else’s people is not believed',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await typeEmail(browser, 'hank@globex.example');
      await signInAs(browser, 'Mallory');
      expectRefusal(browser, demo, [403]);
      await expectSignedOut(browser, demo.portal);
    },
  },
  {
    title: 'a return address works once',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'us');
      await signInAs(browser, 'Ada');
      const returned = browser.hops.find(({ url }) => isReturn(url));
      assert.ok(returned, 'no return address on the way');
      await browser.open(returned.url);
      expectRefusal(browser, demo, [401, 403, 410]);
    },
  },
  {
    title: 'a return address works only in the browser that left, and that one still gets in',
    async walk(demo, browser) {
      await logInAtPortal(browser, demo);
      await chooseFromList(browser, 'us');
      browser.stopAt = isReturn;
      await signInAs(browser, 'Ada');
      const address = browser.hops.at(-1)?.location ?? '';
      const stranger = new Browser();
      try {
        await stranger.open(address);
        expectRefusal(stranger, demo, [400, 403]);
      } finally {
        await stranger.close();
      }
      browser.stopAt = () => false;
      await browser.open(address);
      expectSignedIn(browser, demo, { email: 'ada@initech.example' });
    },
  },
  ...DELEGATION_JOURNEYS,
  ...HELP_CENTER_JOURNEYS,
  ...PYLONSYNC_JOURNEYS,
  {
    title: 'a foreign return address in the portal’s request leads nowhere',
    async walk(demo, browser) {
      const url = new URL(await loginUrl(demo, browser));
      url.searchParams.set('redirect_uri', 'https://portal.evil.example/callback/jwt?orgSlug=acme');
      await browser.open(url);
      expectRefusal(browser, demo, [400]);
    },
  },
  {
    title: 'metadata and public keys on the login address’s origin; what is shared with a portal is not among them',
    async walk(demo, browser) {
      const metadata = await json(browser, `${demo.router}/.well-known/openid-configuration`);
      assert.equal(metadata.issuer, `${demo.router}/`);
      assert.equal(new URL(String(metadata.jwks_uri)).origin, demo.router);
      for (const url of [
        String(metadata.jwks_uri),
        `${demo.router}/oidc/jwks`,
        `${demo.router}/.well-known/jwks.json`,
      ]) {
        const { keys } = (await json(browser, url)) as { keys: { alg: string; d?: string }[] };
        assert.ok(keys.length > 0 && keys.every(({ alg, d }) => alg === 'RS256' && d === undefined), url);
      }
    },
  },
  {
    title: 'health on the admin listener, and only there',
    async walk(demo, browser) {
      for (const path of ['/healthz', '/readyz']) {
        assert.equal((await browser.open(demo.admin + path)).status, 200, path);
        assert.equal((await browser.open(demo.router + path)).status, 404, `${path} on the public listener`);
      }
    },
  },
];

/** The Remote Login URL with the portal's request, taken from where the portal's “Log in” leads. */
async function loginUrl(demo: Demo, browser: Browser): Promise<string> {
  browser.stopAt = (url) => url.origin === demo.router;
  await logInAtPortal(browser, demo);
  browser.stopAt = () => false;
  return browser.hops.at(-1)?.location ?? assert.fail('the portal’s “Log in” leads nowhere');
}

async function json(browser: Browser, url: string): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await browser.open(url);
  assert.equal(status, 200, url);
  return JSON.parse(body) as Record<string, unknown>;
}
