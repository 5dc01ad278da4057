/** A sign-out whose way leads past an environment that does not answer: going on without it, once and for all. */
import t, { type Test } from 'tap';
import { altered } from '../support/altered.ts';
import type { Browser, Seen } from '../support/browser.ts';
import { denied } from '../support/denied.ts';
import { leaksOf } from '../support/leaks.ts';
import { openProvider } from '../support/oidc-provider.ts';
import { changedRoutes, comeBack, LOGIN, ORIGIN, openWorld, type RoutesTree, type World } from '../support/world.ts';

const NAMES = ['us', 'eu', 'globex'] as const;
type Name = (typeof NAMES)[number];

const frontOf = (name: Name) => `https://${name}.front.test/logout?a='b"&c=<d>`;

/** What every current browser says when somebody follows a link or a redirect. */
const NAVIGATES = { headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } };

const worlds: World[] = [];

/** Somebody who came through us, then eu, then globex; globex, the latest, is told first. */
async function openSignedIn(t: Test, change: (tree: RoutesTree) => void = () => {}) {
  const routes = changedRoutes((tree) => {
    for (const name of NAMES)
      Object.assign(tree.environments[name] ?? {}, {
        app_url: `https://${name}.app.test/`,
        logout: { front: { url: frontOf(name), return_param: 'back' } },
      });
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    tree.logout = { then: 'app', fan_out: 'visited' };
    change(tree);
  });
  const world = await openWorld(t, { routes });
  worlds.push(world);
  const browser = world.browser();
  await signIn(world, browser);
  return { world, browser };
}

async function signIn(world: World, browser: Browser): Promise<void> {
  for (const name of NAMES) {
    await comeBack(world, browser, name);
    world.now += 1;
  }
}

const plain = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'");

/** The page that leaves for an environment: where it leads, the way back from there, and the way on without it. */
function leaving({ status, body, location }: Seen): { name: Name; back: string; without: string } {
  if (status !== 200 || location !== '') throw new Error(`no page that leaves: ${status} ${location}`);
  const attribute = (pattern: RegExp): string => plain(pattern.exec(body)?.[1] ?? '').replaceAll('&amp;', '&');
  const to = attribute(/ data-to="([^"]*)"/);
  const name = NAMES.find((one) => to.startsWith(`${frontOf(one)}&back=`));
  if (!name) throw new Error(`it leads to ${to}`);
  if (attribute(/<meta http-equiv="refresh" content="0; url=([^"]*)"/) !== to)
    throw new Error('another way without scripts');
  const back = new URLSearchParams(to.slice(frontOf(name).length)).get('back') ?? '';
  return { name, back, without: attribute(/<a id="without" href="([^"]*)"/) };
}

const eventsOf = (world: World): unknown[] =>
  world
    .events()
    .filter(({ event }) => String(event).startsWith('logout.'))
    .map(({ event, reason, environment }) => [event, reason, environment]);

const toldLines = ({ body }: Seen): string[] => [...body.matchAll(/<li>([^<]*)<\/li>/g)].map(([, text]) => text ?? '');

t.test('a browser that navigates gets a page that can go on; everybody else the plain redirect', async (t) => {
  for (const [headers, status] of [
    [{ 'sec-fetch-mode': 'navigate' }, 200],
    [{}, 302],
    [{ 'sec-fetch-mode': 'cors' }, 302],
    [{ 'sec-fetch-mode': 'Navigate' }, 302],
  ] as const) {
    const { browser } = await openSignedIn(t);
    const seen = await browser.get('/logout', { headers });
    t.equal(seen.status, status, JSON.stringify(headers));
    if (status === 302) t.ok(seen.location.startsWith(frontOf('globex').slice(0, 20)));
    else {
      t.equal(leaving(seen).name, 'globex');
      t.match(seen.headers['cache-control'], 'no-store');
      t.match(seen.headers['referrer-policy'], 'no-referrer');
      t.match(seen.body, 'Signing you out of Globex …');
      t.match(seen.body, 'Globex does not answer? Go on without it');
      t.notMatch(seen.body, 'c=<d>', 'addresses are escaped');
    }
  }
});

t.test('environments that answer are told as ever, and nothing is kept of the way', async (t) => {
  const { world, browser } = await openSignedIn(t);
  const told: Name[] = [];
  let seen = await browser.get('/logout', NAVIGATES);
  while (seen.status === 200) {
    const { name, back } = leaving(seen);
    told.push(name);
    seen = await browser.get(back, NAVIGATES);
  }
  t.same(told, ['globex', 'us', 'eu']);
  t.match(seen, { status: 302, location: 'https://globex.app.test/' });
  t.same(
    [...browser.jar.keys()].filter((name) => /place|leaving|visit/.test(name)),
    [],
  );
  t.notMatch(JSON.stringify(eventsOf(world)), 'given_up');
});

t.test('one that hangs is given up; the others are told; the page says so and leads to the right app', async (t) => {
  const { world, browser } = await openSignedIn(t);
  const first = leaving(await browser.get('/logout', NAVIGATES));
  const second = leaving(await browser.get(first.without, NAVIGATES));
  t.equal(second.name, 'us');
  const third = leaving(await browser.get(second.back, NAVIGATES));
  t.equal(third.name, 'eu');
  const { location } = await browser.get(third.back, NAVIGATES);
  t.ok(location.startsWith(`${ORIGIN}/logout/`));
  const end = await browser.get(location, NAVIGATES);
  t.same(toldLines(end), [
    'Globex did not answer in time. If you are still signed in there, sign out there.',
    'United States was told that you signed out.',
    'Europe was told that you signed out.',
  ]);
  t.equal(end.headers.refresh, '3; url=https://globex.app.test/');
  t.same(eventsOf(world), [
    ['logout.started', 'visit_ended', 'globex'],
    ['logout.leg', 'leg_departed', 'globex'],
    ['logout.leg', 'leg_given_up', 'globex'],
    ['logout.leg', 'leg_departed', 'us'],
    ['logout.leg', 'leg_returned', 'us'],
    ['logout.leg', 'leg_departed', 'eu'],
    ['logout.leg', 'leg_returned', 'eu'],
    ['logout.completed', 'visit_ended', 'globex'],
  ]);
});

t.test('where all of them hang, or the only one does, the person still ends at the right app', async (t) => {
  for (const names of [NAMES, ['us'] as const]) {
    const { world } = await openSignedIn(t);
    const browser = world.browser();
    for (const name of names) {
      await comeBack(world, browser, name);
      world.now += 1;
    }
    let seen = await browser.get('/logout', NAVIGATES);
    for (const _ of names) seen = await browser.get(leaving(seen).without, NAVIGATES);
    const end = await browser.get(seen.location, NAVIGATES);
    t.equal(end.headers.refresh, `3; url=https://${names.at(-1)}.app.test/`);
    t.equal(toldLines(end).filter((line) => line.includes('did not answer in time')).length, names.length);
  }
});

t.test('what comes back late finds the run where it is: nobody is told again, and the end is the same', async (t) => {
  const { world, browser } = await openSignedIn(t);
  const first = leaving(await browser.get('/logout', NAVIGATES));
  const second = leaving(await browser.get(first.without, NAVIGATES));
  t.equal(leaving(await browser.get(first.back, NAVIGATES)).name, 'us', 'the one that is being told now');
  const third = leaving(await browser.get(second.without, NAVIGATES));
  t.equal(third.name, 'eu');
  for (const late of [first.back, second.back, first.without, second.without])
    t.equal(leaving(await browser.get(late, NAVIGATES)).name, 'eu', 'not us again');
  await browser.get(third.back, NAVIGATES);
  const departed = () => world.events().filter(({ reason }) => reason === 'leg_departed').length;
  const before = departed();
  for (const late of [first.back, first.without, second.back, second.without, third.back, third.without]) {
    for (const send of [NAVIGATES, {}]) t.equal((await browser.get(late, send)).location, 'https://globex.app.test/');
  }
  t.equal(departed(), before, 'nobody is told');
  t.equal(
    world.events().filter(({ reason }) => reason === 'leg_given_up').length,
    2,
    'giving up again says nothing new',
  );
});

t.test('a late word counts: who came back after all was told', async (t) => {
  const { browser } = await openSignedIn(t, (tree) => {
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    tree.logout = { then: 'page', fan_out: 'visited' };
  });
  const first = leaving(await browser.get('/logout', NAVIGATES));
  const second = leaving(await browser.get(first.without, NAVIGATES));
  await browser.get(first.back, NAVIGATES);
  const third = leaving(await browser.get(second.back, NAVIGATES));
  const { location } = await browser.get(third.without, NAVIGATES);
  const end = await browser.get(location, NAVIGATES);
  t.same(toldLines(end).sort(), [
    'Europe did not answer in time. If you are still signed in there, sign out there.',
    'Globex was told that you signed out.',
    'United States was told that you signed out.',
  ]);
  t.notOk(end.headers.refresh, 'it stays');
});

t.test('the answer and the second thought may cross: no environment is left out', async (t) => {
  const { browser } = await openSignedIn(t);
  const first = leaving(await browser.get('/logout', NAVIGATES));
  // It answered just then, but the browser had gone on already and dropped what we said to that.
  await browser.get(first.back, NAVIGATES);
  t.equal(leaving(await browser.get(first.without, NAVIGATES)).name, 'us');
});

t.test('a provider that comes back late, in the words of its protocol, finds the run where it is', async (t) => {
  const secret = 'a secret of router and provider';
  const provider = await openProvider({
    clients: [
      {
        client_id: 'wayhome',
        client_secret: secret,
        redirect_uris: [`${ORIGIN}/return/wonka`],
        post_logout_redirect_uris: [`${ORIGIN}/return/wonka/logout`],
      },
    ],
    accounts: { charlie: { email: 'charlie@wonka.example', email_verified: true } },
  });
  t.teardown(() => provider.close());
  const login = { protocol: 'oidc', issuer: provider.issuer, client_id: 'wayhome', allow_private: true };
  const routes = changedRoutes((tree) => {
    tree.environments.wonka = {
      app_url: 'https://wonka.app.test/',
      may_assert: { email_domains: 'any', claims: [] },
      login: { ...login, client_secret: { env: 'WONKA_SECRET' } },
    };
    Object.assign(tree.environments.us ?? {}, { logout: { front: { url: frontOf('us'), return_param: 'back' } } });
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    tree.logout = { then: 'app', fan_out: 'visited' };
  });
  const world = await openWorld(t, { routes, variables: { WONKA_SECRET: secret } });
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  world.now += 1;
  const person = provider.person();
  const arrived = await person.go((await browser.get(`${LOGIN}&env=wonka`)).location);
  await browser.get(`/return/wonka?${new URLSearchParams([...arrived.params])}`);

  const page = await browser.get('/logout', NAVIGATES);
  const to = plain(/ data-to="([^"]*)"/.exec(page.body)?.[1] ?? '').replaceAll('&amp;', '&');
  t.ok(to.startsWith(`${provider.issuer}/session/end?`));
  const without = /<a id="without" href="([^"]*)"/.exec(page.body)?.[1] ?? '';
  const second = leaving(await browser.get(without, NAVIGATES));
  t.equal(second.name, 'us');
  await browser.get(second.back, NAVIGATES);
  const departed = () => world.events().filter(({ reason }) => reason === 'leg_departed').length;
  const before = departed();
  const { params } = await person.go(to);
  const late = await browser.get(`/return/wonka/logout?${new URLSearchParams([...params])}`, NAVIGATES);
  t.equal(late.location, 'https://wonka.app.test/');
  // All that SAML has room for.
  const reference = String(world.events().findLast(({ event }) => event === 'logout.started')?.reference);
  const short = await browser.get(`/return/wonka/logout?state=${reference}`, NAVIGATES);
  t.equal(short.location, 'https://wonka.app.test/');
  t.equal(departed(), before);
  await denied(t, world, 'in another browser', 'state_invalid', () =>
    world.browser().get(`/return/wonka/logout?state=${reference}`, NAVIGATES),
  );
});

t.test('only this router makes such an address, and of one run it says nothing about another', async (t) => {
  const { world, browser } = await openSignedIn(t);
  const first = leaving(await browser.get('/logout', NAVIGATES));
  const sealed = first.without.slice('/logout/'.length);
  const back = first.back.slice(`${ORIGIN}/logout/`.length);
  t.not(sealed, back);
  for (const forged of [
    sealed.slice(0, -1),
    `${sealed}A`,
    altered(sealed),
    sealed.toLowerCase(),
    'A'.repeat(sealed.length),
  ])
    await denied(t, world, 'forged', 'address_unknown', () => browser.get(`/logout/${forged}`, NAVIGATES));
});

t.test('a second sign-out in the same browser is not held up by the first', async (t) => {
  const { world, browser } = await openSignedIn(t);
  const first = leaving(await browser.get('/logout', NAVIGATES));
  await browser.get(first.without, NAVIGATES);
  await signIn(world, browser);
  const again = leaving(await browser.get('/logout', NAVIGATES));
  t.equal(again.name, 'globex');
  t.equal(leaving(await browser.get(again.back, NAVIGATES)).name, 'us');
  t.equal(leaving(await browser.get(first.back, NAVIGATES)).name, 'us', 'each is where it is');
});

t.test('a place that was changed or belongs to another run is none', async (t) => {
  const { world, browser } = await openSignedIn(t);
  const first = leaving(await browser.get('/logout', NAVIGATES));
  const second = leaving(await browser.get(first.without, NAVIGATES));
  await browser.get(second.without, NAVIGATES);
  const [name = '', { value = '' } = {}] = [...browser.jar].find(([key]) => key.includes('place')) ?? [];
  const other = world.browser();
  await signIn(world, other);
  const their = leaving(await other.get('/logout', NAVIGATES));
  await other.get(their.without, NAVIGATES);
  const [theirName = ''] = [...other.jar.keys()].filter((key) => key.includes('place'));
  for (const cookie of [`${theirName}=${value}`, `${theirName}=${value.slice(0, -1)}`, `${theirName}=`, `${name}=x`]) {
    const seen = await world.browser().get(their.back, { headers: { ...NAVIGATES.headers, cookie } });
    t.equal(leaving(seen).name, 'us', cookie.slice(0, 40));
  }
});

t.test('after ten minutes nobody is told any more, whichever address it is', async (t) => {
  const { world, browser } = await openSignedIn(t);
  const first = leaving(await browser.get('/logout', NAVIGATES));
  world.now += 590;
  const second = leaving(await browser.get(first.without, NAVIGATES));
  world.now += 11;
  for (const late of [first.without, first.back, second.back, second.without]) {
    const { location } = await browser.get(late, NAVIGATES);
    t.match(location, /^https:\/\/globex\.app\.test\/$|^https:\/\/login\.acme\.test\/logout\//, 'the end');
  }
});

t.test('HEAD, prefetch and pages that load it do not give up anything', async (t) => {
  const { world, browser } = await openSignedIn(t);
  const { without } = leaving(await browser.get('/logout', NAVIGATES));
  for (const send of [
    { method: 'HEAD' },
    { headers: { ...NAVIGATES.headers, 'sec-purpose': 'prefetch' } },
    { headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } },
  ])
    t.equal((await browser.send(without, send)).status, 204);
  t.notMatch(JSON.stringify(eventsOf(world)), 'given_up');
});

t.test('case 39: it leaves nothing where it does not belong', (t) => {
  for (const world of worlds) t.same(leaksOf(world), []);
  t.end();
});
