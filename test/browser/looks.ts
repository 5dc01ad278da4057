import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';

const SCREENSHOTS = fileURLToPath(new URL('./screenshots/', import.meta.url));
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };

/**
 * Looks at the page that the browser rests on: pictures of it in light and dark, at both widths; axe; and that it
 * fits (WCAG 2.2 §1.4.4: text at 200 %; §1.4.10: 320 CSS pixels; forced colours).
 */
export async function inspect(t: Test, page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  for (const [device, size] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ] as const) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SCREENSHOTS}${name}-${colorScheme}-${device}.png`, fullPage: true });
      // Colours do not depend on the width, nor sizes on the colours.
      if ((device === 'desktop') === (colorScheme === 'light')) {
        t.same(await axeFindings(page), [], `${name}, ${colorScheme}, ${device}: axe finds nothing`);
      }
    }
  }
  for (const [width, fontSize] of [
    [320, '100%'],
    [640, '200%'],
    [320, '200%'],
  ] as const) {
    await page.setViewportSize({ width, height: 640 });
    t.same(await overflowing(page, fontSize), [], `${name} fits ${width} px with text at ${fontSize}`);
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
  t.same(await withoutEdges(page), [], `${name}: what can be pressed has an edge in forced colours`);
  await page.emulateMedia({ forcedColors: 'none' });
}

async function axeFindings(page: Page): Promise<string[]> {
  // “Legacy” leaves out frames, which no page has, and a second tab for gathering what was found in them.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Elements that reach over the right edge, or whose text is cut off. */
const overflowing = (page: Page, fontSize: string): Promise<string[]> =>
  page.locator('html').evaluate((root, fontSize) => {
    root.style.fontSize = fontSize;
    const edge = root.clientWidth;
    const found = [root, ...root.querySelectorAll('body *')].filter(
      (element) =>
        element.getBoundingClientRect().right > edge + 0.5 ||
        (element.tagName !== 'INPUT' && element.clientWidth > 0 && element.scrollWidth > element.clientWidth),
    );
    root.style.fontSize = '';
    return found.map((element) => element.outerHTML.slice(0, 80));
  }, fontSize);

const withoutEdges = (page: Page): Promise<string[]> =>
  page.locator('button, input:not([type=hidden]), a.button, a.choice').evaluateAll((elements) =>
    elements
      .filter((element) => {
        const style = element.ownerDocument.defaultView?.getComputedStyle(element);
        return style?.borderTopStyle !== 'solid' || Number.parseFloat(style.borderTopWidth) < 1;
      })
      .map((element) => element.outerHTML.slice(0, 80)),
  );
