/**
 * Signing out where an environment is oidc-provider: what the router says reaches its sessions and tokens, and what it
 * says itself reaches the router and everybody else.
 */
import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import t, { type Test } from 'tap';
import type { Browser } from '../support/browser.ts';
import { leaksOf } from '../support/leaks.ts';
import {
  type Installation,
  type InstallationOptions,
  openApp,
  openInstallation,
  statusesOf,
} from '../support/oidc-installation.ts';
import type { Person } from '../support/oidc-provider.ts';
import { changedRoutes, LOGIN, ORIGIN, openWorld, type World } from '../support/world.ts';

type Name = 'globex' | 'eu';
type Logout = (installation: Installation) => Record<string, unknown>;

const ACCOUNTS = {
  kim: { email: 'kim@globex.example', email_verified: true },
  lee: { email: 'lee@globex.example', email_verified: true },
};

/** One oidc-provider each for the environments that are named, told as `logout` says, and a router before them. */
async function openInstalled<N extends Name>(
  t: Test,
  names: readonly N[],
  logout: Logout,
  more: Partial<InstallationOptions> = {},
  login: Record<string, unknown> = {},
): Promise<{ readonly world: World; readonly at: Record<N, Installation> }> {
  const made: { world?: World } = {};
  const opened: [Name, Installation][] = [];
  for (const name of names) {
    const installation = await openInstallation({
      name,
      router: ORIGIN,
      reached: () => made.world?.running.localUrl ?? '',
      clock: () => made.world?.now ?? 0,
      accounts: ACCOUNTS,
      ...more,
    });
    t.teardown(() => installation.close());
    opened.push([name, installation]);
  }
  const routes = changedRoutes((tree) => {
    for (const [name, installation] of opened)
      Object.assign(tree.environments[name] ?? {}, {
        login: { ...installation.login, ...login },
        logout: logout(installation),
      });
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    tree.logout = { then: 'app', fan_out: 'visited' };
  });
  const variables = Object.assign({}, ...opened.map(([, installation]) => installation.variables));
  const world = await openWorld(t, { routes, variables });
  made.world = world;
  return { world, at: Object.fromEntries(opened) as Record<N, Installation> };
}

/** From the portal through the provider and back; the person may be known there already. */
async function signIn(browser: Browser, person: Person, name: Name): Promise<void> {
  const { location } = await browser.get(`${LOGIN}&env=${name}`);
  const { params } = await person.go(location);
  const seen = await browser.get(`/return/${name}?${new URLSearchParams([...params])}`);
  if (!seen.location.includes('access_token=')) throw new Error(`not signed in: ${seen.status} ${seen.body}`);
}

/** The provider's page in the browser, and back to the router. */
async function through(browser: Browser, person: Person, url: string, answer?: 'signs_out' | 'stays') {
  const { address, params } = await person.go(url, answer);
  const query = new URLSearchParams([...params]).toString();
  return browser.get(`${address.slice(ORIGIN.length)}${query && `?${query}`}`);
}

const logged = (world: World, event: string) =>
  world
    .events()
    .filter((line) => line.event === event)
    .map(({ reason, environment, detail }) => [reason, environment, ...(detail === undefined ? [] : [detail])]);

const backOnly: Logout = ({ back }) => ({ back });
const bothDirections: Logout = ({ back }) => ({ back, receive: 'back_channel' });
const NOT_THROUGH_BROWSER = { end_session: 'not_used' };
const APPS = { globex: 'https://acme.globex.example/', eu: 'https://eu.acme.test/' };

t.test('through the browser: its sign-out page asks once, and its session and tokens are gone', async (t) => {
  const { world, at } = await openInstalled(t, ['globex'], () => ({}));
  const [browser, person] = [world.browser(), at.globex.person('kim')];
  await signIn(browser, person, 'globex');
  t.equal(await openApp(at.globex, person), 'signed_in', 'its own application, with the same session');
  t.same(await statusesOf(at.globex, at.globex.issued), [200, 200], 'the router’s access token, and the application’s');

  const leg = new URL((await browser.get('/logout')).location);
  t.equal(`${leg.origin}${leg.pathname}`, `${at.globex.issuer}/session/end`);
  const hint = decodeJwt(leg.searchParams.get('id_token_hint') ?? '');
  t.match(hint, { iss: at.globex.issuer, aud: 'wayhome', sub: 'kim' });
  t.equal(leg.searchParams.get('post_logout_redirect_uri'), `${ORIGIN}/return/globex/logout`);
  const { address, params } = await person.go(leg.href);
  t.equal(person.askedToSignOut(), 1);
  t.equal(address, `${ORIGIN}/return/globex/logout`);
  t.same([...params], [['state', leg.searchParams.get('state')]], 'what was sent comes back, and nothing else');

  const tampered = await browser.get(`/return/globex/logout?state=${params.get('state')}x`);
  t.equal(tampered.status, 400);
  const end = await browser.get(`/return/globex/logout?${new URLSearchParams([...params])}`);
  t.equal(end.location, APPS.globex);
  t.equal(await openApp(at.globex, person), 'login_required');
  t.same(await statusesOf(at.globex, at.globex.issued), [401, 401]);
  t.same(logged(world, 'logout.leg'), [
    ['leg_departed', 'globex'],
    ['leg_returned', 'globex'],
  ]);

  const asked = person.asked();
  await signIn(browser, person, 'globex');
  t.equal(person.asked(), asked + 1, 'the next login has to say who it is');
  t.same(leaksOf(world), []);
});

t.test(
  'through the browser long after: an id_token that expired is a hint, one of a retired key is none',
  async (t) => {
    const { world, at } = await openInstalled(t, ['globex'], () => ({}));
    const day = 86_400;
    for (const keys of ['the same keys', 'other keys']) {
      const [browser, person] = [world.browser(), at.globex.person('kim')];
      await signIn(browser, person, 'globex');
      if (keys === 'other keys') at.globex.changeKeys();
      world.now += day;
      const clock = t.intercept(Date, 'now', { value: () => world.now * 1_000 });
      const { location } = await browser.get('/logout');
      const { searchParams } = new URL(location);
      t.equal(searchParams.has('id_token_hint'), keys === 'the same keys', keys);
      t.equal(searchParams.has('logout_hint'), keys === 'other keys', keys);
      t.equal((await through(browser, person, location)).location, APPS.globex, 'the person comes back');
      t.equal(await openApp(at.globex, person), 'login_required', keys);
      clock.restore();
      world.now -= day;
    }
  },
);

t.test(
  'who stays on its page comes back all the same; behind their back it is told, and the session ends',
  async (t) => {
    for (const logout of [() => ({}), backOnly] as Logout[]) {
      const { world, at } = await openInstalled(t, ['globex'], logout);
      const told = logout === backOnly;
      const [browser, person] = [world.browser(), at.globex.person('kim')];
      await signIn(browser, person, 'globex');
      const { location } = await browser.get('/logout');
      if (told) await at.globex.arrived(1);
      const end = await through(browser, person, location, 'stays');
      t.equal(end.location, APPS.globex);
      t.equal(person.askedToSignOut(), told ? 0 : 1, 'without a session there is nothing to ask');
      t.equal(await openApp(at.globex, person), told ? 'login_required' : 'signed_in');
    }
  },
);

t.test('behind the person’s back: its own names for person and session end that session and no other', async (t) => {
  const { world, at } = await openInstalled(t, ['globex'], bothDirections, {}, NOT_THROUGH_BROWSER);
  const { globex } = at;
  const [kim, elsewhere, lee] = [globex.person('kim'), globex.person('kim'), globex.person('lee')];
  const browser = world.browser();
  for (const [where, who] of [
    [browser, kim],
    [world.browser(), elsewhere],
    [world.browser(), lee],
  ] as const)
    await signIn(where, who, 'globex');
  t.equal(await openApp(globex, kim), 'signed_in');

  t.equal((await browser.get('/logout')).location, APPS.globex, 'no detour');
  t.match(globex.told, [{ status: 200, ended: 1 }], 'told before the person is answered');
  const claims = decodeJwt(globex.told[0]?.token ?? '');
  t.match(claims, { iss: `${ORIGIN}/`, aud: 'globex', sub: 'kim' });
  t.match(globex.said, [{ status: 200 }], 'what it tells its clients in turn, us among them, is taken');
  t.equal(decodeJwt(globex.said[0]?.token ?? '').sid, claims.sid, 'it is the sid that it gave us');
  t.equal(globex.told.length, 1, 'and goes no further');

  t.equal(await openApp(globex, kim), 'login_required');
  t.equal(await openApp(globex, elsewhere), 'signed_in', 'the same person in another browser');
  t.equal(await openApp(globex, lee), 'signed_in');
  t.same(await statusesOf(globex, globex.issued), [401, 200, 200, 401, 200, 200]);
  t.same(logged(world, 'logout.leg'), [
    ['notice_kept', 'globex'],
    ['notice_delivered', 'globex', 'answered 200'],
  ]);
  t.same(leaksOf(world), []);
});

t.test(
  'a provider that gives its sessions no names is told the person’s, and a late word spares newer ones',
  async (t) => {
    const { world, at } = await openInstalled(t, ['globex'], backOnly, { namesSessions: false }, NOT_THROUGH_BROWSER);
    const { globex } = at;
    const [kim, elsewhere, lee] = [globex.person('kim'), globex.person('kim'), globex.person('lee')];
    const browser = world.browser();
    await signIn(browser, kim, 'globex');
    await signIn(world.browser(), elsewhere, 'globex');
    await signIn(world.browser(), lee, 'globex');
    globex.outOfOrder = 503;
    t.match((await browser.get('/logout')).location, /\/logout\/[\w-]+$/, 'the person reads that it does not know yet');
    const endedAt = world.now;

    world.now += 2;
    const later = globex.person('kim');
    await signIn(world.browser(), later, 'globex');
    delete globex.outOfOrder;
    world.now += 10;
    await globex.arrived(2);
    t.match(globex.told, [{ status: 503 }, { status: 200, ended: 2 }]);
    const claims = decodeJwt(globex.told[1]?.token ?? '') as JWTPayload & { toe: number };
    t.equal(claims.sub, 'kim');
    t.notOk('sid' in claims);
    t.equal(claims.toe, endedAt);
    t.equal(claims.iat, world.now, 'a token of its own for each attempt');
    t.equal(await openApp(globex, kim), 'login_required');
    t.equal(await openApp(globex, elsewhere), 'login_required', 'in all browsers: nothing tells them apart');
    t.equal(await openApp(globex, later), 'signed_in');
    t.equal(await openApp(globex, lee), 'signed_in');
  },
);

t.test('at its own sign-out page: the session of that browser is gone, and the browser comes back', async (t) => {
  const { world, at } = await openInstalled(t, ['globex'], ({ front }) => ({ front }));
  const [browser, person, elsewhere] = [world.browser(), at.globex.person('kim'), at.globex.person('kim')];
  await signIn(browser, person, 'globex');
  await signIn(world.browser(), elsewhere, 'globex');
  t.equal(await openApp(at.globex, person), 'signed_in');
  const { location } = await browser.get('/logout');
  t.ok(location.startsWith(`${at.globex.front.url}?return_to=`), 'it wins over the provider’s end_session_endpoint');
  const end = await through(browser, person, location);
  t.equal(end.location, APPS.globex);
  t.equal(person.askedToSignOut(), 0);
  t.equal(await openApp(at.globex, person), 'login_required');
  t.equal(await openApp(at.globex, elsewhere), 'signed_in');
  t.same(await statusesOf(at.globex, at.globex.issued), [401, 200, 401, 200]);
  t.same(at.globex.told, []);
});

t.test('both ways at once, and told twice: the browser still comes back, the next session lives', async (t) => {
  const { world, at } = await openInstalled(t, ['globex'], ({ front, back }) => ({ front, back }));
  const [browser, person] = [world.browser(), at.globex.person('kim')];
  await signIn(browser, person, 'globex');
  const { location } = await browser.get('/logout');
  await at.globex.arrived(1);
  t.match(at.globex.told, [{ status: 200, ended: 1 }]);
  await signIn(browser, person, 'globex');
  const again = await fetch(at.globex.back.url, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: at.globex.told[0]?.token ?? '' }),
  });
  t.equal(again.status, 400);
  t.match(at.globex.told[1], { status: 400, why: 'used before' }, 'a token that somebody else got hold of');
  t.equal(await openApp(at.globex, person), 'signed_in');
  t.equal((await through(browser, person, location)).location, APPS.globex);
});

t.test('the provider’s own sign-out ends that visit, and the person’s session at the next provider', async (t) => {
  const { world, at } = await openInstalled(t, ['globex', 'eu'], bothDirections);
  const browsers = [world.browser(), world.browser()];
  const people = { globex: [0, 1].map(() => at.globex.person('kim')), eu: [0, 1].map(() => at.eu.person('lee')) };
  const { globex, eu } = at;
  for (const [index, browser] of browsers.entries())
    for (const name of ['globex', 'eu'] as const) {
      const person = people[name][index];
      if (person) await signIn(browser, person, name);
    }
  const [kim, kimElsewhere, lee, leeElsewhere] = [...people.globex, ...people.eu] as [Person, Person, Person, Person];
  world.now = Math.max(world.now, Math.floor(Date.now() / 1_000));

  const end = new URLSearchParams({ client_id: 'wayhome', post_logout_redirect_uri: `${ORIGIN}/return/globex/logout` });
  await kim.go(`${globex.issuer}/session/end?${end}`);
  t.match(globex.said, [{ status: 200 }]);
  t.same(logged(world, 'logout.completed'), [['ended_by_environment', 'globex', 'visits: 1']]);
  await eu.arrived(1);
  t.match(eu.told, [{ status: 200, ended: 1 }], 'by the name that the other provider gave its session');
  t.equal(decodeJwt(eu.told[0]?.token ?? '').sub, 'lee');
  t.same(globex.told, [], 'who said it is not told');
  t.equal(await openApp(globex, kim), 'login_required');
  t.equal(await openApp(eu, lee), 'login_required');
  t.equal(await openApp(globex, kimElsewhere), 'signed_in');
  t.equal(await openApp(eu, leeElsewhere), 'signed_in');
  t.match(eu.said, [{ status: 200 }], 'which it says in turn');
  t.equal(eu.told.length, 1, 'and that is where it ends');

  const [first] = globex.said;
  const replay = await world.browser().post('/backchannel-logout/globex', { logout_token: first?.token ?? '' });
  t.equal(replay.status, 400);
  t.match(world.events().at(-1), { reason: 'jwt_replayed' });
  t.same(leaksOf(world), []);
});

t.test('what the provider would not believe: nothing but the router’s own words, once', async (t) => {
  const ours = await generateKeyPair('RS256');
  const other = await generateKeyPair('RS256');
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'ours', alg: 'RS256' }] });
  const { world, at } = await openInstalled(t, ['globex'], backOnly, { keys });
  const person = at.globex.person('kim');
  await signIn(world.browser(), person, 'globex');
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const good = {
    iss: `${ORIGIN}/`,
    aud: 'globex',
    iat: world.now,
    exp: world.now + 120,
    jti: 'once',
    sub: 'kim',
    events,
  };
  const header = { alg: 'RS256', typ: 'logout+jwt', kid: 'ours' };
  const write = (claims: object, more: object = {}, key: Parameters<SignJWT['sign']>[0] = ours.privateKey) =>
    new SignJWT({ ...good, ...claims }).setProtectedHeader({ ...header, ...more }).sign(key);
  const send = async (token: string) => {
    await fetch(at.globex.back.url, { method: 'POST', body: new URLSearchParams({ logout_token: token }) });
    return at.globex.told.at(-1);
  };
  const published = new TextEncoder().encode(JSON.stringify(await exportJWK(ours.publicKey)));
  const unsigned = `${btoa(JSON.stringify({ ...header, alg: 'none' }))}.${btoa(JSON.stringify(good))}.`;
  const rows: [what: string, token: string, why: RegExp][] = [
    ['nothing', '', /Invalid/],
    ['no signature', unsigned.replaceAll('=', ''), /"alg"/],
    ['somebody else’s signature', await write({}, {}, other.privateKey), /signature/],
    ['the published key as a secret', await write({}, { alg: 'HS256' }, published), /"alg"/],
    ['a key that nobody published', await write({}, { kid: 'theirs' }, other.privateKey), /no applicable key/],
    ['another kind of token', await write({}, { typ: 'JWT' }), /"typ"/],
    ['another router’s', await write({ iss: 'https://other.test/' }), /"iss"/],
    ['for another environment', await write({ aud: 'eu' }), /"aud"/],
    ['for its own client', await write({ aud: 'wayhome' }), /"aud"/],
    ['of yesterday', await write({ iat: world.now - 86_400, exp: world.now - 86_280 }), /"exp"/],
    ['made long ago for long', await write({ iat: world.now - 300 }), /"iat"/],
    ['without an end', await write({ exp: undefined }), /"exp"/],
    ['without a name of its own', await write({ jti: undefined }), /"jti"/],
    ['with a nonce', await write({ nonce: 'n' }), /a nonce/],
    ['of no event', await write({ events: undefined }), /"events"/],
    ['of another event', await write({ events: { 'https://example.test/event': {} } }), /another event/],
    ['an event that is no object', await write({ events: { [Object.keys(events)[0] ?? '']: true } }), /another event/],
    ['about nobody', await write({ sub: undefined }), /nobody/],
    ['about something else', await write({ sid: 7 }), /no text/],
  ];
  for (const [what, token, why] of rows) {
    t.match(await send(token), { status: 400, why }, what);
    t.equal(await openApp(at.globex, person), 'signed_in', what);
  }
  t.match(await send(await write({ sub: 'lee' })), { status: 200, ended: 0 }, 'somebody who is not signed in');
  t.match(await send(await write({ sub: 'kim', jti: 'two', sid: 'x' })), { status: 200, ended: 0 }, 'another session');
  t.equal(await openApp(at.globex, person), 'signed_in');
  t.match(await send(await write({ jti: 'three' })), { status: 200, ended: 1 });
  t.match(await send(await write({ jti: 'three' })), { status: 400, why: 'used before' });
  t.equal(await openApp(at.globex, person), 'login_required');
});
