/** What only looks uses nothing up, and tabs do not meet: cases 36 and 37, and the embedded image of case 32. */
import t, { type Test } from 'tap';
import type { Browser, Seen } from '../support/browser.ts';
import { alive, denied } from '../support/denied.ts';
import {
  changedRoutes,
  comeBack,
  departure,
  environmentToken,
  LOGIN,
  ORIGIN,
  portalToken,
  readyToReturn,
} from '../support/world.ts';
import { openAttackWorld, searchForLeaks } from './attack-world.ts';
import { LOOKS } from './looks.ts';

const world = await openAttackWorld(t, {
  routes: changedRoutes(({ environments: { eu } }) => Object.assign(eu?.login ?? {}, { unsolicited: 'allowed' })),
});

const nothing = ({ status, location, headers, body }: Seen) => ({
  status,
  location,
  cookies: headers['set-cookie'],
  body,
});
const NOTHING = { status: 204, location: '', cookies: undefined, body: '' };

/** Every look at an address changes neither the browser nor the log. */
async function looksAt(t: Test, browser: Browser, address: string): Promise<void> {
  const jar = JSON.stringify([...browser.jar]);
  const lines = world.lines.length;
  for (const [look, send] of Object.entries(LOOKS)) {
    t.same(nothing(await browser.send(address, send)), NOTHING, look);
  }
  t.equal(JSON.stringify([...browser.jar]), jar, 'the browser holds what it held');
  t.equal(world.lines.length, lines, 'and nothing is in the log');
}

t.test('case 37: looking at a return address uses nothing up; the real return succeeds', async (t) => {
  for (const environment of ['us', 'eu', 'globex'] as const) {
    const browser = world.browser();
    const address = await readyToReturn(world, browser, environment);
    await looksAt(t, browser, address);
    await denied(t, world, 'a link scanner', 'login_not_from_this_browser', () =>
      world.browser().get(address, { headers: { 'user-agent': 'Mozilla/5.0 (compatible; LinkScanner/1.0)' } }),
    );
    t.not(portalToken(await browser.get(address)), '', 'the real return');
    await denied(t, world, 'and only once', 'login_already_used', () => browser.get(address));
    await alive(t, world);
  }
});

t.test('case 37: looking at the login URL departs nowhere', async (t) => {
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  for (const address of [LOGIN, `${LOGIN}&env=eu`, `${LOGIN}&choose=us`]) await looksAt(t, browser, address);
  t.equal(departure(await browser.get(LOGIN)).to.host, 'us.acme.test', 'what is remembered still is');
});

t.test('case 37: looking at a link into the portal uses neither the way nor the token up', async (t) => {
  const browser = world.browser();
  await looksAt(t, browser, '/enter/us/support');
  const token = await environmentToken('eu', world.now, undefined);
  const address = `/enter/eu/support?access_token=${token}`;
  await looksAt(t, browser, address);
  t.not(portalToken(await browser.get(address)), '', 'the person’s own click');
  await denied(t, world, 'and only once', 'jwt_replayed', () => browser.get(address));
});

t.test('case 37 and 32: looking at the sign-out, an embedded image included, signs nobody out', async (t) => {
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  await looksAt(t, browser, '/logout');
  const anybody = await world.browser().get('/logout');
  t.match(anybody, { status: 200, location: '' }, 'a scanner without cookies ends nothing');
  const real = await browser.get('/logout?fan_out=none&global=false&legs=');
  t.ok(real.location.startsWith('https://us.acme.test/logout?return_to='), 'and no parameter suppresses a leg');
  const run = new URL(real.location).searchParams.get('return_to') ?? '';
  await looksAt(t, browser, run);
  t.equal((await browser.get(run)).location, 'https://us.acme.test/');
});

t.test('case 32: a form of another site brings no visit along, so it ends none', async (t) => {
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  const held = browser.jar.size;
  t.equal((await browser.get('/logout', { cookies: 'cross_site_post' })).location, '');
  t.match(await browser.post('/logout', '', { cookies: 'cross_site_post' }), { status: 405, location: '' });
  t.equal(browser.jar.size, held);
});

t.test('case 36: two tabs finish in either order, through the same and through different environments', async (t) => {
  const environments = ['us', 'eu', 'globex'] as const;
  for (const first of environments) {
    for (const second of environments) {
      for (const order of ['first first', 'second first'] as const) {
        const browser = world.browser();
        const tabs = [await readyToReturn(world, browser, first), await readyToReturn(world, browser, second)];
        if (order === 'second first') tabs.reverse();
        for (const address of tabs) {
          t.not(portalToken(await browser.get(address)), '', `${first} and ${second}, ${order}`);
        }
      }
    }
  }
});

t.test('case 36: six tabs are all finished at the same moment; beyond that the oldest is given up', async (t) => {
  const browser = world.browser();
  const tabs: string[] = [];
  for (const environment of ['us', 'eu', 'globex', 'us', 'eu', 'globex'] as const) {
    tabs.push(await readyToReturn(world, browser, environment));
    world.now += 1;
  }
  const seen = await Promise.all(tabs.map((address) => browser.copy().get(address)));
  t.same(
    seen.map(({ status }) => status),
    tabs.map(() => 302),
  );
  const another = world.browser();
  const oldest = await readyToReturn(world, another, 'us');
  const newer: string[] = [];
  for (let tab = 0; tab < 6; tab++) {
    world.now += 1;
    newer.push(await readyToReturn(world, another, 'us'));
  }
  await denied(t, world, 'the oldest of seven', 'login_not_from_this_browser', () => another.get(oldest));
  for (const address of newer) t.equal((await another.get(address)).status, 302);
});

t.test('a tab that starts again after the other succeeded is remembered, not mixed up', async (t) => {
  const browser = world.browser();
  const late = await readyToReturn(world, browser, 'us');
  t.equal((await comeBack(world, browser, 'eu')).status, 302);
  t.equal(departure(await browser.get(LOGIN)).to.host, 'eu.acme.test');
  t.equal((await browser.get(late)).status, 302);
  t.notOk(late.startsWith(`${ORIGIN}/return/eu`));
});

searchForLeaks(t);
