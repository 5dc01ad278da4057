/** Routes that are read again, and a store that fails, while people sign in. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { leaksOf } from '../support/leaks.ts';
import {
  changedRoutes,
  comeBack,
  departure,
  LOGIN,
  openWorld,
  portalToken,
  ROUTES,
  readyToReturn,
  temporaryFolder,
} from '../support/world.ts';

const BROKEN = [
  '',
  '{',
  'public_url: [',
  ROUTES.slice(0, 700),
  ROUTES.replace('email_domains: any', 'email_domains: []'),
  ROUTES.replace('preset: pylon', 'preset: nobody'),
  ROUTES.replace('US_SECRET', 'NOT_SET'),
  ROUTES.replace('to: eu', 'to: nowhere'),
  `a: ${'['.repeat(20_000)}`,
  `${ROUTES}\n__proto__: { a: b }\n`,
];

t.test('broken and valid files in turn, under traffic, lose no login', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const world = await openWorld(t, { sqlite });
  const environments = ['us', 'eu', 'globex'] as const;
  let going = true;
  const failed: unknown[] = [];
  let succeeded = 0;
  const people = Array.from({ length: 8 }, async (_, person) => {
    const browser = world.browser();
    for (let turn = person; going; turn++) {
      const seen = await comeBack(world, browser, environments[turn % 3] ?? 'us').catch((error) => ({ error }));
      if ('status' in seen && seen.status === 302 && portalToken(seen) !== '') succeeded++;
      else failed.push(seen);
    }
  });
  let applied = 0;
  for (let round = 0; round < 40; round++) {
    const valid = round % 2 === 0;
    const text = valid
      ? changedRoutes((routes) => {
          Object.assign(routes, { store: `sqlite:${sqlite}` });
          Object.assign(routes.environments.us ?? {}, { title: `United States ${round}` });
        })
      : BROKEN[round % BROKEN.length];
    const started = performance.now();
    if ((await world.running.reload(text)) !== valid) t.fail(`round ${round} was judged wrongly`);
    t.ok(performance.now() - started < 1_000, 'in under a second');
    if (valid) applied++;
    const page = await world.browser().get(`${LOGIN}&ask=picker`);
    t.ok(page.body.includes(`>United States ${valid ? round : round - 1}<`), 'the last good table serves');
  }
  going = false;
  await Promise.all(people);
  t.same(failed, []);
  t.ok(succeeded > 40, `${succeeded} logins`);
  const events = world.events();
  t.equal(events.filter(({ event }) => event === 'routes.applied').length, applied);
  t.equal(
    events.filter(({ event, reason }) => event === 'routes.refused' && reason === 'routes_faulty').length,
    applied,
  );
  t.same(leaksOf(world), []);
});

t.test('a login that left under the old table comes back under the new one', async (t) => {
  const world = await openWorld(t);
  const browser = world.browser();
  const address = await readyToReturn(world, browser, 'us');
  const next = changedRoutes(({ environments: { us } }) =>
    Object.assign(us ?? {}, { title: 'America', may_assert: { email_domains: ['acme.test'] } }),
  );
  t.equal(await world.running.reload(next), true);
  t.equal((await browser.get(address)).status, 302);
});

t.test('what only a restart can change is refused by its name, and nothing else is applied', async (t) => {
  const world = await openWorld(t);
  for (const [what, value] of [
    ['listen', '127.0.0.1:1'],
    ['admin', '127.0.0.1:1'],
    ['store', 'sqlite:/nowhere/else.db'],
    ['seal_keys', [{ env: 'OTHER_KEY' }]],
  ] as const) {
    const text = changedRoutes((routes) => {
      Object.assign(routes, { [what]: value });
      delete routes.environments.eu;
      routes.discovery = [{ by: 'picker' }];
    });
    t.equal(await world.running.reload(text), false, what);
    t.equal(departure(await world.browser().get(`${LOGIN}&env=eu`)).to.host, 'eu.acme.test');
  }
  t.match(world.events().at(-2), { event: 'routes.refused', reason: 'restart_needed', detail: /^store/ });
});

t.test('while the store fails, logins start, none is accepted, and the same return succeeds afterwards', async (t) => {
  const file = join(temporaryFolder(t), 'wayhome.db');
  const world = await openWorld(t, { sqlite: file });
  const browser = world.browser();
  const address = await readyToReturn(world, browser, 'us');
  const beside = new DatabaseSync(file);
  beside.exec('ALTER TABLE claims RENAME TO away');

  for (let attempt = 0; attempt < 3; attempt++) {
    const seen = await browser.get(address);
    t.match(seen, { status: 503, location: '' });
    t.equal(seen.headers['set-cookie'], undefined, 'no visit is recorded');
    t.match(world.events().at(-1), { event: 'login.refused', reason: 'store_unavailable', reference: seen.reference });
    t.equal(departure(await world.browser().get(`${LOGIN}&env=us`)).to.host, 'us.acme.test');
  }
  const answers = await Promise.all(Array.from({ length: 50 }, () => browser.copy().get(address)));
  t.same([...new Set(answers.map(({ status }) => status))], [503]);

  beside.exec('ALTER TABLE away RENAME TO claims');
  beside.close();
  t.equal((await browser.get(address)).status, 302, 'it recovers by itself');
  t.equal((await browser.get(address)).status, 410, 'and the login is used up once');
  t.same(leaksOf(world), []);
});
