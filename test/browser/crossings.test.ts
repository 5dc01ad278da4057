/** Where the browser carries something from one site to another: cookies, forms, and what a policy may stop. */
import t from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium } from './chromium.ts';
import { leaveUnfinished } from './pages.ts';
import {
  choose,
  follow,
  logInAtPortal,
  press,
  read,
  signedIn,
  signInAs,
  signOut,
  signOutOfApp,
  typeEmail,
} from './person.ts';
import { openStage } from './stage.ts';

const skip = without(counterparts.chromium);
const FORM_POST = { portals: { support: { delivery: { mode: 'form_post', param: 'jwt' } } } };

t.test('between sites', { skip }, async (t) => {
  const [chromium, stage] = [await openChromium(t), await openStage(t)];
  const { portal, router, eu } = stage;

  await t.test('Chromium keeps the router’s cookies on http://localhost as __Host- cookies', async (t) => {
    await stage.serve({});
    await chromium.visit(t, {}, async ({ page, context }) => {
      const kept = async () =>
        (await context.cookies(router)).map(({ name, domain, path, secure, httpOnly, sameSite }) => ({
          name: name.replace(/\.[a-z0-9]{10}$/, '.…'),
          domain,
          path,
          secure,
          httpOnly,
          sameSite,
        }));
      const host = { domain: 'localhost', path: '/', secure: true, httpOnly: true };
      const login = { name: '__Host-wayhome-login.…', ...host, sameSite: 'None' };
      const visit = { name: '__Host-wayhome-visit.support.us', ...host, sameSite: 'Lax' };
      await logInAtPortal(page, portal);
      t.same(await kept(), [], 'asking leaves no cookie');
      await choose(page, 'United States');
      await read(page, /^Sign in to/);
      t.same(await kept(), [login]);
      await signInAs(page, 'Ada Fields');
      await signedIn(page, 'ada@initech.example');
      t.same(
        (await kept()).find(({ name }) => name === visit.name),
        visit,
      );
      await page.goto(`${router}/nowhere`);
      t.equal(await page.locator('html').evaluate((root) => root.ownerDocument.cookie), '', 'no script reads them');
      await page.goto(portal);
      await signOut(page, stage.us);
      t.notOk(
        (await kept()).some(({ name }) => name === visit.name),
        'the visit ends with the sign-out',
      );
    });
  });

  await t.test('who is remembered to the wrong region is one click from the right one, and stays there', async (t) => {
    await stage.serve({});
    await chromium.visit(t, {}, async ({ page }) => {
      await logInAtPortal(page, portal);
      await choose(page, 'Europe');
      await signInAs(page, 'Jonas Weber');
      await signedIn(page, 'jonas@werk.example');
      await signOutOfApp(page, eu);
      stage.ahead += 1;
      await page.goto(`${portal}/login`);
      await read(page, 'Sign in to eu');
      await follow(page, 'Cancel');
      await read(page, 'Sign-in was cancelled');
      await follow(page, 'United States');
      await signInAs(page, 'Ada Fields');
      await signedIn(page, 'ada@initech.example');
      stage.ahead += 1;
      await page.goto(`${portal}/login`);
      await signedIn(page, 'ada@initech.example');
    });
  });

  for (const javaScriptEnabled of [true, false]) {
    const title = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';

    await t.test(`${title}, a form carries the token to the portal, and no address holds it`, async (t) => {
      await stage.serve(FORM_POST);
      await chromium.visit(t, { javaScriptEnabled }, async ({ page }) => {
        const handed: { method: string; inAddress: boolean; posted: boolean }[] = [];
        page.on('request', (request) => {
          if (!request.url().startsWith(`${portal}/callback/`)) return;
          const { search } = new URL(request.url());
          handed.push({
            method: request.method(),
            inAddress: /eyJ|jwt=|access_token=/.test(search),
            posted: /^jwt=eyJ[\w.-]+$/.test(request.postData() ?? ''),
          });
        });
        const handOver = async () => {
          if (javaScriptEnabled) return;
          await read(page, 'Signing you in');
          await press(page, 'Continue');
        };
        await logInAtPortal(page, portal);
        await choose(page, 'Europe');
        await signInAs(page, 'Léa Moreau');
        await handOver();
        await signedIn(page, 'lea@boulangerie.example');
        await page.goto(eu);
        await follow(page, 'How refunds work');
        await handOver();
        await read(page, 'How refunds work');
        await signedIn(page, 'lea@boulangerie.example');
        const once = { method: 'POST', inAddress: false, posted: true };
        t.same(handed, [once, once]);
        await signOut(page, eu);
      });
    });

    for (const [delivery, changes] of [
      ['in the address', {}],
      ['by another form', FORM_POST],
    ] as const) {
      await t.test(`${title}, an environment posts its answer from its own site; it goes on ${delivery}`, async (t) => {
        await stage.serve(changes);
        await chromium.visit(t, { javaScriptEnabled }, async ({ page }) => {
          const returned: string[] = [];
          page.on('request', (request) => {
            if (request.url().startsWith(`${router}/return/poster`)) returned.push(request.method());
          });
          await logInAtPortal(page, portal);
          await typeEmail(page, 'pia@poster.example');
          const handOver = async () => {
            if (javaScriptEnabled) return;
            await press(page, 'Back to the portal');
            if (delivery === 'by another form') await press(page, 'Continue');
          };
          await handOver();
          await signedIn(page, 'pia@poster.example');
          await page.goto(`${portal}/login`);
          await handOver();
          await signedIn(page, 'pia@poster.example');
          t.same(returned, ['POST', 'POST'], 'and is remembered');
        });
      });
    }

    await t.test(
      `${title}, a login that was left by memory and not finished asks, and both ways out work`,
      async (t) => {
        await stage.serve({});
        await chromium.visit(t, { javaScriptEnabled }, async (person) => {
          const { page } = person;
          await leaveUnfinished(person, stage, 5);
          await follow(page, 'Continue to Europe');
          await signInAs(page, 'Jonas Weber');
          await signedIn(page, 'jonas@werk.example');
          await signOut(page, eu);
          await leaveUnfinished(person, stage, 5);
          await choose(page, 'United States');
          await signInAs(page, 'Sam Ortega');
          await signedIn(page, 'sam@hooli.example');
          await signOut(page, stage.us);
        });
      },
    );
  }

  await t.test('a login that left by memory a moment ago is not doubted yet', async (t) => {
    await stage.serve({});
    await chromium.visit(t, {}, async (person) => {
      await leaveUnfinished(person, stage, 4);
      await read(person.page, 'Sign in to eu');
    });
  });
});
