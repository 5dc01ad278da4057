/** Authorization requests between their start and their end: whose they are, how long, and what keeps them. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { denied } from '../support/denied.ts';
import { departure, environmentToken, temporaryFolder } from '../support/world.ts';
import { authorizeUrl, foundInLog, leaveFor, openPartyWorld, signedIn } from './party-world.ts';

const world = await openPartyWorld(t);

t.test('a login that was begun in another browser signs nobody in', async (t) => {
  const [attacker, victim] = [world.browser(), world.browser()];
  const { location } = await attacker.get(authorizeUrl({ domain_hint: 'us' }));
  await denied(t, world, 'a link', 'login_not_from_this_browser', () => victim.get(location));
  const own = await victim.get(authorizeUrl());
  t.ok(own.location, 'not even one that is busy with a login of its own');
  await denied(t, world, 'a link', 'login_not_from_this_browser', () => victim.get(location));

  const left = await attacker.get(location);
  const back = await signedIn(world, attacker, 'us', left);
  await denied(t, world, 'the way back', 'login_not_from_this_browser', () => victim.get(back.location));
  t.match((await attacker.get(back.location)).location, /code=/, 'the one that began it goes on');
  await denied(t, world, 'once', 'login_not_from_this_browser', () => attacker.get(back.location));
});

t.test('an authorization request cannot end at another portal’s door', async (t) => {
  const browser = world.browser();
  const { location } = await browser.get(authorizeUrl({ client_id: 'docs' }));
  const swapped = location.replace('/oidc/login/docs', '/oidc/login/help').concat('&env=us');
  await denied(t, world, 'swapped', 'login_not_from_this_browser', () => browser.get(swapped));
});

t.test('the answer to a request is for that request, in that browser, once', async (t) => {
  const browser = world.browser();
  const ways = [await leaveFor(browser, 'us'), await leaveFor(browser, 'us')];
  const backs: URL[] = [];
  for (const left of ways) backs.push(new URL((await signedIn(world, browser, 'us', left)).location));
  const [one, two] = backs as [URL, URL];
  for (const [what, answer] of [
    ['of the other request', two.searchParams.get('answer') ?? ''],
    ['of nobody', 'x'],
    ['altered', (one.searchParams.get('answer') ?? '').replace(/..$/, 'AA')],
    ['empty', ''],
  ] as const)
    await denied(t, world, what, 'request_malformed', () =>
      browser.get(`${one.pathname}?${new URLSearchParams({ answer })}`),
    );
  const asked = await browser.get(one.pathname);
  t.match(asked.location, /^\/oidc\/login\/help\?interaction=/, 'without an answer, the person is still asked');

  const restored = browser.copy();
  t.match((await browser.get(two.href)).location, /code=/);
  await denied(t, world, 'once', 'login_already_used', () => restored.get(two.href));
  await denied(t, world, 'a stranger', 'login_not_from_this_browser', () => world.browser().get(two.href));
});

t.test('who takes too long is told so', async (t) => {
  const own = await openPartyWorld(t);
  const browser = own.browser();
  const back = await signedIn(own, browser, 'us', await leaveFor(browser, 'us'));
  own.now += 11 * 60 + 5;
  await denied(t, own, 'too late', 'login_expired', () => browser.get(back.location));
});

t.test('a flood of starts fills nothing, and starts need no store', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const own = await openPartyWorld(t, { sqlite });
  const browser = own.browser();
  for (let count = 0; count < 20; count++) await own.browser().get(authorizeUrl());
  const db = new DatabaseSync(sqlite, { timeout: 5_000 });
  t.same(db.prepare('SELECT * FROM held').all(), []);
  t.same(db.prepare('SELECT * FROM claims').all(), []);
  db.exec('ALTER TABLE held RENAME TO away');
  const left = await leaveFor(browser, 'us');
  t.match(left.location, 'https://us.acme.test/sso');
  const { redirectUri, nonce } = departure(left);
  const end = await browser.get(`${redirectUri}&access_token=${await environmentToken('us', own.now, nonce)}`);
  t.match(end, { status: 503, location: '' }, 'an end does');
  t.match(own.events().at(-1), { event: 'login.refused', reason: 'store_unavailable', reference: end.reference });
  db.exec('ALTER TABLE away RENAME TO held');
  db.close();
});

t.test('what a browser has to keep of a request fits into a cookie', async (t) => {
  for (const state of ['x'.repeat(1_900), '"'.repeat(1_900), '\u20ac'.repeat(700), 'x'.repeat(2_300)]) {
    const browser = world.browser();
    const seen = await browser.get(authorizeUrl({ state }));
    for (const [name, { value }] of browser.jar) t.ok(name.length + value.length < 4_096);
    if (seen.status === 303) t.equal((await browser.get(`${seen.location}&env=us`)).status, 302);
    else t.equal(seen.status, 414);
  }
  const browser = world.browser();
  for (let count = 0; count < 6; count++) await browser.get(authorizeUrl({ state: 'x'.repeat(1_900) }));
  const sizes = [...browser.jar].map(([name, { value }]) => name.length + value.length);
  t.ok(sizes.length > 1 && sizes.reduce((sum, size) => sum + size, 0) < 13_000, String(sizes));
  const left = await leaveFor(browser, 'us', { state: 'x'.repeat(1_900) });
  const back = await browser.get((await signedIn(world, browser, 'us', left)).location);
  t.match(new URL(back.location).searchParams.get('state'), /^x{1900}$/);
});

t.test('the login path alone leads nowhere', async (t) => {
  for (const [query, reason] of [
    ['', 'request_parameter_missing'],
    ['?interaction=', 'request_malformed'],
    ['?interaction=../../x', 'request_malformed'],
    [`?interaction=${'a'.repeat(43)}`, 'login_not_from_this_browser'],
  ] as const)
    await denied(t, world, query, reason, () => world.browser().get(`/oidc/login/help${query}`));
  await denied(t, world, 'a link in an app', 'request_parameter_missing', () => world.browser().get('/enter/us/help'));
});

t.test('a busy browser forgets its oldest authorization requests, not its newest', async (t) => {
  const browser = world.browser();
  for (let count = 0; count < 12; count++) await browser.get(authorizeUrl());
  t.equal([...browser.jar.keys()].filter((name) => name.includes('asked.')).length, 6);
  t.match((await leaveFor(browser, 'us')).location, 'https://us.acme.test/sso');
});

t.test('the log holds nothing of all this', async (t) => {
  t.ok(world.exchanges.length > 10);
  t.same(foundInLog(world), []);
});
