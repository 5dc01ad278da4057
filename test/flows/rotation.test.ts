/** Signing keys and secrets change while people sign in. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import t from 'tap';
import { keys as keysCommand } from '../../src/cli/keys.ts';
import { LEAD, overlapAfter } from '../../src/keys/overlap.ts';
import {
  authorizeUrl,
  codeOf,
  openPartyWorld,
  partyRoutes,
  redeem,
  signIn,
  userinfo,
} from '../provider/party-world.ts';
import type { Seen } from '../support/browser.ts';
import { leaksOf } from '../support/leaks.ts';
import {
  changedRoutes,
  comeBack,
  departure,
  environmentToken,
  LOGIN,
  openWorld,
  portalToken,
  SECRETS,
  temporaryFolder,
  type World,
} from '../support/world.ts';

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const NEXT_SECRET = 'canary-next-portal-secret-0123456789-0123456789-0123456789-01234';

const iso = (instant: number): string => new Date(instant * 1000).toISOString().replace('.000Z', 'Z');

/** Two routers on one store, which sign for the portal with keys of their own. */
async function openPair(t: Parameters<typeof openWorld>[0]) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'routes.yaml');
  const routes = changedRoutes((tree) => {
    Object.assign(tree, { store: `sqlite:${join(folder, 'wayhome.db')}` });
    Object.assign(tree.portals.support ?? {}, { signing: { algorithm: 'PS256' } });
  });
  writeFileSync(file, routes);
  const pair = [await openWorld(t, { routes, file }), await openWorld(t, { routes, file })] as const;
  return { pair, ...openKeysCommand(pair, file, 'support') };
}

/** `wayhome keys` on the store of these routers, and their time. */
function openKeysCommand(worlds: readonly World[], file: string, portal: string) {
  let now = worlds[0]?.now ?? 0;
  const pass = (seconds: number) => {
    now += seconds;
    for (const world of worlds) world.now = now;
  };
  pass(0);
  const command = async (verb: string, ...more: string[]): Promise<Listed> => {
    const stdout = new Sink();
    const io = { stdout, stderr: new Sink(), env: {} };
    const status = await keysCommand([verb, file, '--portal', portal, '--json', ...more], io, () => now);
    if (status !== 0) throw new Error(`${verb}: ${stdout.text}`);
    const document = JSON.parse(stdout.text) as Listed & { sets?: readonly Listed[] };
    return document.sets?.[0] ?? document;
  };
  return { pass, command, now: () => now };
}

type Listed = {
  readonly keys: readonly { readonly kid: string; readonly state: string; readonly signs_from: string }[];
};

/** Whoever verifies and keeps the key set for exactly as long as it may. */
function openVerifier(from: World, now: () => number) {
  let kept: { readonly kids: readonly unknown[]; readonly keyOf: JWTVerifyGetKey; readonly until: number } | undefined;
  return async (token: string): Promise<void> => {
    if (!kept || now() > kept.until) {
      const { body, headers } = await from.browser().get('/.well-known/jwks.json');
      const [, maxAge = '0'] = /max-age=(\d+)/.exec(String(headers['cache-control'])) ?? [];
      const set = JSON.parse(body) as JSONWebKeySet;
      const kids = set.keys.map(({ kid }) => kid);
      kept = { kids, keyOf: createLocalJWKSet(set), until: now() + Number(maxAge) };
    }
    const { kid } = decodeProtectedHeader(token);
    if (!kept.kids.includes(kid)) throw new Error(`unknown key ${kid}`);
    await jwtVerify(token, kept.keyOf, { currentDate: new Date(now() * 1000), clockTolerance: 60 });
  };
}

t.test('through 100 rotations under load no login fails and every token can be verified', async (t) => {
  const { pair, pass, command, now } = await openPair(t);
  const [one, two] = pair;
  const verifiers = [one, two, one, two].map((world) => openVerifier(world, now));
  const failed: unknown[] = [];
  const kids = new Set<unknown>();
  const delivered: { readonly token: string; readonly at: number }[] = [];
  let logins = 0;

  /** A login that leaves through one router and comes back through the other. */
  const signIn = async (person: number): Promise<void> => {
    const [left, right] = person % 2 === 0 ? [one, two] : [two, one];
    const browser = left.browser();
    const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
    const answer = await environmentToken('us', now(), nonce);
    const seen: Seen = await browser.copy(() => right.running.localUrl).get(`${redirectUri}&access_token=${answer}`);
    if (seen.status !== 302) throw new Error(`a login was answered ${seen.status}`);
    const token = portalToken(seen);
    kids.add(decodeProtectedHeader(token).kid);
    for (const verify of verifiers) await verify(token);
    delivered.push({ token, at: now() });
    logins++;
  };
  /** People sign in while time passes, and while `work` is done. */
  const meanwhile = async (seconds: number, work?: () => Promise<unknown>): Promise<void> => {
    const people = Array.from({ length: 2 }, (_, person) =>
      signIn(person + logins).catch((error) => failed.push(error)),
    );
    const working = work?.();
    await new Promise((resolve) => setImmediate(resolve));
    pass(seconds);
    await Promise.all([...people, working]);
    // A portal may look at a token again for as long as that is good, on its own clock.
    const old = delivered.findLastIndex(({ at }) => now() - at > 60) + 1;
    for (const { token } of delivered.splice(0, old))
      for (const verify of verifiers) await verify(token).catch((error) => failed.push(error));
  };
  for (let rotation = 0; rotation < 100; rotation++) {
    await meanwhile(3, () => command('stage'));
    const planned = rotation % 2 === 0;
    // Half of them are planned to the end at once, half are walked through one by one.
    if (planned) await meanwhile(1, () => command('switch').then(() => command('retire')));
    for (let waited = 0; waited <= LEAD; waited += 46) await meanwhile(46);
    if (planned) continue;
    await meanwhile(2, () => command('switch'));
    await meanwhile(50, () => command('retire'));
  }
  t.same(failed.map(String), []);
  t.ok(logins > 1_500, `${logins} logins`);
  t.ok(kids.size >= 100, `${kids.size} keys signed`);
  pass(overlapAfter(60) + 60);
  t.equal((await command('list')).keys.length, 1, 'and one is left');
  t.same(pair.flatMap(leaksOf), []);
});

t.test(
  'a portal with one secret is signed for with the other one from the stated second on, and not before',
  async (t) => {
    const world = await openWorld(t, { variables: { NEXT_SECRET } });
    const at = world.now + 3_600;
    const planned = changedRoutes((tree) =>
      Object.assign(tree.portals.support?.signing ?? {}, { next: { secret: { env: 'NEXT_SECRET' }, at: iso(at) } }),
    );
    t.equal(await world.running.reload(planned), true);
    const signedWith = async () => {
      const token = portalToken(await comeBack(world, world.browser(), 'us'));
      const fits = async (secret: string) =>
        jwtVerify(token, new TextEncoder().encode(secret), { currentDate: new Date(world.now * 1000) }).then(
          () => true,
          () => false,
        );
      return { old: await fits(SECRETS.PORTAL_SECRET), next: await fits(NEXT_SECRET) };
    };
    for (const [now, expected] of [
      [at - 3_600, { old: true, next: false }],
      [at - 1, { old: true, next: false }],
      [at, { old: false, next: true }],
      [at + 86_400, { old: false, next: true }],
    ] as const) {
      world.now = now;
      t.same(await signedWith(), expected, `${now - at} s`);
    }
    t.equal((await world.browser().get('/oidc/jwks')).body, '{"keys":[]}', 'a secret is published by nobody');
    t.equal(await world.running.reload(planned), true);
    t.match(await signedWith(), { next: true }, 'also after the routes were read again');
    t.same(leaksOf(world), []);
  },
);

t.test('people whom the portal sends back at once raise an alarm, and others do not', async (t) => {
  const world = await openWorld(t);
  const suspicions = () => world.events().filter(({ event }) => event === 'portal.refusals_suspected');
  const returns = () => world.events().filter(({ event }) => event === 'login.came_back');
  const signIn = async () => {
    const browser = world.browser();
    t.equal((await comeBack(world, browser, 'us')).status, 302);
    return browser;
  };

  const calm = await signIn();
  world.now += 11;
  await calm.get(LOGIN);
  await calm.get(`${LOGIN}&ask=picker`);
  const picky = await signIn();
  await picky.get(`${LOGIN}&ask=picker`);
  await picky.get(`${LOGIN}&choose=us`);
  await picky.get(LOGIN, { method: 'HEAD' });
  await picky.get('/enter/us/support');
  const left = await signIn();
  await left.get('/logout');
  await left.get(LOGIN);
  await world.browser().get(LOGIN);
  t.same(returns(), [], 'later, through our own pages, after a sign-out, or without having been here');

  // The portal refuses every token: each goes back to the login URL as soon as it is there.
  for (let person = 0; person < 4; person++) await (await signIn()).get(LOGIN);
  t.equal(returns().length, 4);
  t.match(returns()[0], { level: 'info', reason: 'came_back_at_once', portal: 'support', environment: 'us' });
  t.same(suspicions(), [], 'four may be chance');
  for (let person = 0; person < 6; person++) await (await signIn()).get(LOGIN);
  t.equal(suspicions().length, 1, 'once, not for every one of them');
  t.match(suspicions()[0], { level: 'warn', portal: 'support', reason: 'came_back_at_once', detail: /^5 came back/ });
  const metrics = await (await fetch(`${world.running.adminUrl}/metrics`)).text();
  t.match(
    metrics,
    /wayhome_outcomes_total\{event="login.came_back",reason="came_back_at_once",portal="support",environment="us"\} 10/,
  );
  t.match(metrics, /wayhome_outcomes_total\{event="portal.refusals_suspected"[^}]*\} 1/);

  world.now += 301;
  for (let person = 0; person < 30; person++) await signIn();
  for (let person = 0; person < 6; person++) await (await signIn()).get(LOGIN);
  t.equal(suspicions().length, 1, 'six of 36 are few');
  for (let person = 0; person < 10; person++) await (await signIn()).get(LOGIN);
  t.equal(suspicions().length, 2, 'and in the next five minutes it is said again');
});

t.test('a relying party’s id_tokens change their key, and nobody who is signed in notices', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'routes.yaml');
  const routes = partyRoutes((tree) => Object.assign(tree, { store: `sqlite:${join(folder, 'wayhome.db')}` }));
  writeFileSync(file, routes);
  const world = await openPartyWorld(t, { routes, file });
  const { pass, command } = openKeysCommand([world], file, 'help');
  const browser = world.browser();
  const signedIn = async (who = world.browser()) => {
    const { body } = await redeem(world, codeOf(await signIn(world, who, 'us')));
    return { ...body, kid: decodeProtectedHeader(String(body.id_token)).kid } as Readonly<Record<string, unknown>>;
  };
  const published = async () => JSON.parse((await browser.get('/oidc/jwks')).body) as JSONWebKeySet;

  const before = await signedIn(browser);
  await command('stage');
  pass(5);
  t.equal((await published()).keys.filter(({ kty }) => kty === 'RSA').length, 2);
  t.equal((await signedIn()).kid, before.kid);
  t.same(
    (await command('switch', '--at-once')).keys.map(({ state }) => state),
    ['retiring', 'active'],
  );
  pass(5);
  const after = await signedIn();
  t.not(after.kid, before.kid);
  const keyOf = createLocalJWKSet(await published());
  for (const { id_token } of [before, after])
    t.equal((await jwtVerify(String(id_token), keyOf)).payload.iss, `${world.running.publicUrl}/`);
  t.match(JSON.parse((await userinfo(world, before.access_token)).body), { email: 'ada@acme.test' });
  const silent = await browser.get(authorizeUrl({ prompt: 'none' }));
  t.ok(new URL(silent.location).searchParams.has('code'), 'their session lives on');

  await command('retire', '--at-once');
  pass(5);
  t.same((await published()).keys.map(({ kid }) => kid).includes(String(before.kid)), false);
  t.equal((await signedIn()).kid, after.kid);
});
