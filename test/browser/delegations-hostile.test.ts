/**
 * Case 10: the page of an environment behind the router goes for the router itself. Its host lies below the router's,
 * so that to the browser both are one site, and cookies can be set for their common parents.
 */
import type { Page } from 'playwright-core';
import t from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium } from './chromium.ts';
import { install, SECRETS } from './installed.ts';
import { eventsOf, overhear } from './overheard.ts';
import { press, read, signedIn, signInAs } from './person.ts';
import { openStage } from './stage.ts';

const skip = without(counterparts.chromium);
const FORGED = '__Host-wayhome-visit.support.eu';
const FORGED_LOGIN = '__Host-wayhome-login.0000000000';
const ROUTER = 'login.acme.localhost';

/** `Set-Cookie` lines, and whether the router lets the one through. */
const SENT: readonly (readonly [string, 'passes' | 'is dropped'])[] = [
  [`${FORGED}=forged; Path=/; Secure`, 'is dropped'],
  [`${FORGED_LOGIN.toLowerCase()}=forged; Path=/; Secure; SameSite=None`, 'is dropped'],
  [`=${FORGED}=forged; Path=/; Secure`, 'is dropped'],
  [`nameless; Domain=${ROUTER}; Path=/`, 'is dropped'],
  [`of-the-router=sent; Domain=${ROUTER}; Path=/`, 'is dropped'],
  ['of-the-parent=sent; Domain=.acme.localhost; Path=/', 'is dropped'],
  ['of-its-own=sent; Path=/', 'passes'],
];

/** What a script writes into `document.cookie`, and where the browser sends it from then on. */
const WRITTEN: readonly (readonly [string, 'nowhere' | 'its own host' | 'the router, too'])[] = [
  [`${FORGED}=forged; Path=/; Secure`, 'its own host'],
  [`${FORGED}=forged; Domain=${ROUTER}; Path=/; Secure`, 'nowhere'],
  [`${FORGED.toLowerCase()}=forged; Domain=${ROUTER}; Path=/; Secure`, 'nowhere'],
  [`=${FORGED}=forged; Domain=${ROUTER}; Path=/; Secure`, 'nowhere'],
  [`of-the-router=${FORGED}; Domain=${ROUTER}; Path=/`, 'the router, too'],
  [`of-the-parent=x ${FORGED}=forged; Domain=acme.localhost; Path=/`, 'the router, too'],
  ['of-everybody=x; Domain=localhost; Path=/', 'nowhere'],
];

const PAGES = {
  '/set-cookies': {
    headers: { 'content-type': 'text/plain', 'set-cookie': SENT.map(([line]) => line), 'service-worker-allowed': '/' },
    body: '',
  },
  '/worker.js': { headers: { 'content-type': 'text/javascript' }, body: 'self.onfetch = () => {};' },
};

t.test('the page of a hostile environment behind the router', { skip }, async (t) => {
  const chromium = await openChromium(t);
  const stage = await openStage(t, { host: ROUTER, clock: 'runs', variables: SECRETS });
  const { router, portal, ports } = stage;
  const email = 'eve@evil.example';
  const host = `evil.${ROUTER}`;
  const evil = await install(t, stage, host, { email, manner: 'handoff', pages: PAGES });
  await stage.serve({ environments: { evil: evil.environment } });

  const namesAt = async (page: Page, origin: string) =>
    (await page.context().cookies(origin)).map(({ name, value }) => `${name}=${value}`).sort();

  await chromium.visit(t, { mayComplain: true }, async ({ page, context }) => {
    const overheard = overhear(context);
    await page.goto(`${portal}/login?env=us`);
    await signInAs(page, 'Ada Fields');
    await signedIn(page, 'ada@initech.example');
    await page.goto(`${portal}/login?env=evil`);
    await read(page, 'Sign in here');
    t.equal(new URL(page.url()).host, `${host}:${ports.router}`);
    const ours = await namesAt(page, router);
    t.match(ours.join(), /__Host-wayhome-visit\.support\.us=.*/, 'there is something to steal');
    t.match(ours.join(), /__Host-wayhome-login\..*/);
    const since = stage.log.length;

    await t.test('reads no answer of the router’s, and nothing happens there', async (t) => {
      const callback = encodeURIComponent(`${portal}/callback/jwt?orgSlug=acme`);
      const addresses = [
        `/callback?redirect_uri=${callback}&env=us`,
        '/enter/us/support',
        '/logout',
        '/return/us?state=x',
      ];
      for (const address of addresses) {
        const tried = await page.evaluate(async (url) => {
          const attempt = async (init: RequestInit) => {
            try {
              const { type, status, redirected, body } = await fetch(url, { credentials: 'include', ...init });
              return { type, status, redirected, body };
            } catch (error) {
              return (error as Error).name;
            }
          };
          return [
            await attempt({}),
            await attempt({ method: 'POST' }),
            await attempt({ headers: { 'x-own': '1' } }),
            await attempt({ mode: 'no-cors' }),
            await attempt({ mode: 'no-cors', method: 'POST', body: new URLSearchParams({ email: 'x' }) }),
          ];
        }, `${router}${address}`);
        const opaque = { type: 'opaque', status: 0, redirected: false, body: null };
        t.same(tried, ['TypeError', 'TypeError', 'TypeError', opaque, opaque], address);
      }
      t.same(await namesAt(page, router), ours, 'no cookie of the router’s has come or gone');
      const reasons = stage.log.slice(since).map((line) => JSON.parse(line).reason);
      t.same(reasons, ['method_not_allowed', 'method_not_allowed'], 'nor has anything begun there');
    });

    await t.test('sees nothing of the router in a frame or in another window', async (t) => {
      const frame = (address: string) =>
        page.locator('html').evaluate(({ ownerDocument: document }, src) => {
          document.body.append(Object.assign(document.createElement('iframe'), { src }));
        }, `${router}${address}`);
      const nothing = page.waitForResponse(/\/callback/);
      await frame('/callback?env=us');
      t.equal((await nothing).status(), 204, 'a frame is not answered at an address that acts');
      const refused = page.waitForEvent('framenavigated', (one) => one.url() === 'chrome-error://chromewebdata/');
      await frame('/nowhere');
      t.ok(await refused, 'and elsewhere the page refuses to be framed');
      const opening = context.waitForEvent('page');
      await page.evaluate(`other = window.open('${router}/nowhere'); undefined`);
      const opened = await opening;
      await read(opened, 'There is nothing here');
      await t.rejects(page.evaluate('other.document.title'), /SecurityError/);
      t.equal(await page.evaluate('other.length'), 0);
      await opened.close();
    });

    await t.test('opens no WebSocket to the router’s own host', async (t) => {
      const ended = await page.evaluate(
        (url) => {
          const socket = new WebSocket(url);
          return new Promise((resolve) => {
            socket.addEventListener('open', () => resolve('open'));
            socket.addEventListener('error', () => resolve('error'));
          });
        },
        `${router.replace('http', 'ws')}/live`,
      );
      t.equal(ended, 'error');
    });

    await t.test('registers no service worker', async (t) => {
      const worker = await page.locator('html').evaluate(async ({ ownerDocument: { defaultView } }) => {
        const { serviceWorker } = defaultView.navigator;
        const script = await fetch('/worker.js');
        const registered = await serviceWorker.register('/worker.js').then(
          () => 'registered',
          (error: Error) => error.message,
        );
        return { served: script.status, registered, kept: (await serviceWorker.getRegistrations()).length };
      });
      t.match(worker, { served: 200, registered: /bad HTTP response code \(404\)/, kept: 0 });
      const asked = evil.heard.filter(({ path }) => path === '/worker.js');
      t.equal(asked.length, 1, 'the environment was asked for the script, and not for the worker');
    });

    await t.test('sets no cookie that counts: what it sends is confined to its host', async (t) => {
      t.equal(await page.evaluate(async () => (await fetch('/set-cookies')).status), 200);
      t.same(await namesAt(page, router), ours);
      const kept = (await namesAt(page, evil.origin)).filter((cookie) => !/^__Host-wayhome-caught=/.test(cookie));
      const passed = SENT.filter(([, fate]) => fate === 'passes').map(([line]) => line.split(';', 1)[0]);
      t.same(kept, passed);
    });

    for (const [line, where] of WRITTEN) {
      await t.test(`a script writes ${line}: it goes ${where === 'nowhere' ? where : `to ${where}`}`, async (t) => {
        const before = [await namesAt(page, router), await namesAt(page, evil.origin)] as const;
        await page.evaluate(`document.cookie = ${JSON.stringify(line)}`);
        const pair = line.split(';', 1)[0];
        const added = (now: string[], then: readonly string[]) => now.filter((cookie) => !then.includes(cookie));
        t.same(added(await namesAt(page, router), before[0]), where === 'the router, too' ? [pair] : []);
        t.same(added(await namesAt(page, evil.origin), before[1]), where === 'nowhere' ? [] : [pair]);
      });
    }

    await t.test('with all of that, people sign in here and elsewhere as before', async (t) => {
      t.equal(await page.evaluate('document.cookie.includes("visit.support.us")'), false);
      await press(page, `I am ${email}`);
      await signedIn(page, email);
      await page.goto(`${portal}/login?env=eu`);
      await signInAs(page, 'Jonas Weber');
      await signedIn(page, 'jonas@werk.example');
      t.same(eventsOf(stage.log.slice(since), 'login.completed', 'login.refused'), [
        ['login.completed', 'evil', 'hint_names_environment'],
        ['login.completed', 'eu', 'hint_names_environment'],
      ]);
      t.notOk(
        evil.heard.some(({ cookies }) => cookies.some((name) => /wayhome/i.test(name))),
        'the environment has never heard of a cookie of the router’s, not even of its own making',
      );
      t.same(await overheard.foundIn(stage.log.slice(since), stage.variables), []);
    });
  });
});
