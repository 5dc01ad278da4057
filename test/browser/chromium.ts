import { type BrowserContext, type ConsoleMessage, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { CHROMIUM } from '../support/counterparts.ts';

/** How long anything in the browser may take before the test gives up. Milliseconds. */
const PATIENCE_MS = 15_000;

export type Equipment = {
  readonly javaScriptEnabled?: boolean;
  readonly width?: number;
  /** Somebody's page tries what browsers refuse, and they say so. */
  readonly mayComplain?: boolean;
};

/** Somebody with a browser profile of their own: no cookies, no history. */
export type Person = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** A second tab of the same browser. */
  tab(): Promise<Page>;
};

export type Chromium = {
  /** Lets somebody do something, and asserts that no page complained meanwhile: no CSP violation, no script error. */
  visit(t: Test, equipment: Equipment, act: (person: Person) => Promise<void>): Promise<void>;
};

/**
 * One Chromium for a whole test file; Playwright gives it a user-data directory of its own and removes that. `more`: further
 * switches.
 */
export async function openChromium(t: Test, more: readonly string[] = []): Promise<Chromium> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
  t.teardown(() => browser.close());
  return {
    async visit(t, { javaScriptEnabled = true, width = 1280, mayComplain = false }, act) {
      const context = await browser.newContext({ javaScriptEnabled, viewport: { width, height: 800 } });
      context.setDefaultTimeout(PATIENCE_MS);
      const complaints: string[] = [];
      context.on('console', (message) => {
        if (isComplaint(message)) complaints.push(`${message.text()} (${withoutQuery(message.location().url)})`);
      });
      context.on('weberror', (error) => complaints.push(error.error().message));
      try {
        await act({ context, page: await context.newPage(), tab: () => context.newPage() });
        if (!mayComplain) t.same(complaints, [], 'no page complains');
      } finally {
        await context.close();
      }
    },
  };
}

/** Errors and warnings, but for the note that Chromium writes about every answer of 400 and above. */
const isComplaint = (message: ConsoleMessage): boolean =>
  ['error', 'warning'].includes(message.type()) &&
  !message.text().startsWith('Failed to load resource: the server responded with a status of');

const withoutQuery = (url: string): string => url.split('?', 1)[0] ?? '';
