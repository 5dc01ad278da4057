/** Signing out of three apps at once in Chromium, one of them hanging, and what people read meanwhile. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { serve } from '../outbound/servers.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium } from './chromium.ts';
import { inspect } from './looks.ts';
import { press, read, signedIn, visitUsAndEu } from './person.ts';
import { openSlowApp } from './slow-app.ts';
import { openStage } from './stage.ts';

/** Cookies of another site than the one in the address bar do not exist. */
const NO_THIRD_PARTY_COOKIES = '--test-third-party-cookie-phaseout';

const SLOW_SECRET = randomBytes(48).toString('base64url');
const skip = without(counterparts.chromium);

const everywhere = (then = 'app') => ({ then, fan_out: 'visited' });

t.test('who signs out of the portal is signed out of all three apps', { skip, timeout: 120_000 }, async (t) => {
  for (const javaScriptEnabled of [true, false]) {
    const title = javaScriptEnabled ? 'with scripts' : 'without';
    await t.test(title, async (t) => {
      const chromium = await openChromium(t, [NO_THIRD_PARTY_COOKIES]);
      const stage = await openStage(t, { clock: 'runs', variables: { SLOW_SECRET } });
      const slow = await openSlowApp(t, stage.router, SLOW_SECRET);
      await stage.serve({ environments: { slow: slow.routes }, logout: everywhere() });
      await chromium.visit(t, { javaScriptEnabled }, async ({ page }) => {
        await page.goto(`${stage.router}/enter/slow/support`);
        await signedIn(page, 'hal@slow.example');
        await visitUsAndEu(page, stage);
        await page.goto(slow.origin);
        await read(page, 'Signed in at Slow');

        await page.goto(stage.portal);
        await press(page, 'Sign out');
        await read(page, 'Signing you out');
        const legs = await page.getByRole('list', { name: 'Who was told' }).getByRole('listitem').allTextContents();
        // Its first attempt ends after five seconds, when the person has waited long enough, too.
        t.match(legs.sort(), [
          'Europe was told that you signed out.',
          /^Slow (?:is being told now|did not answer)/,
          'United States was told that you signed out.',
        ]);
        await page.waitForURL(`${stage.us}/`, { timeout: 30_000 });
        await read(page, 'You are signed out');
        await page.goto(stage.eu);
        await read(page, 'You are signed out');
        await slow.taken();
        t.same(slow.posts, ['hung', 'taken'], 'told again, and it was enough');
        await page.goto(slow.origin);
        await read(page, 'Signed out of Slow');
      });
    });
  }
});

t.test('the page says of each app what is known, and reads well', { skip }, async (t) => {
  const stage = await openStage(t);
  const { url } = await serve(t, (request, response) => {
    request.resume();
    response.writeHead(Number((request.url ?? '').slice(1))).end();
  });
  const back = (status: number) => ({ login: { allow_private: true }, logout: { back: { url: `${url}${status}` } } });
  const chromium = await openChromium(t);
  await stage.serve({
    environments: { us: back(204), eu: back(503), poster: back(410) },
    logout: everywhere('page'),
  });
  for (const [language, name, heading] of [
    ['en', 'sign-out-progress', 'Signing you out'],
    ['ar', 'sign-out-progress-ar', /./],
  ] as const) {
    await chromium.visit(t, {}, async ({ page, context }) => {
      await context.setExtraHTTPHeaders({ 'accept-language': language });
      // It would look again while it is being looked at.
      await context.route(`${stage.router}/logout/**`, async (route) => {
        const response = await route.fetch({ maxRedirects: 0 });
        const { refresh: _, ...headers } = response.headers();
        await route.fulfill({ response, headers });
      });
      await page.goto(`${stage.router}/enter/poster/support`);
      await signedIn(page, 'pia@poster.example');
      await visitUsAndEu(page, stage);
      await page.goto(stage.portal);
      await press(page, 'Sign out');
      await page.waitForURL(`${stage.router}/logout/**`);
      await page.getByRole('listitem').first().waitFor();
      await read(page, heading);
      if (language === 'en') {
        const legs = await page.getByRole('list', { name: 'Who was told' }).getByRole('listitem').allTextContents();
        t.same(legs.sort(), [
          'Europe did not answer. It will be told again and again for three days.',
          'Poster could not be told that you signed out. If you are still signed in there, sign out there.',
          'United States was told that you signed out.',
        ]);
        t.equal(
          await page.getByRole('link', { name: 'Continue to United States' }).getAttribute('href'),
          `${stage.us}/`,
        );
      }
      await inspect(t, page, name);
    });
  }
});
