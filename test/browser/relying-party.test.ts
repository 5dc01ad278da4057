/** Portals that speak OpenID Connect in Chromium: in through the router, out again, and told of every other way out. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { clientPortalWords, openClientPortal } from '../provider/openid-client-portal.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { PASSWORD } from '../support/saml/simplesaml.ts';
import { openChromium } from './chromium.ts';
import { openDelegations } from './delegations.ts';
import { inspect } from './looks.ts';
import { eventsOf, overhear } from './overheard.ts';
import { choose, follow, press, read, signedIn, signInAs } from './person.ts';

const ADA = 'ada@initech.example';

/** The router is another site than the portal: `localhost`, 127.0.0.1. */
async function openHelp(t: Test) {
  const { stage, environments, oscorp, oscorpByForms } = await openDelegations(t);
  const folder = await mkdtemp(join(tmpdir(), 'wayhome-browser-oidc-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const clientSecret = randomBytes(32).toString('base64url');
  const file = join(folder, 'client-secret');
  await writeFile(file, clientSecret);
  const port = stage.ports.soylent;
  const portals = {
    help: {
      title: 'Acme Help',
      oidc: {
        client_id: 'help',
        client_secret: { file },
        ...clientPortalWords(port),
        scopes: ['openid', 'email', 'profile', 'offline_access'],
        allow_private: true,
      },
    },
  };
  const help = await openClientPortal(t, { port, issuer: `${stage.router}/`, clientId: 'help', clientSecret });
  const serve = (saml = environments.oscorp) =>
    stage.serve({ portals, environments: { ...environments, oscorp: saml } });
  return { stage, help, oscorp, oscorpByForms, serve, secrets: { ...stage.variables, clientSecret } };
}

async function signInAtOscorp(page: Page): Promise<void> {
  await page.getByLabel('Username').fill('norman');
  await page.getByLabel('Password').fill(PASSWORD);
  await press(page, 'Login');
}

const skip = without(counterparts.chromium) || without(counterparts.simpleSaml);

t.test('portals that speak OpenID Connect', { skip }, async (t) => {
  const chromium = await openChromium(t);
  const { stage, help, oscorp, oscorpByForms, serve, secrets } = await openHelp(t);
  const { portal } = stage;

  for (const javaScriptEnabled of [true, false]) {
    const title = javaScriptEnabled ? 'in, refreshed, out' : 'the same without JavaScript';
    await t.test(title, async (t) => {
      await serve();
      const since = stage.log.length;
      await chromium.visit(t, { javaScriptEnabled }, async ({ page, context }) => {
        const overheard = overhear(context);
        await page.goto(help.origin);
        await follow(page, 'Log in');
        await choose(page, 'United States');
        await signInAs(page, 'Ada Fields');
        await signedIn(page, ADA);
        await follow(page, 'Refresh');
        await page.getByText('Refreshed 1 times').waitFor();

        await follow(page, 'Log out');
        await read(page, 'You are signed out: bye');
        t.equal(page.url(), `${help.origin}/signed-out?state=bye`);
        t.same(help.people(), []);
        t.same(help.told.splice(0).sort(), ['back', 'front']);
        t.same(overheard.requestsTo(`${help.origin}/told-front`).length, 1);
        t.same(eventsOf(stage.log.slice(since), 'login.completed', 'logout.completed'), [
          ['login.completed', 'us', 'picker_chosen'],
          ['logout.completed', 'us', 'visit_ended'],
        ]);
        await page.goto(help.origin);
        await follow(page, 'Log in');
        await choose(page, 'United States');
        await page.getByRole('button', { name: 'Ada Fields' }).waitFor();
        t.ok(page.url().startsWith(stage.us), 'the environment’s session is over, too');
        t.same(await overheard.foundIn(stage.log.slice(since), secrets), [], 'the log holds nothing of it');
      });
    });
  }

  await t.test('the page that loads the frames is in order', async (t) => {
    await serve();
    await chromium.visit(t, {}, async ({ page, context }) => {
      // An answer without content: the browser stays where it is.
      await context.route(`${help.origin}/signed-out*`, (route) => route.fulfill({ status: 204 }));
      await page.goto(`${help.origin}/login?domain_hint=us`);
      await signInAs(page, 'Ada Fields');
      await signedIn(page, ADA);
      await follow(page, 'Log out');
      await read(page, 'You are signed out');
      await inspect(t, page, 'signed-out-of-relying-party');
    });
  });

  await t.test('who has a session is not asked again, and a sign-out at another portal ends it', async (t) => {
    await serve();
    await chromium.visit(t, {}, async ({ page }) => {
      await page.goto(`${portal}/login?env=us`);
      await signInAs(page, 'Ada Fields');
      await signedIn(page, ADA);
      await page.goto(`${help.origin}/login?domain_hint=us`);
      await signedIn(page, ADA);
      await page.goto(`${help.origin}/login?prompt=none`);
      await signedIn(page, ADA);

      help.told.splice(0);
      await page.goto(portal);
      await press(page, 'Sign out');
      await page.waitForURL(`${stage.us}/`);
      t.same(help.people(), []);
      t.same(help.told.sort(), ['back', 'front']);
      await page.goto(`${help.origin}/login?prompt=none`);
      await read(page, 'Refused: login_required');
    });
  });

  for (const [manner, saml] of [
    ['by redirects', undefined],
    ['by forms', oscorpByForms],
  ] as const) {
    await t.test(`a SAML provider’s own sign-out reaches the portal, ${manner}`, async (t) => {
      await serve(saml);
      const since = stage.log.length;
      await chromium.visit(t, {}, async ({ page }) => {
        await page.goto(`${help.origin}/login?env=oscorp`, { waitUntil: 'commit' });
        await signInAtOscorp(page);
        await signedIn(page, 'norman@oscorp.example');
        help.told.splice(0);
        const end = `${oscorp}/module.php/core/frontpage_welcome.php`;
        await page.goto(`${oscorp}/saml2/idp/SingleLogoutService.php?ReturnTo=${encodeURIComponent(end)}`, {
          waitUntil: 'commit',
        });
        await page.waitForURL(end);
        t.same(help.people(), []);
        t.same(help.told.sort(), ['back', 'front']);
        t.same(eventsOf(stage.log.slice(since), 'logout.completed'), [
          ['logout.completed', 'oscorp', 'ended_by_environment'],
        ]);
      });
    });
  }
});
