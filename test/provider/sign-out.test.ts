/** Sign-outs that begin at a relying party, and those that reach one from another door. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import t, { type Test } from 'tap';
import type { Browser, Seen } from '../support/browser.ts';
import { comeBack, temporaryFolder, type World, type WorldOptions } from '../support/world.ts';
import {
  authorizeUrl,
  codeOf,
  DOCS,
  HELP_GONE,
  openPartyWorld,
  partyRoutes,
  redeem,
  signIn,
  tokenRequest,
  userinfo,
} from './party-world.ts';
import { openParty, type PartyServer } from './relying-party.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

type Told = { readonly world: World; readonly help: PartyServer; readonly docs: PartyServer };

/** `help` and `docs` are told on the back channel, `docs` on the front channel, too. */
async function openTold(
  t: Test,
  change: Parameters<typeof partyRoutes>[0] = () => {},
  options: WorldOptions = {},
): Promise<Told> {
  const [help, docs] = [await openParty(t), await openParty(t)];
  const routes = partyRoutes((tree) => {
    const oidcOf = (name: string) => (tree.portals[name]?.oidc ?? {}) as Record<string, unknown>;
    Object.assign(oidcOf('help'), { backchannel_logout_uri: `${help.origin}/back`, allow_private: true });
    Object.assign(oidcOf('docs'), {
      backchannel_logout_uri: `${docs.origin}/back`,
      frontchannel_logout_uri: 'https://docs.acme.test/front?x=1',
      allow_private: true,
    });
    change(tree);
  });
  return { world: await openPartyWorld(t, { ...options, routes }), help, docs };
}

const tokensAt = async (world: World, browser: Browser, environment: 'us' | 'eu', client = 'help') => {
  const isDocs = client === 'docs';
  const code = codeOf(await signIn(world, browser, environment, { client_id: client }));
  const trade = isDocs ? { redirect_uri: DOCS, client_id: 'docs' } : {};
  return (await redeem(world, code, trade, isDocs ? {} : undefined)).body;
};

const legs = (world: World) =>
  world
    .events()
    .filter(({ event }) => event === 'logout.leg')
    .map(({ reason, portal }) => `${portal} ${reason}`);

/** Until the log says so of a leg, or for 5 s. */
async function settled(world: World, leg: string): Promise<void> {
  for (const end = Date.now() + 5_000; !legs(world).includes(leg) && Date.now() < end; )
    await new Promise((resolve) => setImmediate(resolve));
}

/** Follows a sign-out through the environment's own page. */
async function throughEnvironment(browser: Browser, left: Seen): Promise<Seen> {
  const back = URL.parse(left.location)?.searchParams.get('return_to') ?? null;
  return back === null ? left : browser.get(back);
}

t.test('a relying party signs a person out: the environment is left, and the browser comes back', async (t) => {
  const { world, help } = await openTold(t);
  const browser = world.browser();
  const { id_token: hint, access_token: access, refresh_token: refresh } = await tokensAt(world, browser, 'us');
  const query = new URLSearchParams({
    id_token_hint: String(hint),
    post_logout_redirect_uri: HELP_GONE,
    state: 'bye & bye',
  });
  const left = await browser.get(`/oidc/logout?${query}`);
  t.match(left.location, 'https://us.acme.test/logout?return_to=');
  const end = await throughEnvironment(browser, left);
  t.equal(end.location, `${HELP_GONE}?state=bye+%26+bye`);

  const [token = ''] = await help.heard(1);
  const jwks = JSON.parse((await browser.get('/oidc/jwks')).body) as JSONWebKeySet;
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), {
    issuer: `${world.running.publicUrl}/`,
    audience: 'help',
    typ: 'logout+jwt',
  });
  t.equal(protectedHeader.alg, 'RS256');
  const { sub, sid } = decodeJwt(String(hint));
  t.match(payload, { sub, sid, events: { [EVENT]: {} }, jti: String });
  t.notOk('nonce' in payload, 'Back-Channel Logout §2.4');
  t.equal(Number(payload.exp) - Number(payload.iat), 120);

  t.equal((await userinfo(world, access)).status, 401, 'its tokens end with the session');
  const again = await tokenRequest(world, { grant_type: 'refresh_token', refresh_token: String(refresh) });
  t.match(again.body, { error: 'invalid_grant' });
  t.match((await browser.get(authorizeUrl({ prompt: 'none' }))).location, /error=login_required/);
  t.same(
    [...browser.jar.keys()].filter((name) => /visit|party/.test(name)),
    [],
  );
  await settled(world, 'help notice_delivered');
  t.same(
    legs(world).filter((leg) => leg.startsWith('help notice')),
    ['help notice_kept', 'help notice_delivered'],
  );
});

t.test('a sign-out at any portal reaches the relying parties that the environment signed in', async (t) => {
  const { world, help, docs } = await openTold(t);
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  const us = await tokensAt(world, browser, 'us');
  await tokensAt(world, browser, 'eu', 'docs');
  await browser.get('/logout');
  t.equal(decodeJwt(String((await help.heard(1))[0])).sub, decodeJwt(String(us.id_token)).sub);
  t.equal((await userinfo(world, us.access_token)).status, 401);
  t.equal(docs.told.length, 0, 'another environment’s session goes on');
  t.ok([...browser.jar.keys()].some((name) => name.endsWith('party.docs')));
});

t.test('an environment that cannot be told is left, too', async (t) => {
  const { world, docs } = await openTold(t);
  const browser = world.browser();
  await comeBack(world, browser, 'eu');
  await tokensAt(world, browser, 'eu', 'docs');
  const end = await browser.get('/logout');
  t.match(end.body, '<iframe src="https://docs.acme.test/front');
  await docs.heard(1);
});

t.test('refresh tokens outlive the session, and end with a sign-out, however late that is', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const world = await openPartyWorld(t, { sqlite });
  const browser = world.browser();
  const { body: before } = await redeem(world, codeOf(await signIn(world, browser, 'us')));
  // As after eight hours: the library's clock is the system's.
  const db = new DatabaseSync(sqlite, { timeout: 5_000 });
  t.ok(db.prepare("DELETE FROM held WHERE name LIKE 'provider/Session/%'").run().changes);
  db.close();
  const trade = { grant_type: 'refresh_token', refresh_token: String(before.refresh_token) };
  const { status, body } = await tokenRequest(world, trade);
  t.equal(status, 200);
  await browser.get(`/oidc/logout?id_token_hint=${body.id_token}`);
  const again = await tokenRequest(world, { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) });
  t.match(again, { status: 400, body: { error: 'invalid_grant' } });
});

t.test('pages of relying parties are loaded in frames, and the browser goes on', async (t) => {
  const { world, docs } = await openTold(t, ({ environments }) => {
    delete environments.eu?.logout;
  });
  const browser = world.browser();
  const { id_token: hint } = await tokensAt(world, browser, 'eu', 'docs');
  const end = await throughEnvironment(browser, await browser.get(`/oidc/logout?id_token_hint=${hint}`));
  t.equal(end.status, 200);
  const { sid } = decodeJwt(String(hint));
  const iss = encodeURIComponent(`${world.running.publicUrl}/`);
  t.match(end.body, `<iframe src="https://docs.acme.test/front?x=1&amp;iss=${iss}&amp;sid=${sid}" title="" hidden>`);
  t.match(end.headers['content-security-policy'], /frame-src https:\/\/docs\.acme\.test(;|$)/);
  t.equal(end.headers.refresh, '2; url=https://eu.acme.test/');
  await docs.heard(1);
});

t.test('one that is down holds up nobody, and is told when it is back, once', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const { world, help } = await openTold(t, ({ environments }) => delete environments.us?.logout, { sqlite });
  help.status = 503;
  const browser = world.browser();
  const { id_token: hint } = await tokensAt(world, browser, 'us');
  const other = browser.copy();
  const asked = `/oidc/logout?id_token_hint=${hint}&post_logout_redirect_uri=${encodeURIComponent(HELP_GONE)}`;
  const began = world.now;
  const seen = await browser.get(asked);
  await settled(world, 'help notice_delayed');
  t.match(seen.location, '/logout/', 'who is not told yet, the person can read');
  const page = await browser.get(seen.location);
  t.match(page.body, 'Acme Help did not answer. It will be told again');
  t.match(page.headers.refresh, /^3; url=.*\/logout\//);
  await other.get(asked);

  help.status = 200;
  world.now += 10;
  await world.running.reload();
  await settled(world, 'help notice_delivered');
  t.equal(help.told.length, 2, 'two attempts, though the session ended twice');
  const [first, second] = help.told.map((token) => decodeJwt(token));
  t.equal(second?.sid, first?.sid);
  t.not(second?.jti, first?.jti, 'a token for each attempt');
  t.same([second?.toe, second?.iat], [began, world.now], 'late, it says when the session ended');
  t.equal((await browser.get(seen.location)).headers.refresh, `3; url=${HELP_GONE}`, 'and the browser goes on');
});

t.test(
  'what a relying party is told in vain does not keep a later session of the same browser from being told',
  async (t) => {
    const { world, help } = await openTold(t);
    help.status = 400;
    const browser = world.browser();
    for (const count of [1, 2]) {
      const { id_token: hint } = await tokensAt(world, browser, 'us');
      world.now += 1;
      await browser.get(`/oidc/logout?id_token_hint=${hint}`);
      await help.heard(count);
    }
    const [first, second] = help.told.map((token) => decodeJwt(token));
    t.not(second?.sid, first?.sid);
    await settled(world, 'help notice_dead');
  },
);

t.test('with the store out of order the session ends, and the person reads which portal was not told', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const { world, help } = await openTold(t, ({ environments }) => delete environments.us?.logout, { sqlite });
  const browser = world.browser();
  const { id_token: hint, refresh_token: refresh } = await tokensAt(world, browser, 'us');
  const notices = new DatabaseSync(`${sqlite}.notices`);
  t.teardown(() => notices.close());
  notices.exec('BEGIN IMMEDIATE');
  const seen = await browser.get(`/oidc/logout?id_token_hint=${hint}&post_logout_redirect_uri=${HELP_GONE}`);
  notices.exec('ROLLBACK');
  t.equal(seen.status, 200);
  t.notOk(seen.headers.refresh, 'nobody is sent on before they have read it');
  t.match(seen.body, 'Acme Help could not be told');
  t.ok(legs(world).includes('help notice_not_kept'));
  t.equal(help.told.length, 0);
  const again = await tokenRequest(world, { grant_type: 'refresh_token', refresh_token: String(refresh) });
  t.match(again.body, { error: 'invalid_grant' });
});

t.test('a hint ends nobody else’s session', async (t) => {
  const { world, help } = await openTold(t);
  const ada = await tokensAt(world, world.browser(), 'us');
  const browser = world.browser();
  await signIn(world, browser, 'us', {}, { claims: { email: 'grace@acme.test' } });
  const asked = `id_token_hint=${ada.id_token}&post_logout_redirect_uri=${encodeURIComponent(HELP_GONE)}`;
  t.equal((await browser.get(`/oidc/logout?${asked}`)).location, HELP_GONE, 'back to where it came from');
  t.match((await browser.get(authorizeUrl({ prompt: 'none' }))).location, /code=/, 'and Grace is still signed in');
  t.equal(help.told.length, 0);
});

t.test('without a hint, the portal is named or everybody is signed out', async (t) => {
  const { world, help, docs } = await openTold(t);
  const browser = world.browser();
  await tokensAt(world, browser, 'us');
  await tokensAt(world, browser, 'eu', 'docs');
  await browser.get('/oidc/logout?client_id=docs');
  await docs.heard(1);
  t.equal(help.told.length, 0);
  const posted = await browser.post('/oidc/logout', {}, { cookies: 'cross_site_post' });
  t.match(posted, { status: 303, location: '/oidc/logout' }, 'a form of another site brings no cookies');
  await browser.get(posted.location);
  await help.heard(1);
  const nobody = await world.browser().get('/oidc/logout');
  t.equal(nobody.status, 200, 'and where nobody is, a page says so');
});

t.test('what a sign-out must not be', async (t) => {
  const { world, help } = await openTold(t);
  const browser = world.browser();
  const { id_token: hint } = await tokensAt(world, browser, 'us');
  const evil = encodeURIComponent('https://evil.test/');
  const gone = encodeURIComponent(HELP_GONE);
  const [head, , signature] = String(hint).split('.');
  const claims = Buffer.from(JSON.stringify({ ...decodeJwt(String(hint)), sub: 'other' })).toString('base64url');
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
  for (const [query, status, reason] of [
    [`id_token_hint=${hint}&post_logout_redirect_uri=${evil}`, 400, 'redirect_uri_not_listed'],
    [`id_token_hint=${hint}&post_logout_redirect_uri=${gone}%3Fx`, 400, 'redirect_uri_not_listed'],
    [`post_logout_redirect_uri=${gone}`, 400, 'redirect_uri_not_listed'],
    [`client_id=docs&post_logout_redirect_uri=${gone}`, 400, 'redirect_uri_not_listed'],
    [`client_id=docs&id_token_hint=${hint}`, 400, 'request_parameter_mismatch'],
    [`client_id=nobody`, 401, 'client_refused_here'],
    [`id_token_hint=${head}.${claims}.${signature}`, 400, 'request_malformed'],
    [`id_token_hint=${unsigned}.${claims}.`, 400, 'request_malformed'],
    ['id_token_hint=x', 400, 'request_malformed'],
    ['client_id=help&client_id=help', 400, 'request_parameter_duplicated'],
  ] as const) {
    const seen = await browser.get(`/oidc/logout?${query}`);
    t.match(seen, { status, location: '' }, query.slice(0, 60));
    t.match(world.events().at(-1), { event: 'logout.refused', reason });
  }
  const looked = await browser.get(`/oidc/logout?id_token_hint=${hint}`, { headers: { 'sec-fetch-dest': 'image' } });
  t.equal(looked.status, 204);
  t.match((await browser.get(authorizeUrl({ prompt: 'none' }))).location, /code=/, 'nobody was signed out');
  t.equal(help.told.length, 0);
});
