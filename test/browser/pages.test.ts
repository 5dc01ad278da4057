import type { Page } from 'playwright-core';
import t from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium } from './chromium.ts';
import { inspect } from './looks.ts';
import { PAGES } from './pages.ts';
import { follow, logInAtPortal, read, signedIn } from './person.ts';
import { openStage } from './stage.ts';

t.test('the pages', { skip: without(counterparts.chromium) }, async (t) => {
  const [chromium, stage] = [await openChromium(t), await openStage(t)];

  for (const { name, heading, routes = {}, reach } of PAGES) {
    await t.test(`${name} is readable in any colours and at any width`, (t) =>
      chromium.visit(t, {}, async (person) => {
        await stage.serve(routes);
        await reach(person, stage);
        await read(person.page, heading);
        await inspect(t, person.page, name);
      }),
    );
  }

  await t.test('the list and the email form need no mouse, and show where the keyboard is', async (t) => {
    await stage.serve({});
    await chromium.visit(t, {}, async ({ page }) => {
      await logInAtPortal(page, stage.portal);
      await read(page, 'Where do you sign in?');
      t.same(await tabThrough(page, 3), ['United States', 'Europe', 'Find it by my email address']);
      await page.keyboard.press('Enter');
      await read(page, 'What is your work email?');
      t.same(await tabThrough(page, 3), ['Email address', 'Continue', 'Choose from a list instead']);
      await page.keyboard.press('Enter');
      await read(page, 'Where do you sign in?');
      await tabThrough(page, 2);
      await page.keyboard.press('Enter');
      await read(page, 'Sign in to eu');
      await follow(page, 'Cancel');
      await read(page, 'Sign-in was cancelled');
      t.same(await tabThrough(page, 3), ['United States', 'Start again', 'Choose another place to sign in']);
      await page.keyboard.press('Enter');
      await read(page, 'Where do you sign in?');
      await tabThrough(page, 3);
      await page.keyboard.press('Enter');
      await read(page, 'What is your work email?');
      await tabThrough(page, 1);
      await page.keyboard.type('hank@globex.example');
      await page.keyboard.press('Enter');
      await read(page, 'Sign in to globex');
      await tabThrough(page, 1);
      await page.keyboard.press('Enter');
      await signedIn(page, 'hank@globex.example');
    });
  });

  await t.test('who mistyped an address has it back, with the keyboard in it', async (t) => {
    await stage.serve({ discovery: [{ by: 'email' }] });
    await chromium.visit(t, {}, async ({ page }) => {
      await logInAtPortal(page, stage.portal);
      await tabThrough(page, 1);
      await page.keyboard.type('hank@globax.example');
      await page.keyboard.press('Enter');
      await page.getByRole('status').waitFor();
      const field = page.getByLabel('Email address');
      t.equal(await field.inputValue(), 'hank@globax.example');
      t.ok(await field.evaluate((element) => element.matches(':focus:invalid, :focus[aria-invalid=true]')));
      await page.keyboard.press('ControlOrMeta+A');
      await page.keyboard.type('hank@globex.example');
      await page.keyboard.press('Enter');
      await read(page, 'Sign in to globex');
    });
  });
});

/** Presses Tab so many times; the names of what got the focus. Throws where it cannot be seen (WCAG 2.2 §2.4.7). */
async function tabThrough(page: Page, times: number): Promise<string[]> {
  const names: string[] = [];
  for (let count = 0; count < times; count += 1) {
    await page.keyboard.press('Tab');
    // A page that has not been painted yet may miss a key: then nothing has the focus.
    for (let tries = 0; tries < 100 && (await page.locator(':focus').count()) === 0; tries += 1) {
      await page.keyboard.press('Tab');
    }
    const focused = await page.locator(':focus').evaluate((element) => {
      const { outlineStyle, outlineWidth } = element.ownerDocument.defaultView?.getComputedStyle(element) ?? {};
      const label = element.labels?.[0] ?? element;
      return { name: String(label.textContent).trim(), outlineStyle, outlineWidth };
    });
    if (focused.outlineStyle !== 'solid' || Number.parseFloat(focused.outlineWidth) < 2) {
      throw new Error(`no visible focus on ${focused.name}`);
    }
    names.push(focused.name);
  }
  return names;
}
