/** Signing out in Chromium where environments are oidc-provider: asked by one on its page, told to the other behind. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openInstallation } from '../support/oidc-installation.ts';
import { openChromium } from './chromium.ts';
import { openAppOf } from './delegations.ts';
import { press, read, signedIn } from './person.ts';
import { type Changes, openStage } from './stage.ts';

const skip = without(counterparts.chromium);
const NO_THIRD_PARTY_COOKIES = '--test-third-party-cookie-phaseout';

/** `asks` is left through its own sign-out page; `told` gets a logout token. */
const LOGOUTS = { asks: {}, told: { end_session: 'not_used' } } as const;
type Name = keyof typeof LOGOUTS;
// biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
const EVERYWHERE = { then: 'app', fan_out: 'visited' };

t.test('who signs out of the portal is signed out of both providers', { skip, timeout: 120_000 }, async (t) => {
  const chromium = await openChromium(t, [NO_THIRD_PARTY_COOKIES]);
  for (const javaScriptEnabled of [true, false]) {
    const variables: Record<string, string> = {};
    const stage = await openStage(t, { clock: 'runs', variables });
    const { router } = stage;
    const open = async (name: Name) => {
      const installation = await openInstallation({
        name,
        router,
        reached: () => router,
        clock: () => Math.floor(Date.now() / 1_000) + stage.ahead,
        accounts: { [name]: { email: `${name}@${name}.example`, email_verified: true } },
      });
      t.teardown(() => installation.close());
      return installation;
    };
    const installations = { asks: await open('asks'), told: await open('told') };
    const routesOf = (app: string, name: Name): Changes => {
      const { login, back, variables: secrets } = installations[name];
      Object.assign(stage.variables, secrets);
      return {
        app_url: app,
        login: { ...login, ...LOGOUTS[name] },
        ...(name === 'told' && { logout: { back } }),
        may_assert: { email_domains: [`${name}.example`], claims: [] },
      };
    };
    const apps = { asks: `${await openAppOf(t, 'asks')}/`, told: `${await openAppOf(t, 'told')}/` };
    await stage.serve({
      environments: { asks: routesOf(apps.asks, 'asks'), told: routesOf(apps.told, 'told') },
      logout: EVERYWHERE,
    });
    const enter = (page: Page, name: Name) => {
      stage.ahead += 1;
      return page.goto(`${router}/enter/${name}/support`);
    };
    const signIn = async (page: Page, name: Name) => {
      await enter(page, name);
      await page.locator('input[name=login]').fill(name);
      await press(page, 'Sign in');
      await signedIn(page, `${name}@${name}.example`);
    };

    await t.test(javaScriptEnabled ? 'with scripts' : 'without', (t) =>
      chromium.visit(t, { javaScriptEnabled }, async ({ page }) => {
        await signIn(page, 'told');
        await signIn(page, 'asks');
        await enter(page, 'told');
        await signedIn(page, 'told@told.example');
        await enter(page, 'asks');
        await signedIn(page, 'asks@asks.example');

        await page.goto(stage.portal);
        await press(page, 'Sign out');
        await page.waitForURL(`${installations.asks.issuer}/session/end**`);
        await press(page, 'Sign out');
        await page.waitForURL(apps.asks);
        await read(page, 'The app of asks');
        t.match(installations.told.told, [{ status: 200, ended: 1 }]);
        t.same(installations.asks.told, []);
        for (const name of ['asks', 'told'] as const) {
          await enter(page, name);
          t.ok(page.url().startsWith(`${installations[name].issuer}/interaction/`), `${name} asks who it is`);
        }
      }),
    );
  }
});
