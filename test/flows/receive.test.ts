/**
 * An environment says that its person signed out: `POST /backchannel-logout/<environment>`, and what follows from it.
 */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import t, { type Test } from 'tap';
import { serve } from '../outbound/servers.ts';
import {
  authorizeUrl,
  codeOf,
  HELP,
  leaveFor,
  openPartyWorld,
  partyRoutes,
  redeem,
  signedIn,
  signIn,
  tokenRequest,
} from '../provider/party-world.ts';
import type { Seen } from '../support/browser.ts';
import { leaksOf } from '../support/leaks.ts';
import {
  changedRoutes,
  comeBack,
  environmentToken,
  ISSUER,
  openWorld,
  type RoutesTree,
  type TokenParts,
  temporaryFolder,
  type UsualEnvironment,
  type World,
} from '../support/world.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** These environments may end visits; `fanOut` as in the file. */
const receiving =
  (names: readonly string[], fanOut = 'origin') =>
  (tree: RoutesTree) => {
    for (const name of names) {
      const environment = tree.environments[name];
      if (environment) environment.logout = { receive: 'back_channel' };
    }
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    tree.logout = { then: 'app', fan_out: fanOut };
  };

/** A logout token, by somebody else's library. */
const logoutToken = (
  name: UsualEnvironment,
  now: number,
  claims: Record<string, unknown>,
  { header = {}, ...parts }: TokenParts = {},
) =>
  environmentToken(name, now, undefined, {
    ...parts,
    header: { typ: 'logout+jwt', ...header },
    claims: { exp: now + 120, email: undefined, events: { [EVENT]: {} }, ...claims },
  });

async function post(world: World, name: UsualEnvironment, text: string): Promise<Seen> {
  return world.browser().post(`/backchannel-logout/${name}`, { logout_token: text });
}

async function say(world: World, name: UsualEnvironment, claims: Record<string, unknown>, parts?: TokenParts) {
  return post(world, name, await logoutToken(name, world.now, claims, parts));
}

/** What the last line of the log says about a sign-out or its refusal. */
const last = (world: World) => {
  const found = world.events().findLast(({ event }) => String(event).startsWith('logout.'));
  return [found?.event, found?.reason, found?.detail];
};

/** How many visits the last word ended; `undefined` where it was refused. */
const ended = (world: World): number | undefined => {
  const [event, , detail] = last(world);
  return event === 'logout.completed' ? Number(String(detail).split(' ')[1]) : undefined;
};

t.test('a word that is believed ends the visits of that person, whatever their browsers do', async (t) => {
  const world = await openWorld(t, { routes: changedRoutes(receiving(['us'])) });
  for (const browser of [world.browser(), world.browser()]) await comeBack(world, browser, 'us');
  await comeBack(world, world.browser(), 'us', { claims: { email: 'bob@acme.test' } });
  world.now += 1;
  const seen = await say(world, 'us', { sub: 'ada@acme.test' });
  t.equal(seen.status, 200);
  t.equal(seen.body, '');
  t.equal(seen.headers['cache-control'], 'no-store');
  t.same(last(world), ['logout.completed', 'ended_by_environment', 'visits: 2']);
  t.equal((await say(world, 'us', { sub: 'ada@acme.test' })).status, 200, 'and once more, of nobody');
  t.same(last(world), ['logout.completed', 'no_visit', 'visits: 0']);
  await say(world, 'us', { sub: 'bob@acme.test' });
  t.equal(ended(world), 1);
  t.same(leaksOf(world), []);
});

t.test('what is not believed is answered in one way and ends nothing (case 30)', async (t) => {
  const world = await openWorld(t, { routes: changedRoutes(receiving(['us', 'globex'])) });
  const who = { sub: 'ada@acme.test' };
  await comeBack(world, world.browser(), 'us');
  const replayed = await logoutToken('us', world.now, { sub: 'nobody' });
  t.equal((await post(world, 'us', replayed)).status, 200);

  const token = await logoutToken('us', world.now, who);
  const [, payload] = token.split('.');
  const unsigned = `${Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url')}.${payload}.`;
  const of = (claims: Record<string, unknown>, parts?: TokenParts) =>
    logoutToken('us', world.now, { ...who, ...claims }, parts);
  const rows: [what: string, text: string, reason: string][] = [
    ['unsigned', unsigned, 'jwt_malformed'],
    [
      'another environment’s secret',
      await of({}, { secret: world.variables.EU_SECRET ?? '' }),
      'jwt_invalid_signature',
    ],
    ['the portal as aud', await of({ aud: 'https://portal.usepylon.com' }), 'jwt_audience_mismatch'],
    ['another iss', await of({ iss: 'https://eu.acme.test/' }), 'jwt_issuer_mismatch'],
    ['another event', await of({ events: { 'urn:x': {} } }), 'jwt_claim_malformed'],
    ['with a nonce', await of({ nonce: 'n' }), 'jwt_made_for_return'],
    ['of nobody', await of({ sub: undefined }), 'jwt_missing_required_claim'],
    ['good for three minutes', await of({ exp: world.now + 180 }), 'jwt_lifetime_too_long'],
    ['a handoff token', await environmentToken('us', world.now, undefined), 'jwt_header_not_allowed'],
    ['replayed', replayed, 'jwt_replayed'],
    ['no token', 'x', 'jwt_malformed'],
    ['nothing', '', 'request_parameter_missing'],
  ];
  for (const [what, text, reason] of rows) {
    const seen = await post(world, 'us', text);
    t.equal(seen.status, 400, what);
    t.same(JSON.parse(seen.body), { error: 'invalid_request' }, `${what}: nothing about why`);
    t.equal(seen.headers['content-type'], 'application/json');
    t.equal(seen.headers['cache-control'], 'no-store');
    t.same(last(world).slice(0, 2), ['logout.refused', reason], what);
  }
  t.equal((await post(world, 'globex', token)).status, 400, 'at another environment’s address');
  t.equal((await post(world, 'us', token)).status, 200, 'and nothing had ended');
  t.equal(ended(world), 1);
});

t.test('the address: for programs, by POST, where the file says so', async (t) => {
  const world = await openWorld(t, { routes: changedRoutes(receiving(['us'])) });
  await comeBack(world, world.browser(), 'us');
  const token = await logoutToken('us', world.now, { sub: 'ada@acme.test' });
  const [browser, form] = [world.browser(), { logout_token: token }];
  const url = '/backchannel-logout/us';
  t.equal((await browser.get(url)).status, 405);
  t.equal((await browser.get(url)).headers.allow, 'POST');
  t.equal((await browser.post('/backchannel-logout/eu', form)).status, 404, 'eu may not');
  t.equal((await browser.post('/backchannel-logout/nobody', form)).status, 404);
  t.equal((await browser.post(`${url}?logout_token=${token}`, '')).status, 400, 'addresses stand in logs');
  t.equal((await browser.post(url, `logout_token=${token}&logout_token=${token}`)).status, 400, 'twice');
  const json = { headers: { 'content-type': 'application/json' } };
  t.equal((await browser.post(url, '{}', json)).status, 415);
  t.equal((await browser.post(url, `logout_token=${'x'.repeat(70_000)}`)).status, 413);
  t.equal((await browser.send(url, { method: 'HEAD' })).status, 204);
  t.equal((await browser.post(url, form, { headers: { 'sec-purpose': 'prefetch' } })).status, 204);
  t.equal((await browser.post(url, form)).status, 200, 'nothing of all that used it up');
  t.equal(ended(world), 1);
});

t.test('an environment ends its own people’s visits only, and never a newer one (case 31)', async (t) => {
  const world = await openWorld(t, { routes: changedRoutes(receiving(['us', 'globex'])) });
  const ada = { claims: { sub: 'ada', sid: 's1' } };
  const browser = world.browser();
  await comeBack(world, browser, 'us', ada);
  t.equal((await say(world, 'globex', { sub: 'ada', sid: 's1' })).status, 200);
  t.equal(ended(world), 0, 'globex has no such person');

  const late = await logoutToken('us', world.now, { sub: 'ada' });
  const retried = (at: number) => logoutToken('us', world.now, { sub: 'ada', toe: at });
  const out = world.now;
  world.now += 30;
  await comeBack(world, browser, 'us', ada);
  await post(world, 'us', late);
  t.equal(ended(world), 0, 'the visit that it meant has made room for a newer one, which lives on');
  await post(world, 'us', await retried(out));
  t.equal(ended(world), 0, 'nor does a retry with a token of its own end it');
  const next = await logoutToken('us', world.now, { sub: 'ada' });
  await post(world, 'us', next);
  t.equal(ended(world), 1, 'its own does');

  await comeBack(world, browser, 'us', ada);
  t.equal((await post(world, 'us', next)).status, 400, 'replayed in the same second');
  await say(world, 'us', { sid: 's1' });
  t.equal(ended(world), 1);
});

t.test('its clock is what counts, wherever the two differ by what is allowed', async (t) => {
  for (const off of [-50, 50]) {
    const world = await openWorld(t, { routes: changedRoutes(receiving(['us'])) });
    const theirs = () => ({ iat: world.now + off, exp: world.now + off + 120 });
    await comeBack(world, world.browser(), 'us', { claims: theirs() });
    world.now += 5;
    const before = await logoutToken('us', world.now, { sub: 'ada@acme.test', ...theirs() });
    world.now += 5;
    await comeBack(world, world.browser(), 'us', { claims: theirs() });
    await post(world, 'us', before);
    t.equal(ended(world), 1, `${off} s: the first visit, and not the one after`);
  }
});

t.test('logins through environments that end nothing cost no write', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const world = await openWorld(t, { routes: changedRoutes(receiving(['us'], 'visited')), sqlite });
  const db = new DatabaseSync(sqlite, { readOnly: true });
  t.teardown(() => db.close());
  const kept = () => db.prepare("SELECT 1 FROM held WHERE name LIKE 'visit/%'").all().length;
  const [only, both] = [world.browser(), world.browser()];
  await comeBack(world, only, 'eu');
  await comeBack(world, both, 'eu');
  t.equal(kept(), 0);
  await comeBack(world, both, 'us');
  t.equal(kept(), 2, 'its visit, and the one that would be ended with it');
  world.now += 1;
  await say(world, 'us', { sub: 'ada@acme.test' });
  const skipped = world.events().filter(({ reason }) => reason === 'leg_skipped');
  t.match(skipped, [{ environment: 'eu', detail: 'it can be told through the browser only' }], 'of one browser alone');
  t.equal(kept(), 0);
});

t.test('fan_out: the browser’s other environments are told behind its back', async (t) => {
  for (const [fanOut, order] of [
    ['origin', ['us', 'eu']],
    ['visited', ['us', 'eu']],
    ['all', ['eu', 'us']],
  ] as const) {
    const tokens: string[] = [];
    let arrived = () => {};
    const { url } = await serve(t, async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      tokens.push(new URLSearchParams(body).get('logout_token') ?? '');
      response.end();
      arrived();
    });
    const routes = changedRoutes((tree) => {
      receiving(['us'], fanOut)(tree);
      const { eu } = tree.environments;
      if (!eu) return;
      eu.login.allow_private = true;
      eu.logout = { back: { url } };
    });
    const world = await openWorld(t, { routes });
    const browser = world.browser();
    for (const name of order) await comeBack(world, browser, name, { claims: { sub: `${name}|7` } });
    await comeBack(world, world.browser(), 'eu', { claims: { sub: 'somebody else' } });
    world.now += 1;
    t.equal((await say(world, 'us', { sub: 'us|7' })).status, 200);
    if (fanOut === 'origin') {
      t.same(tokens, []);
      continue;
    }
    while (tokens.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
    const keys = JSON.parse((await world.browser().get('/oidc/jwks')).body) as JSONWebKeySet;
    const { payload } = await jwtVerify(tokens[0] ?? '', createLocalJWKSet(keys), { issuer: ISSUER, audience: 'eu' });
    t.equal(payload.sub, 'eu|7', fanOut);
    t.same(
      tokens.map((token) => decodeJwt(token).sub),
      ['eu|7'],
      'and nobody else’s visit',
    );
  }
});

t.test('a relying party’s session and tokens end with the visit, and it is told', async (t) => {
  const told: string[] = [];
  let arrived = () => {};
  const { url } = await serve(t, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    told.push(new URLSearchParams(body).get('logout_token') ?? '');
    response.end();
    arrived();
  });
  const routes = partyRoutes((tree) => {
    receiving(['us'])(tree);
    const oidc = tree.portals.help?.oidc as Record<string, unknown>;
    Object.assign(oidc, { backchannel_logout_uri: url, allow_private: true });
  });
  const world = await openPartyWorld(t, { routes });
  const browser = world.browser();
  const back = await signIn(world, browser, 'us', { scope: 'openid email offline_access', prompt: 'consent' });
  const { body } = await redeem(world, codeOf(back));
  const again = async () => new URL((await browser.get(authorizeUrl({ prompt: 'none' }))).location);
  t.ok(codeOf(await again()), 'signed in');

  world.now += 1;
  t.equal((await say(world, 'us', { sub: 'ada@acme.test' })).status, 200);
  while (told.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
  t.match(decodeJwt(told[0] ?? ''), { aud: 'help', events: { [EVENT]: {} } });
  const kept = world.events().filter(({ reason }) => reason === 'notice_kept');
  t.same(
    kept.map(({ portal, environment }) => [portal, environment]),
    [['help', undefined]],
    'it is the portal that is told',
  );
  const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) };
  t.equal((await tokenRequest(world, refresh)).status, 400, 'no refresh');
  const after = await again();
  t.equal(`${after.origin}${after.pathname}`, HELP);
  t.equal(
    after.searchParams.get('error'),
    'login_required',
    'the cookie of the visit is there still, and counts for nothing',
  );
  t.ok(codeOf(await signIn(world, browser, 'us')), 'and they may come again');
  t.ok(codeOf(await again()));
});

t.test('a word that comes while the person is on the way to the relying party counts, too', async (t) => {
  const world = await openPartyWorld(t, { routes: partyRoutes(receiving(['us'])) });
  const browser = world.browser();
  const back = await signedIn(world, browser, 'us', await leaveFor(browser, 'us'));
  world.now += 1;
  await say(world, 'us', { sub: 'ada@acme.test' });
  t.equal(ended(world), 1);
  await browser.get(back.location);
  const again = new URL((await browser.get(authorizeUrl({ prompt: 'none' }))).location);
  t.equal(again.searchParams.get('error'), 'login_required', 'the visit is over, whatever session there is');
});

t.test('signed out in the browser, there is nothing left to end', async (t) => {
  const world = await openWorld(t, { routes: changedRoutes(receiving(['us'])) });
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  await browser.get('/logout');
  world.now += 1;
  await say(world, 'us', { sub: 'ada@acme.test' });
  t.equal(ended(world), 0);
});

t.test('one token, a hundred times at once: it is believed once', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const world = await openWorld(t, { routes: changedRoutes(receiving(['us'])), sqlite });
  await comeBack(world, world.browser(), 'us');
  const token = await logoutToken('us', world.now, { sub: 'ada@acme.test' });
  const all = await Promise.all(Array.from({ length: 100 }, () => post(world, 'us', token)));
  t.equal(all.filter(({ status }) => status === 200).length, 1);
  t.equal(all.filter(({ status }) => status === 400).length, 99);
});

t.test('with the store away nothing is believed, and the same token will do later', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const world = await openWorld(t, { routes: changedRoutes(receiving(['us'])), sqlite });
  await comeBack(world, world.browser(), 'us');
  const rename = (from: string, to: string) => {
    const db = new DatabaseSync(sqlite, { timeout: 5_000 });
    db.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
    db.close();
  };
  const token = await logoutToken('us', world.now, { sub: 'ada@acme.test' });
  rename('held', 'away');
  const away = await post(world, 'us', token);
  t.equal(away.status, 503);
  t.same(JSON.parse(away.body), { error: 'temporarily_unavailable' });
  t.same(last(world).slice(0, 2), ['logout.refused', 'store_unavailable']);
  const login = await comeBack(world, world.browser(), 'us');
  t.equal(login.status, 503, 'nor is anybody let in whom nobody could sign out');
  rename('away', 'held');
  t.equal((await post(world, 'us', token)).status, 200);
  t.equal(ended(world), 1);
});

t.test('visits outlive a restart', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const routes = changedRoutes(receiving(['us']));
  const first = await openWorld(t, { routes, sqlite });
  await comeBack(first, first.browser(), 'us');
  await first.close();
  const second = await openWorld(t, { routes, sqlite });
  second.now = first.now + 1;
  await say(second, 'us', { sub: 'ada@acme.test' });
  t.equal(ended(second), 1);
});

t.test('what the file may say', async (t) => {
  const rows: [what: string, change: (tree: RoutesTree) => void, fault: RegExp][] = [
    [
      'handoff',
      (tree) => Object.assign(tree.environments.us ?? {}, { logout: { receive: 'single_logout' } }),
      /handoff/,
    ],
    [
      'session',
      (tree) =>
        Object.assign(tree.environments.eu ?? {}, {
          login: {
            protocol: 'session',
            url: 'https://eu.acme.test/',
            session_url: 'https://eu.acme.test/me',
            cookies: ['s'],
          },
          logout: { receive: 'back_channel' },
        }),
      /no protocol that could say so/,
    ],
    [
      'another word',
      (tree) => Object.assign(tree.environments.us ?? {}, { logout: { receive: 'carrier pigeon' } }),
      /receive/,
    ],
  ];
  for (const [what, change, fault] of rows)
    await t.rejects(openWorld(t as Test, { routes: changedRoutes(change) }), { message: fault }, what);
});
