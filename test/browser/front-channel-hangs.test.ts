/** Signing out in Chromium past an app whose logout page never answers, with scripts and without. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium } from './chromium.ts';
import { inspect } from './looks.ts';
import { press, read, signedIn, signInAs, visitUsAndEu } from './person.ts';
import { openSlowApp, type SlowApp } from './slow-app.ts';
import { openStage, type Stage } from './stage.ts';

/** Cookies of another site than the one in the address bar do not exist. */
const NO_THIRD_PARTY_COOKIES = '--test-third-party-cookie-phaseout';

const SLOW_SECRET = randomBytes(48).toString('base64url');
const skip = without(counterparts.chromium);

const everywhere = (then: string) => ({ then, fan_out: 'visited' });

type Opened = { readonly stage: Stage; readonly slow: SlowApp };

/** Slow’s logout page at this path, and people who sign out of everything. */
async function open(t: Test, path: '/logout' | '/logout-empty' = '/logout', then = 'app'): Promise<Opened> {
  const stage = await openStage(t, { clock: 'runs', variables: { SLOW_SECRET } });
  const slow = await openSlowApp(t, stage.router, SLOW_SECRET);
  const front = { url: `${slow.origin}${path}`, return_param: 'return_to' };
  await stage.serve({
    environments: { slow: { ...slow.routes, logout: { front } } },
    logout: everywhere(then),
  });
  return { stage, slow };
}

/** Through Slow, Europe and last the United States: told are the last one, then Slow, then Europe. */
async function visitAll(page: Page, { stage }: Opened): Promise<void> {
  await page.goto(`${stage.router}/enter/slow/support`);
  await signedIn(page, 'hal@slow.example');
  await visitUsAndEu(page, stage);
}

const legsOf = (page: Page) => page.getByRole('list', { name: 'Who was told' }).getByRole('listitem').allTextContents();

/**
 * Presses the link, which is there after two seconds. Nothing can be asked of a page that is being left:
 * Chromium keeps such questions until it is gone.
 */
async function goOnWithout(page: Page): Promise<void> {
  await sleep(2_500);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
}

const GIVEN_UP = [
  'Europe was told that you signed out.',
  'Slow did not answer in time. If you are still signed in there, sign out there.',
  'United States was told that you signed out.',
];

const eventsOf = ({ log }: Stage): unknown[] =>
  log
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === 'logout.leg')
    .map(({ reason, environment }) => `${reason} ${environment}`);

t.test(
  'an app that hangs holds nobody: the others are told, and the right one is the end',
  { skip, timeout: 120_000 },
  async (t) => {
    for (const javaScriptEnabled of [true, false]) {
      const title = javaScriptEnabled ? 'with scripts' : 'without, by a link';
      await t.test(title, async (t) => {
        const chromium = await openChromium(t, [NO_THIRD_PARTY_COOKIES]);
        const opened = await open(t);
        const { stage, slow } = opened;
        await chromium.visit(t, { javaScriptEnabled }, async ({ page }) => {
          await visitAll(page, opened);
          await page.goto(stage.portal);
          const began = performance.now();
          await press(page, 'Sign out');
          await slow.waitedFor();
          if (!javaScriptEnabled) await goOnWithout(page);
          await page.getByRole('list', { name: 'Who was told' }).waitFor();
          const waited = performance.now() - began;
          t.same((await legsOf(page)).sort(), GIVEN_UP);
          await page.waitForURL(`${stage.us}/`, { timeout: 30_000 });
          const ended = performance.now() - began;
          t.comment(`${title}: the list after ${Math.round(waited)} ms, the app after ${Math.round(ended)} ms`);
          t.ok(waited < 7_000, 'the others were reached');
          t.ok(ended < 10_000, 'and the end');
          t.equal(slow.came.hanging, 1, 'it was asked once');
          await read(page, 'You are signed out');
          await page.goto(stage.eu);
          await read(page, 'You are signed out');
          await page.goto(slow.origin);
          await read(page, 'Signed in at Slow');
          t.same(eventsOf(stage), [
            'leg_departed us',
            'leg_returned us',
            'leg_departed slow',
            'leg_given_up slow',
            'leg_departed eu',
            'leg_returned eu',
          ]);
        });
      });
    }
  },
);

t.test(
  'Back leads to where the person came from, and a reload goes on; nobody is told twice',
  { skip, timeout: 60_000 },
  async (t) => {
    const chromium = await openChromium(t);
    const opened = await open(t);
    const { stage, slow } = opened;
    await chromium.visit(t, {}, async ({ page }) => {
      await visitAll(page, opened);
      await page.goto(stage.portal);
      const before = await page.evaluate('history.length');
      await press(page, 'Sign out');
      await slow.waitedFor();
      // Nobody sees that page, which leads on at once.
      await page.reload().catch(() => undefined);
      await page.waitForURL(`${stage.us}/`);
      t.equal(await page.evaluate('history.length'), Number(before) + 2, 'the list and the app');
      t.equal(slow.came.hanging, 1, 'a reload does not ask it again');
      const events = eventsOf(stage);
      await page.goBack();
      t.same((await legsOf(page)).sort(), GIVEN_UP);
      await page.goBack();
      t.equal(page.url(), `${stage.portal}/`);
      t.same(eventsOf(stage), events);
    });
  },
);

t.test('an app that answers nothing to show is as one that hangs', { skip, timeout: 60_000 }, async (t) => {
  const chromium = await openChromium(t);
  const opened = await open(t, '/logout-empty', 'page');
  const { stage, slow } = opened;
  await chromium.visit(t, {}, async ({ page }) => {
    await visitAll(page, opened);
    await page.goto(stage.portal);
    await press(page, 'Sign out');
    await page.getByRole('list', { name: 'Who was told' }).waitFor();
    t.same((await legsOf(page)).sort(), GIVEN_UP);
    t.equal(slow.came.empty, 1);
  });
});

t.test('where everybody answers at once, nobody sees a page on the way', { skip, timeout: 60_000 }, async (t) => {
  const chromium = await openChromium(t);
  const opened = await open(t, '/logout-empty');
  const { stage, slow } = opened;
  for (const [reducedMotion, durationMs] of [
    ['no-preference', 200],
    ['reduce', 1],
  ] as const) {
    await chromium.visit(t, {}, async ({ page }) => {
      await page.emulateMedia({ reducedMotion });
      await visitAll(page, opened);
      await page.goto(stage.portal);
      const before = slow.came.empty;
      await press(page, 'Sign out');
      // Its answer leaves the browser on the page, which can be looked at.
      await page.getByText('Signing you out of Slow …').waitFor();
      t.equal(slow.came.empty, before + 1);
      const looks = (atMs: number) =>
        page.locator('main').evaluate((main, atMs) => {
          const [fading] = main.getAnimations();
          if (!fading) throw new Error('it does not fade in');
          fading.pause();
          fading.currentTime = atMs;
          return [
            main.ownerDocument.defaultView?.getComputedStyle(main).visibility,
            fading.effect?.getTiming().duration,
          ];
        }, atMs);
      t.same(await looks(299), ['hidden', durationMs], reducedMotion);
      t.same(await looks(510), ['visible', durationMs]);
    });
  }
  await stage.serve({ logout: everywhere('app') });
  await chromium.visit(t, {}, async ({ page }) => {
    await page.goto(`${stage.router}/enter/us/support`);
    await signInAs(page, 'Ada Fields');
    await signedIn(page, 'ada@initech.example');
    const began = performance.now();
    await press(page, 'Sign out');
    await page.waitForURL(`${stage.us}/`);
    t.comment(`one app that answers: ${Math.round(performance.now() - began)} ms`);
    await read(page, 'You are signed out');
  });
});

t.test('the page on the way is readable in any colours and at any width', { skip, timeout: 120_000 }, async (t) => {
  const chromium = await openChromium(t);
  const opened = await open(t, '/logout-empty');
  const { portal } = opened.stage;
  for (const [language, name] of [
    ['en', 'leaving'],
    ['ar', 'leaving-ar'],
  ] as const) {
    await chromium.visit(t, {}, async ({ page, context }) => {
      await context.setExtraHTTPHeaders({ 'accept-language': language });
      // It would go on while it is being looked at.
      await context.addInitScript(`{
        const after = setTimeout;
        setTimeout = (work, ms) => (ms === 5_000 ? 0 : after(work, ms));
      }`);
      await visitAll(page, opened);
      await page.goto(portal);
      await press(page, 'Sign out');
      await page.locator('#without[data-to*=empty]').waitFor();
      await inspect(t, page, name);
    });
  }
});
