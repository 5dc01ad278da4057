/** Signing out where environments are told behind the person's back, from the sign-out to what they get. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import t, { type Test } from 'tap';
import { serve } from '../outbound/servers.ts';
import type { Browser, Seen } from '../support/browser.ts';
import { leaksOf } from '../support/leaks.ts';
import {
  changedRoutes,
  comeBack,
  ISSUER,
  openWorld,
  type RoutesTree,
  temporaryFolder,
  type World,
} from '../support/world.ts';

const PULL_SECRET = 'canary-pull-secret-0123456789abcdef0123456789abcdef0123';
const NAMES = ['us', 'eu', 'globex'] as const;
type Name = (typeof NAMES)[number];

/** Applications that are posted logout tokens, at `/<name>`, and keep what came as text. */
async function openApps(t: Test) {
  const posts: { readonly name: string; readonly token: string; readonly type: string | undefined }[] = [];
  const state = { status: 200 };
  let changed = () => {};
  const { url } = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    posts.push({
      name: (request.url ?? '').slice(1),
      token: form.get('logout_token') ?? '',
      type: request.headers['content-type'],
    });
    response.writeHead(state.status).end();
    changed();
  });
  return {
    url,
    posts,
    state,
    names: () => posts.map(({ name }) => name).sort(),
    /** Resolves once there are so many posts. */
    async arrived(count: number) {
      while (posts.length < count) await new Promise<void>((resolve) => (changed = resolve));
    },
  };
}

const told =
  (url: string, fanOut = 'visited', names: readonly Name[] = NAMES, more: Record<string, unknown> = {}) =>
  (tree: RoutesTree) => {
    for (const name of names) {
      const environment = tree.environments[name];
      if (!environment) continue;
      environment.login.allow_private = true;
      environment.logout = { back: { url: `${url}${name}`, ...more } };
    }
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    tree.logout = { then: 'app', fan_out: fanOut };
  };

/** What a receiver does (Back-Channel Logout 1.0 §2.6), with what the router publishes. */
async function accept(world: World, name: string, token: string): Promise<JWTPayload> {
  const keys = JSON.parse((await world.browser().get('/oidc/jwks')).body) as JSONWebKeySet;
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
    issuer: ISSUER,
    audience: name,
    typ: 'logout+jwt',
    algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'],
    currentDate: new Date(world.now * 1_000),
    maxTokenAge: 120,
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
  });
  if ('nonce' in payload) throw new Error('a nonce');
  if (payload.sub === undefined && payload.sid === undefined) throw new Error('nobody');
  if (protectedHeader.kid === undefined) throw new Error('no kid');
  return payload;
}

async function visitAll(world: World, browser: Browser, ...names: Name[]): Promise<void> {
  for (const name of names) {
    await comeBack(world, browser, name, { claims: { sub: `${name}|7`, sid: `session at ${name}` } });
    world.now += 1;
  }
}

const legs = (world: World) =>
  world
    .events()
    .filter(({ event }) => event === 'logout.leg')
    .map(({ reason, environment }) => [reason, environment]);

t.test('an app that is told verifies the token with the router’s metadata alone', async (t) => {
  for (const algorithm of [undefined, 'ES256', 'PS256', 'EdDSA']) {
    const apps = await openApps(t);
    const routes = changedRoutes(told(apps.url, 'origin', NAMES, algorithm ? { algorithm } : {}));
    const world = await openWorld(t, { routes });
    const browser = world.browser();
    await visitAll(world, browser, 'us');
    const seen = await browser.get('/logout');
    t.equal(seen.location, 'https://us.acme.test/');

    const [post] = apps.posts;
    t.equal(apps.posts.length, 1, 'before the person is answered');
    t.equal(post?.type, 'application/x-www-form-urlencoded');
    const claims = await accept(world, 'us', post?.token ?? '');
    t.match(claims, { sub: 'us|7', sid: 'session at us', iat: world.now });
    const header = JSON.parse(Buffer.from(post?.token.split('.')[0] ?? '', 'base64url').toString());
    t.equal(header.alg, algorithm ?? 'RS256');
    t.same(legs(world), [
      ['notice_kept', 'us'],
      ['notice_delivered', 'us'],
    ]);
    t.same(leaksOf(world), []);
    await t.rejects(accept(world, 'eu', post?.token ?? ''), 'it is for nobody else');
  }
});

t.test('who is told: where the person came from last, or everywhere that this browser has a visit', async (t) => {
  const rows: [fanOut: string, visits: Name[], names: Name[]][] = [
    ['origin', ['us', 'eu'], ['eu']],
    ['origin', ['eu', 'us'], ['us']],
    ['visited', ['us', 'eu', 'globex'], ['eu', 'globex', 'us']],
    ['visited', ['us'], ['us']],
    ['all', ['us'], ['us']],
    ['all', [], []],
  ];
  for (const [fanOut, visits, names] of rows) {
    const apps = await openApps(t);
    const world = await openWorld(t, { routes: changedRoutes(told(apps.url, fanOut)) });
    const browser = world.browser();
    await visitAll(world, browser, ...visits);
    await browser.get('/logout');
    t.same(apps.names(), names, `${fanOut}: ${visits}`);
    await browser.get('/logout');
    t.equal(apps.posts.length, names.length, 'once');
  }
});

t.test('a prefetch, an image and a HEAD request tell nobody anything', async (t) => {
  const apps = await openApps(t);
  const world = await openWorld(t, { routes: changedRoutes(told(apps.url)) });
  const browser = world.browser();
  await visitAll(world, browser, 'us');
  await browser.send('/logout', { method: 'HEAD' });
  await browser.get('/logout', { headers: { 'sec-purpose': 'prefetch' } });
  await browser.get('/logout', { headers: { 'sec-fetch-dest': 'image' } });
  t.same(apps.posts, []);
  await browser.get('/logout?fan_out=none&told=us');
  t.same(apps.names(), ['us'], 'and no parameter keeps it from happening');
});

t.test('without a name of its own the person is their email, and a front channel goes on as ever', async (t) => {
  const apps = await openApps(t);
  const routes = changedRoutes((tree) => {
    told(apps.url, 'visited', ['us'])(tree);
    Object.assign(tree.environments.us?.logout ?? {}, {
      front: { url: 'https://us.acme.test/logout', return_param: 'return_to' },
    });
  });
  const world = await openWorld(t, { routes });
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  const front = new URL((await browser.get('/logout')).location);
  t.equal(front.pathname, '/logout');
  const end = await browser.get(front.searchParams.get('return_to') ?? '');
  t.equal(end.location, 'https://us.acme.test/');
  await apps.arrived(1);
  const claims = await accept(world, 'us', apps.posts[0]?.token ?? '');
  t.equal(claims.sub, 'ada@acme.test');
  t.notOk('sid' in claims);
});

t.test('what could not be delivered outlives the router, its routes and the browser', async (t) => {
  const apps = await openApps(t);
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const routes = changedRoutes(told(apps.url, 'visited', ['us']));
  apps.state.status = 503;
  const first = await openWorld(t, { routes, sqlite });
  const browser = first.browser();
  await visitAll(first, browser, 'us');
  t.match(
    (await browser.get('/logout')).location,
    /\/logout\/[\w-]+$/,
    'the person goes on, and reads that us does not know',
  );
  t.same(legs(first), [
    ['notice_kept', 'us'],
    ['notice_delayed', 'us'],
  ]);
  await first.close();

  apps.state.status = 200;
  const moved = changedRoutes(told(`${apps.url}moved/`, 'visited', ['us']));
  const second = await openWorld(t, { routes: moved, sqlite });
  second.now = first.now + 600;
  await apps.arrived(2);
  t.same(apps.names(), ['moved/us', 'us'], 'at the address that it has now');
  const [before, after] = await Promise.all(
    apps.posts.map(({ token }) => accept(second, 'us', token).catch(() => null)),
  );
  t.equal(after?.sub, 'us|7');
  t.equal(before, null, 'the first token is too old by now');
});

t.test('with the store out of order the visit ends, and the person reads who could not be told', async (t) => {
  const apps = await openApps(t);
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const world = await openWorld(t, { routes: changedRoutes(told(apps.url, 'visited', ['us', 'eu'])), sqlite });
  const browser = world.browser();
  await visitAll(world, browser, 'us', 'eu');
  const other = new DatabaseSync(`${sqlite}.notices`);
  t.teardown(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  const seen = await browser.get('/logout');
  other.exec('ROLLBACK');
  t.equal(seen.status, 200);
  t.notOk(seen.headers.refresh, 'nobody is sent on before they have read it');
  for (const title of ['United States', 'Europe']) t.match(seen.body, `${title} could not be told`);
  t.match(seen.body, 'href="https://eu.acme.test/"');
  t.same(
    [...browser.jar.keys()].filter((name) => name.includes('visit')),
    [],
  );
  t.same(legs(world).sort(), [
    ['notice_not_kept', 'eu'],
    ['notice_not_kept', 'us'],
  ]);
  t.same(apps.posts, [], 'what was not kept is not told either');
});

const pulled = (tree: RoutesTree) => {
  const { us, eu } = tree.environments;
  if (us) us.logout = { pull: { secret: { env: 'PULL_SECRET' } } };
  if (eu) eu.logout = { pull: { secret: { env: 'EU_PULL_SECRET' }, audience: 'https://eu.acme.test' } };
  tree.logout = { fan_out: 'visited' };
};

const openPulled = (t: Test) =>
  openWorld(t, {
    routes: changedRoutes(pulled),
    variables: { PULL_SECRET, EU_PULL_SECRET: `${PULL_SECRET}-eu` },
  });

const bearer = (secret = PULL_SECRET) => ({ headers: { authorization: `Bearer ${secret}` } });

type Fed = { readonly notices: { readonly cursor: number; readonly logout_token: string }[]; readonly next: number };
const fedOf = ({ body }: Seen) => JSON.parse(body) as Fed;

t.test('an installation that nobody can reach fetches who signed out, and says what it has', async (t) => {
  const world = await openPulled(t);
  const [browser, installation] = [world.browser(), world.browser()];
  await visitAll(world, browser, 'us', 'eu');
  await browser.get('/logout');

  const first = fedOf(await installation.get('/logout-feed/us', bearer()));
  t.equal(first.notices.length, 1, 'its own people only');
  const token = first.notices[0]?.logout_token ?? '';
  t.match(await accept(world, 'us', token), { sub: 'us|7', sid: 'session at us' });
  world.now += 600;
  const again = fedOf(await installation.get('/logout-feed/us?after=0', bearer()));
  const fresh = await accept(world, 'us', again.notices[0]?.logout_token ?? '');
  t.equal(fresh.iat, world.now, 'until it is acknowledged, with a fresh token each time');
  await t.rejects(accept(world, 'us', token));
  t.same(fedOf(await installation.get(`/logout-feed/us?after=${again.next}`, bearer())), {
    notices: [],
    next: again.next,
  });

  const acknowledged = await installation.post('/logout-feed/us/ack', { cursor: String(again.next) }, bearer());
  t.same(JSON.parse(acknowledged.body), { acknowledged: 1 });
  t.same(fedOf(await installation.get('/logout-feed/us', bearer())).notices, []);
  const other = fedOf(await installation.get('/logout-feed/eu', bearer(`${PULL_SECRET}-eu`)));
  t.equal((await accept(world, 'https://eu.acme.test', other.notices[0]?.logout_token ?? '')).sub, 'eu|7');
  t.same(legs(world).sort(), [
    ['notice_delivered', 'us'],
    ['notice_kept', 'eu'],
    ['notice_kept', 'us'],
  ]);
  t.same(leaksOf(world), []);
});

t.test('a request that waits at the feed is answered when somebody signs out', async (t) => {
  const world = await openPulled(t);
  const browser = world.browser();
  await visitAll(world, browser, 'us');
  const waiting = world.browser().get('/logout-feed/us?wait=30', bearer());
  while ((await browser.get('/oidc/jwks')).status !== 200) {}
  await browser.get('/logout');
  t.equal(fedOf(await waiting).notices.length, 1);
});

t.test('a feed is open to nobody else, and only so many may wait', async (t) => {
  const world = await openPulled(t);
  const installation = world.browser();
  const rows: [path: string, send: object, status: number, reason: string][] = [
    ['/logout-feed/us', {}, 401, 'feed_secret_refused'],
    ['/logout-feed/us', bearer(''), 401, 'feed_secret_refused'],
    ['/logout-feed/us', bearer(`${PULL_SECRET}-eu`), 401, 'feed_secret_refused'],
    ['/logout-feed/us', bearer(PULL_SECRET.toUpperCase()), 401, 'feed_secret_refused'],
    ['/logout-feed/us', { headers: { authorization: `Basic ${PULL_SECRET}` } }, 401, 'feed_secret_refused'],
    [`/logout-feed/us?access_token=${PULL_SECRET}`, {}, 401, 'feed_secret_refused'],
    ['/logout-feed/globex', bearer(), 404, 'address_unknown'],
    ['/logout-feed/nowhere', bearer(), 404, 'address_unknown'],
    ['/logout-feed/us?after=-1', bearer(), 400, 'request_malformed'],
    ['/logout-feed/us?after=1e3', bearer(), 400, 'request_malformed'],
    ['/logout-feed/us?after=99999999999999999', bearer(), 400, 'request_malformed'],
    ['/logout-feed/us?wait=31', bearer(), 400, 'request_malformed'],
  ];
  for (const [path, send, status, reason] of rows) {
    const seen = await installation.get(path, send);
    t.equal(seen.status, status, path);
    t.equal(world.events().at(-1)?.reason, reason, path);
    t.match(seen.headers['content-type'], 'application/json');
    t.equal(seen.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined);
  }
  t.equal((await installation.get('/logout-feed/us?after=1&after=2', bearer())).status, 400);
  t.equal((await installation.post('/logout-feed/us/ack', { cursor: '1' }, {})).status, 401);
  t.equal((await installation.post('/logout-feed/us/ack', {}, bearer())).status, 400);
  t.equal((await installation.post('/logout-feed/us/ack', { cursor: 'x' }, bearer())).status, 400);
  t.equal((await installation.get('/logout-feed/us/ack', bearer())).status, 405);

  const waiting = Array.from({ length: 9 }, () => world.browser().get('/logout-feed/us?wait=30', bearer()));
  const crowded = await Promise.race(waiting);
  t.equal(crowded.status, 429);
  t.equal(crowded.headers['retry-after'], '5');
  t.equal(world.events().at(-1)?.reason, 'feed_crowded');
  await world.close();
  const rest = await Promise.all(waiting);
  t.equal(rest.filter(({ status }) => status === 200).length, 8, 'a stop answers those who wait');
  t.same(leaksOf(world), []);
});

t.test('routes that are read again are what the next attempt goes by', async (t) => {
  const apps = await openApps(t);
  const routes = changedRoutes(told(apps.url, 'visited', ['us']));
  const world = await openWorld(t, { routes });
  const browser = world.browser();
  await visitAll(world, browser, 'us');
  await browser.get('/logout');
  t.same(apps.names(), ['us']);
  t.ok(await world.running.reload(changedRoutes(told(`${apps.url}new/`, 'visited', ['us']))));
  await visitAll(world, browser, 'us');
  await browser.get('/logout');
  t.same(apps.names(), ['new/us', 'us']);
  t.ok(await world.running.reload(changedRoutes(() => {})));
  await visitAll(world, browser, 'us');
  await browser.get('/logout');
  t.equal(apps.posts.length, 2, 'and who is not told any more is not');
});
