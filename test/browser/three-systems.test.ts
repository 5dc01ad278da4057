/**
 * The three systems of the source documents in Chromium, all around one router: Pylon, HelpCenter.io with its redirect
 * and its widget, and pylonsync, in and out again.
 */
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { type Demo, startDemo } from '../../examples/demo/start.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { helpcenterSnippet } from '../support/samples.ts';
import { openChromium, type Person } from './chromium.ts';
import { inspect } from './looks.ts';
import {
  choose,
  follow,
  logInAtPortal,
  press,
  read,
  signedIn,
  signInAs,
  signInToApp,
  signOut,
  typeEmail,
} from './person.ts';

/** `minted`: what the router says about tokens since it was last asked. */
type Heard = Demo & { minted(): string[] };

type Journey = { readonly title: string; walk(t: Test, person: Person, demo: Heard): Promise<void> };

/** They need no script of anybody's. */
const REDIRECTS: readonly Journey[] = [
  {
    title: 'Pylon: in by its Remote Login URL, out by its Remote Logout URL',
    async walk(_, { page }, { portal, environments }) {
      await logInAtPortal(page, portal);
      await choose(page, 'United States');
      await signInAs(page, 'Ada Fields');
      await signedIn(page, 'ada@initech.example');
      await shows(page, 'account_external_id', 'initech');
      await signOut(page, environments.us);
      await page.goto(portal);
      await page.getByRole('link', { name: 'Log in' }).waitFor();
    },
  },
  {
    title: 'HelpCenter.io: in by subdomain and key, at the page that was wanted, and out',
    async walk(t, { page }, { helpCenter, environments }) {
      const asked = keysOf(page);
      await page.goto(`${helpCenter}/content/invoices`);
      await choose(page, 'Europe');
      await signInAs(page, 'Léa Moreau');
      await signedIn(page, 'lea@boulangerie.example');
      await read(page, 'Where your invoices are');
      t.equal(page.url(), `${helpCenter}/content/invoices`, 'the token did not stay in the address');
      t.equal(asked.length, 1);
      await shows(page, 'jti', asked[0] ?? '');
      await shows(page, 'name', 'Léa Moreau');
      await shows(page, 'role', 'viewer');
      await signOut(page, environments.eu);
      await page.goto(helpCenter);
      await read(page, 'Where do you sign in?');
    },
  },
  {
    title: 'HelpCenter.io: a link in the app asks nothing, and going back in history signs nobody in twice',
    async walk(t, { page }, { helpCenter, environments }) {
      await signInToApp(page, environments.us, 'Ada Fields');
      await follow(page, 'The other help center');
      await signedIn(page, 'ada@initech.example');
      const asked = keysOf(page);
      await page.goBack();
      await page.goForward();
      await signedIn(page, 'ada@initech.example');
      t.same(asked, [], 'no login');
      t.equal(new URL(page.url()).origin, helpCenter);
    },
  },
  {
    title: 'HelpCenter.io: whom it has suspended the router brings, and it sends away under its own name for it',
    async walk(_, { page }, { helpCenter }) {
      await page.goto(helpCenter);
      await choose(page, 'Europe');
      await signInAs(page, 'Jonas Weber');
      await read(page, 'This login was rejected');
      await page.getByText('Reason: user_banned').waitFor();
    },
  },
  {
    title: 'pylonsync as an environment: in at both portals by what it mints, and out to its app',
    async walk(t, { page }, { portal, helpCenter, environments }) {
      const { initrode } = environments;
      const visited = pathsAt(page, initrode);
      await logInAtPortal(page, portal);
      await typeEmail(page, 'peter@initrode.example');
      await signInAs(page, 'Peter Gibbons');
      await signedIn(page, 'peter@initrode.example');
      await shows(page, 'account_external_id', 'initrode');
      t.same([...new Set(visited)], ['/support-login', '/login'], 'nothing that its discovery document advertises');
      await page.goto(helpCenter);
      await typeEmail(page, 'peter@initrode.example');
      await signedIn(page, 'peter@initrode.example');
      await shows(page, 'name', 'Peter Gibbons');
      await signOut(page, initrode);
    },
  },
];

const WIDGETS: readonly Journey[] = [
  {
    title: 'HelpCenter.io’s widget: the documented snippet, its tokens from the app’s backend, no reload',
    async walk(t, { page }, { environments: { us }, helpCenter, minted }) {
      await signInToApp(page, us, 'Ada Fields');
      minted();
      await follow(page, 'Help right here');
      const served = await (await page.request.get(page.url())).text();
      const [, jwt = ''] = /jwt: '([^']+)'/.exec(served) ?? [];
      t.match(served, helpcenterSnippet(jwt, helpCenter).trim(), 'the snippet is the article’s, word by word');
      t.same(minted(), ['ok', 'ok'], 'a token for each of the two pages');
      await findArticles(page, 'ada@initech.example');
      await findArticles(page, 'ada@initech.example');
      t.same(minted(), [], 'the page’s own token served for both');
      await letExpire(page);
      await findArticles(page, 'ada@initech.example');
      t.same(minted(), ['ok'], 'one that is about to expire is replaced');
      await inspect(t, page, 'demo-widget');
    },
  },
  {
    title: 'HelpCenter.io’s widget: the page itself asks the router, and once it is signed out gets nothing more',
    async walk(t, { page }, { environments: { us }, minted }) {
      await signInToApp(page, us, 'Sam Ortega');
      minted();
      await follow(page, 'Help right here, by this page');
      await findArticles(page, 'sam@hooli.example');
      await letExpire(page);
      await findArticles(page, 'sam@hooli.example');
      t.same(minted(), ['ok', 'ok']);
      await page.request.post(`${us}/sign-out`, { headers: { origin: us } });
      await letExpire(page);
      await press(page, 'Find articles');
      await read(page, 'Nobody is signed in any more');
      t.same(minted(), [], 'no token of the app, none of the router');
    },
  },
  {
    title: 'pylonsync’s surface: services behind an app take what the router minted for them',
    async walk(t, { page }, { environments: { us }, minted }) {
      await signInToApp(page, us, 'Ada Fields');
      minted();
      await follow(page, 'Services behind this app');
      for (const service of ['billing', 'metrics'])
        await shows(page, service, '200 {"email":"ada@initech.example","tenant_id":"initech"}');
      t.same(minted(), ['ok', 'ok']);
    },
  },
];

t.test('the three systems of the source documents', { skip: without(counterparts.chromium) }, async (t) => {
  const log: string[] = [];
  const demo = await startDemo({ ports: 'free', output: (line) => log.push(line) });
  t.teardown(() => demo.close());
  let told = 0;
  const minted = (): string[] => {
    const lines = log.slice(told).map((line) => JSON.parse(line) as Record<string, unknown>);
    told = log.length;
    return lines.flatMap(({ event, reason }) => (/^token\./.test(String(event)) ? [String(reason)] : []));
  };
  const chromium = await openChromium(t);
  for (const javaScriptEnabled of [true, false]) {
    for (const { title, walk } of REDIRECTS) {
      await t.test(javaScriptEnabled ? title : `${title}, without JavaScript`, (t) =>
        chromium.visit(t, { javaScriptEnabled }, (person) => walk(t, person, { ...demo, minted })),
      );
    }
  }
  for (const { title, walk } of WIDGETS) {
    await t.test(title, (t) => chromium.visit(t, {}, (person) => walk(t, person, { ...demo, minted })));
  }
  await t.test('the guide says what to click', (t) =>
    chromium.visit(t, {}, async ({ page }) => {
      await page.goto(demo.guide);
      await read(page, 'A second portal, and its widget');
      await inspect(t, page, 'demo-guide');
    }),
  );
  t.notMatch(log.join('\n'), /eyJ|access_token=|jwt=/, 'no token in the log');
});

/** In the table of what a portal was told. */
const shows = (page: Page, name: string, value: string): Promise<void> =>
  page
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) })
    .getByText(value, { exact: true })
    .waitFor();

/** The keys with which the help center sends this tab to the router from now on. */
function keysOf(page: Page): string[] {
  const keys: string[] = [];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    const key = searchParams.get('key');
    if (pathname === '/help' && key !== null && request.redirectedFrom()) keys.push(key);
  });
  return keys;
}

/** Paths of one origin that this tab asks for from now on, pages and what they load. */
function pathsAt(page: Page, origin: string): string[] {
  const paths: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin === origin) paths.push(url.pathname);
  });
  return paths;
}

async function findArticles(page: Page, email: string): Promise<void> {
  await press(page, 'Find articles');
  await read(page, `Articles for ${email}`);
}

const letExpire = async (page: Page): Promise<void> => {
  await press(page, 'Let the token expire');
  await page.getByText('The next call asks the page for a fresh token.').waitFor();
};
