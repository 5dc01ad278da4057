import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { type Demo, startDemo } from '../../examples/demo/start.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium, type Person } from './chromium.ts';
import { choose, follow, logInAtPortal, read, signedIn, signInAs, signInToApp, signOut, typeEmail } from './person.ts';

type Journey = { readonly title: string; walk(t: Test, person: Person, demo: Demo): Promise<void> };

const JOURNEYS: readonly Journey[] = [
  {
    title: 'the portal starts, the person picks from the list, and signs out to the app of that place',
    async walk(_, { page }, { portal, environments }) {
      await logInAtPortal(page, portal);
      await choose(page, 'United States');
      await signInAs(page, 'Ada Fields');
      await signedIn(page, 'ada@initech.example');
      await signOut(page, environments.us);
      await logInAtPortal(page, portal);
      await read(page, 'Where do you sign in?');
    },
  },
  {
    title: 'the portal starts, the email address decides, and the sign-out ends at the customer’s own app',
    async walk(t, { page }, { portal, environments }) {
      await logInAtPortal(page, portal);
      await typeEmail(page, 'hank@globex.example');
      await read(page, 'Sign in to Globex');
      t.ok(await page.getByText('hank@globex.example').first().isVisible(), 'the email travels along');
      await signInAs(page, 'Hank Scorpio');
      await signedIn(page, 'hank@globex.example');
      await signOut(page, environments.globex);
    },
  },
  {
    title: 'the portal starts, the last choice is remembered, and nothing is asked',
    async walk(t, { page }, { portal, environments, router }) {
      await logInAtPortal(page, portal);
      await choose(page, 'Europe');
      await signInAs(page, 'Léa Moreau');
      await signedIn(page, 'lea@boulangerie.example');
      const seen = pagesOf(page);
      await page.goto(`${portal}/login`);
      await signedIn(page, 'lea@boulangerie.example');
      t.same(seen(router), [], 'the router shows no page');
      await signOut(page, environments.eu);
    },
  },
  {
    title: 'an email address of nobody leads to the list',
    async walk(_, { page }, { portal }) {
      await logInAtPortal(page, portal);
      await typeEmail(page, 'someone@nowhere.example');
      await page.getByRole('status').waitFor();
      await choose(page, 'Europe');
      await signInAs(page, 'Jonas Weber');
      await signedIn(page, 'jonas@werk.example');
    },
  },
  {
    title: 'the app starts, with a deep link and without, and the portal remembers the place next time',
    async walk(t, { page }, { portal, environments, router }) {
      await signInToApp(page, environments.eu, 'Léa Moreau');
      const seen = pagesOf(page);
      await follow(page, 'Help center');
      await signedIn(page, 'lea@boulangerie.example');
      await page.goto(environments.eu);
      await follow(page, 'How refunds work');
      await read(page, 'How refunds work');
      await signedIn(page, 'lea@boulangerie.example');
      await page.goto(environments.eu);
      await follow(page, 'Support portal');
      await signedIn(page, 'lea@boulangerie.example');
      await page.goto(`${portal}/login`);
      await signedIn(page, 'lea@boulangerie.example');
      t.same(seen(router), [], 'the router shows no page');
      await signOut(page, environments.eu);
    },
  },
  {
    title: 'the app starts, its person cancels there, and picks another place from the list',
    async walk(_, { page }, { router, environments }) {
      await page.goto(`${router}/enter/us/support`);
      await follow(page, 'Cancel');
      await read(page, 'Sign-in was cancelled');
      await follow(page, 'Start again');
      await read(page, 'Sign in to Acme United States');
      await follow(page, 'Cancel');
      await follow(page, 'Choose another place to sign in');
      await choose(page, 'Europe');
      await signInAs(page, 'Jonas Weber');
      await signedIn(page, 'jonas@werk.example');
      await signOut(page, environments.eu);
    },
  },
  {
    title: 'the app starts, its person cancels there, and is found by email address; or starts again',
    async walk(_, { page }, { router, environments }) {
      await page.goto(`${router}/enter/us/support`);
      await follow(page, 'Cancel');
      await follow(page, 'Choose another place to sign in');
      await typeEmail(page, 'hank@globex.example');
      await follow(page, 'Cancel');
      await follow(page, 'Start again');
      await signInAs(page, 'Hank Scorpio');
      await signedIn(page, 'hank@globex.example');
      await signOut(page, environments.globex);
    },
  },
  ...(['first', 'second'] as const).map(
    (before): Journey => ({
      title: `two tabs at once, the ${before} one finished before the other`,
      async walk(_, { page: first, tab }, { portal }) {
        const second = await tab();
        await logInAtPortal(first, portal);
        await logInAtPortal(second, portal);
        await choose(second, 'Europe');
        await choose(first, 'United States');
        const finish = {
          async first() {
            await signInAs(first, 'Sam Ortega');
            await signedIn(first, 'sam@hooli.example');
          },
          async second() {
            await signInAs(second, 'Jonas Weber');
            await signedIn(second, 'jonas@werk.example');
          },
        };
        await finish[before]();
        await finish[before === 'first' ? 'second' : 'first']();
      },
    }),
  ),
  {
    title: 'the Back button after a login says that it is done, and signs nobody in',
    async walk(t, { page, context }, { portal }) {
      await logInAtPortal(page, portal);
      await choose(page, 'United States');
      await signInAs(page, 'Ada Fields');
      await signedIn(page, 'ada@initech.example');
      const handed: string[] = [];
      context.on('request', (request) => handed.push(new URL(request.url()).pathname));
      await page.goBack();
      await read(page, 'Already signed in');
      t.notOk(handed.includes('/callback/jwt'), 'the portal gets no second token');
      await page.goto(portal);
      await signedIn(page, 'ada@initech.example');
    },
  },
];

for (const javaScriptEnabled of [true, false]) {
  const title = `in Chromium ${javaScriptEnabled ? 'with' : 'without'} JavaScript`;
  t.test(title, { skip: without(counterparts.chromium) }, async (t) => {
    const chromium = await openChromium(t);
    const demo = await startDemo({ ports: 'free', output: () => {} });
    t.teardown(() => demo.close());
    for (const { title, walk } of JOURNEYS) {
      await t.test(title, (t) => chromium.visit(t, { javaScriptEnabled }, (person) => walk(t, person, demo)));
    }
  });
}

/** From now on: the addresses of an origin that were shown as a page, not only passed through. */
function pagesOf(page: Page): (origin: string) => string[] {
  const shown: string[] = [];
  page.on('framenavigated', (frame) => shown.push(frame.url()));
  return (origin) => shown.filter((url) => url.startsWith(origin));
}
