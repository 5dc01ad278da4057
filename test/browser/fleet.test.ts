import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { customer, fleetRoutes } from '../support/fleet.ts';
import { LOGIN, openWorld, type World } from '../support/world.ts';
import { type Chromium, openChromium, type Person } from './chromium.ts';
import { inspect } from './looks.ts';
import { follow, press, read } from './person.ts';

const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="10" fill="none" stroke="#c2410c" stroke-width="3"/></svg>';

const BRANDING = 'branding: { name: Acme, logo: { file: mark.svg }, accent: "#9a3412", accent_dark: "#fdba74" }';

/** A router with 10,000 customers, two regions with icons, and an operator's look. */
async function openFleet(t: Test): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'wayhome-fleet-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'mark.svg'), SVG);
  const routes = fleetRoutes({ count: 10_000, more: BRANDING, ofRegions: '\n    icon: { file: mark.svg }' });
  return openWorld(t, { routes, file: join(folder, 'routes.yaml') });
}

const choices = (page: Page): Promise<string[]> => page.locator('a.choice').allTextContents();

/** Somebody on the list, and what stands there of a customer's own login page. */
async function onTheList({ page, context }: Person, { running }: World, query = ''): Promise<void> {
  await context.route('https://*.acme.test/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>There</title><h1>Sign in there</h1>' }),
  );
  await page.goto(`${running.localUrl}${LOGIN}${query}`);
}

const PLACES = 'Where do you sign in?';

t.test('a fleet in Chromium', { skip: without(counterparts.chromium) }, async (t) => {
  const chromium: Chromium = await openChromium(t);
  const world = await openFleet(t);

  await t.test('without JavaScript a form searches the list, and Back comes to what was found', (t) =>
    chromium.visit(t, { javaScriptEnabled: false }, async (person) => {
      const { page } = person;
      await onTheList(person, world);
      await read(page, PLACES);
      t.equal((await choices(page)).length, 50);
      await page.getByText('And 9,953 more.').waitFor();
      await page.getByLabel('Search by name').fill('malmo shipping 2310');
      await press(page, 'Search');
      await page.getByText('Places found: 1', { exact: true }).waitFor();
      t.same(await choices(page), [customer(2310)]);
      await follow(page, customer(2310));
      await read(page, 'Sign in there');
      t.equal(new URL(page.url()).host, 'c2310.acme.test');
      await page.goBack();
      await page.getByText('Places found: 1', { exact: true }).waitFor();
      t.same(await choices(page), [customer(2310)]);
      t.equal(await page.getByLabel('Search by name').inputValue(), 'malmo shipping 2310');
    }),
  );

  await t.test('with JavaScript it searches while somebody types, says how many it found, and Back works', (t) =>
    chromium.visit(t, {}, async (person) => {
      const { page } = person;
      await onTheList(person, world, '&action=x&elements=y&submit=z');
      await read(page, PLACES);
      const status = page.getByRole('status');
      t.equal(await status.textContent(), '', 'nothing is said before anybody searches');
      const shown: string[] = [];
      page.on('framenavigated', (frame) => shown.push(frame.url()));
      const field = page.getByLabel('Search by name');
      await field.pressSequentially('zurich books 9943', { delay: 5 });
      await page.getByText('Places found: 1', { exact: true }).waitFor();
      t.same(await choices(page), [customer(9_943)]);
      t.ok(await field.evaluate((element) => element.matches(':focus')), 'the keyboard stays where it was');
      await field.fill('hidden harbour');
      await page.getByText('We found no place called “hidden harbour”').waitFor();
      t.equal(await status.textContent(), 'Places found: 0');
      await field.fill('region');
      await page.getByRole('link', { name: 'United States', exact: true }).waitFor();
      t.same(await choices(page), ['United States', 'Europe (EU)']);
      t.equal(await page.locator('a.choice img').count(), 2);
      t.ok(
        await page.locator('a.choice img').evaluateAll((images) => images.every((image) => image.naturalWidth > 0)),
        'pictures that come with a search are shown',
      );
      t.ok(
        shown.every((url) => url.includes('find=')),
        'the page itself stays; its address says what is looked for',
      );
      await follow(page, 'Europe (EU)');
      await read(page, 'Sign in there');
      await page.goBack();
      await page.getByRole('link', { name: 'United States', exact: true }).waitFor();
      t.same(await choices(page), ['United States', 'Europe (EU)']);
      await field.fill('');
      await page.getByText('And 9,953 more.').waitFor();
      t.equal(await status.textContent(), '');
    }),
  );

  await t.test('the list of a fleet is readable in any colours and at any width', (t) =>
    chromium.visit(t, {}, async (person) => {
      await onTheList(person, world);
      await read(person.page, PLACES);
      await inspect(t, person.page, 'fleet');
      await onTheList(person, world, '&find=region');
      await inspect(t, person.page, 'fleet-found');
      await onTheList(person, world, '&find=nowhere');
      await inspect(t, person.page, 'fleet-none');
    }),
  );

  for (const [language, heading, dir] of [
    ['de', 'Wo melden Sie sich an?', 'ltr'],
    ['ar', 'أين تسجّل الدخول؟', 'rtl'],
    ['ja', 'サインイン先をお選びください', 'ltr'],
  ] as const) {
    await t.test(`the pages speak ${language}`, (t) =>
      chromium.visit(t, {}, async (person) => {
        const { page, context } = person;
        await context.setExtraHTTPHeaders({ 'accept-language': language });
        await onTheList(person, world, '&find=euro');
        await read(page, heading);
        t.equal(await page.locator('html').getAttribute('lang'), language);
        const [title, link] = [page.locator('h1'), page.locator('a.choice').first()];
        const edges = await title.evaluate((element) => {
          const range = element.ownerDocument.createRange();
          range.selectNodeContents(element);
          const { left, right } = range.getBoundingClientRect();
          const box = element.getBoundingClientRect();
          return { start: left - box.left, end: box.right - right };
        });
        t.ok(dir === 'rtl' ? edges.end < edges.start : edges.start < edges.end, `text begins at its side: ${dir}`);
        t.equal(
          await link.evaluate((element) => element.ownerDocument.defaultView?.getComputedStyle(element).direction),
          dir,
        );
        t.match(await link.textContent(), dir === 'rtl' ? '\u2068Europe (EU)\u2069' : 'Europe (EU)');
        await inspect(t, page, `fleet-${language}`);
        await page.goto(`${world.running.localUrl}${LOGIN}&ask=email`);
        await inspect(t, page, `email-${language}`);
        await page.goto(`${world.running.localUrl}/callback?redirect_uri=x`);
        await inspect(t, page, `refused-${language}`);
      }),
    );
  }
});
