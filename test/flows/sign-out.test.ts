/** Signing out: which environments are told, and where the browser ends up. */
import t from 'tap';
import { altered } from '../support/altered.ts';
import type { Browser, Seen } from '../support/browser.ts';
import { denied } from '../support/denied.ts';
import { leaksOf } from '../support/leaks.ts';
import { changedRoutes, comeBack, LOGIN, ORIGIN, openWorld, type RoutesTree, type World } from '../support/world.ts';

const FRONT = {
  us: { url: 'https://us.acme.test/logout', return_param: 'return_to' },
  eu: { url: 'https://eu.acme.test/bye?a=b', return_param: 'next' },
  globex: { url: 'https://acme.globex.example/signout', return_param: 'returnTo' },
} as const;
const APP = {
  us: 'https://us.acme.test/',
  eu: 'https://eu.acme.test/',
  globex: 'https://acme.globex.example/',
} as const;
type Name = keyof typeof FRONT;

const worlds: World[] = [];

/** A world whose environments all have a page that ends their own session. */
async function openSignOut(t: Parameters<typeof openWorld>[0], change: (routes: RoutesTree) => void = () => {}) {
  const world = await openWorld(t, { routes: routes(change) });
  worlds.push(world);
  return world;
}

const routes = (change: (routes: RoutesTree) => void) =>
  changedRoutes((tree) => {
    for (const [name, front] of Object.entries(FRONT))
      Object.assign(tree.environments[name] ?? {}, { logout: { front } });
    change(tree);
  });

const logout =
  (end: 'app' | 'portal' | 'page', fanOut = 'origin') =>
  (tree: RoutesTree) => {
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    Object.assign(tree, { logout: { then: end, fan_out: fanOut } });
  };

/** Follows a sign-out: each environment's page sends the browser back; who was told, and the end. */
async function walk(browser: Browser, start = '/logout'): Promise<{ told: Name[]; end: Seen }> {
  const told: Name[] = [];
  let seen = await browser.get(start);
  for (let leg = 0; leg < 10; leg++) {
    const to = URL.parse(seen.location);
    const name = (Object.keys(FRONT) as Name[]).find((one) => to?.href.startsWith(FRONT[one].url));
    if (!to || !name) break;
    told.push(name);
    seen = await browser.get(to.searchParams.get(FRONT[name].return_param) ?? '');
  }
  return { told, end: seen };
}

async function visitAll(world: World, browser: Browser, ...names: Name[]): Promise<void> {
  for (const name of names) {
    await comeBack(world, browser, name);
    world.now += 60;
  }
}

t.test('origin: the environment that the person came through last is told, and its app is the end', async (t) => {
  const world = await openSignOut(t, logout('app', 'origin'));
  for (const order of [['us', 'eu'], ['eu', 'us'], ['us', 'globex'], ['us']] as const) {
    const browser = world.browser();
    await visitAll(world, browser, ...order);
    const last = order[order.length - 1] ?? 'us';
    const { told, end } = await walk(browser);
    t.same(told, [last], order.join(', '));
    t.equal(end.location, APP[last]);
    t.same(
      [...browser.jar.keys()].filter((name) => name.includes('visit')),
      [],
      'all visits are over',
    );
    t.equal((await browser.get(LOGIN)).status, 200, 'and nothing is remembered');
  }
  const events = world.events().slice(-4);
  t.match(
    events.map(({ event, reason }) => [event, reason]),
    [
      ['logout.started', 'visit_ended'],
      ['logout.leg', 'leg_departed'],
      ['logout.leg', 'leg_returned'],
      ['logout.completed', 'visit_ended'],
    ],
  );
  t.equal(new Set(events.map(({ reference }) => reference)).size, 1, 'under one reference');
});

t.test('visited: every environment of this browser is told, once each; all: those it never visited, too', async (t) => {
  const visited = await openSignOut(t, logout('app', 'visited'));
  const browser = visited.browser();
  await visitAll(visited, browser, 'us', 'eu');
  const some = await walk(browser);
  t.same(some.told.toSorted(), ['eu', 'us']);
  t.equal(some.end.location, APP.eu);

  const all = await openSignOut(t, logout('app', 'all'));
  const another = all.browser();
  await visitAll(all, another, 'us');
  const every = await walk(another);
  t.same(every.told.toSorted(), ['eu', 'globex', 'us']);
  t.equal(every.told[0], 'us', 'where the person came from is told first');
  t.equal(every.end.location, APP.us);
});

t.test('then: it ends at the app, at the portal’s home, or on a page', async (t) => {
  const home = 'https://support.acme.test/';
  const world = await openSignOut(t, (tree) => {
    logout('portal')(tree);
    Object.assign(tree.portals.support ?? {}, { home_url: home });
  });
  const browser = world.browser();
  await visitAll(world, browser, 'us');
  t.equal((await walk(browser)).end.location, home);
  t.equal((await walk(world.browser())).end.location, home, 'also without a visit');

  const onPage = await openSignOut(t, logout('page'));
  const another = onPage.browser();
  await visitAll(onPage, another, 'us');
  const { told, end } = await walk(another);
  t.same(told, ['us']);
  t.match(end, { status: 200, location: '' });
  t.match(end.body, `href="${APP.us}"`);
});

t.test('without a visit nobody is told, and the page offers the apps that anybody may see', async (t) => {
  for (const fanOut of ['origin', 'visited', 'all']) {
    const world = await openSignOut(t, logout('app', fanOut));
    const { told, end } = await walk(world.browser());
    t.same(told, []);
    t.match(end, { status: 200, location: '' });
    t.match(end.body, `href="${APP.us}"`);
    t.notMatch(end.body, /globex/i);
    t.match(world.events().at(-1), { event: 'logout.completed', reason: 'no_visit' });
  }
});

t.test(
  'an environment that has left the routes is still told, at the address that it had, and its app is the end',
  async (t) => {
    const world = await openSignOut(t);
    const browser = world.browser();
    await visitAll(world, browser, 'globex');
    const without = routes(({ environments }) => {
      delete environments.globex;
    });
    t.equal(await world.running.reload(without), true);
    const { told, end } = await walk(browser);
    t.same(told, ['globex']);
    t.equal(end.location, APP.globex);

    const moved = world.browser();
    t.equal(await world.running.reload(routes(() => {})), true);
    await visitAll(world, moved, 'eu');
    await world.running.reload(
      routes(({ environments: { eu } }) => Object.assign(eu ?? {}, { app_url: 'https://new.acme.test/' })),
    );
    t.equal(
      (await walk(moved)).end.location,
      'https://new.acme.test/',
      'one that moved is followed to where it is now',
    );
  },
);

t.test('a run’s address is worth nothing changed, and tells nobody else once it is old', async (t) => {
  const world = await openSignOut(t, logout('app', 'visited'));
  const browser = world.browser();
  await visitAll(world, browser, 'us', 'eu');
  const first = await browser.get('/logout');
  const run = new URL(first.location).searchParams.get('next') ?? '';
  t.ok(run.startsWith(`${ORIGIN}/logout/`));
  for (const changed of [run.slice(0, -1), altered(run), `${run}A`, `${ORIGIN}/logout/${'A'.repeat(200)}`]) {
    await denied(t, world, 'changed', 'address_unknown', () => browser.get(changed));
  }
  world.now += 600;
  t.ok((await world.browser().get(run)).location.startsWith(FRONT.us.url), 'to the next one, in time');
  world.now += 1;
  t.equal((await browser.get(run)).location, APP.eu, 'to the app, late');
});

t.test('a visit’s cookie that was changed or moved is no visit; it is cleared', async (t) => {
  const world = await openSignOut(t);
  const browser = world.browser();
  await visitAll(world, browser, 'us');
  const [name = '', { value = '' } = {}] = [...browser.jar].find(([key]) => key.includes('visit')) ?? [];
  const cookies = [
    `${name}=${value.slice(0, -1)}`,
    `${name}=${value}x`,
    `${name.replace('.us', '.globex')}=${value}`,
    `${name}=`,
    `${name}=["2026","https://evil.example/"]`,
  ];
  for (const cookie of cookies) {
    const seen = await world.browser().get('/logout', { headers: { cookie } });
    t.match(seen, { status: 200, location: '' }, cookie.slice(0, 60));
    t.match(seen.headers['set-cookie']?.[0], /; Max-Age=0/);
  }
});

t.test('another portal’s visits are left alone', async (t) => {
  const world = await openSignOut(t, ({ portals }) => {
    portals.docs = {
      ...portals.support,
      login_path: '/docs',
      logout_path: '/docs/logout',
      signing: { algorithm: 'PS256' },
    };
  });
  const browser = world.browser();
  await visitAll(world, browser, 'us');
  await comeBack(world, browser, 'eu', {}, `${LOGIN.replace('/callback', '/docs')}&env=eu`);
  t.equal((await walk(browser, '/docs/logout')).end.location, APP.eu);
  t.equal((await walk(browser)).end.location, APP.us);
});

t.test('case 39: a sign-out leaves nothing where it does not belong', (t) => {
  for (const world of worlds) t.same(leaksOf(world), []);
  t.end();
});
