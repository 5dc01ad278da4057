/** Codes and tokens: who gets them, how often, and how they are signed. */
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import t from 'tap';
import { temporaryFolder } from '../support/world.ts';
import {
  authorizeUrl,
  basic,
  codeOf,
  DOCS,
  foundInLog,
  openPartyWorld,
  PKCE,
  partyRoutes,
  redeem,
  signIn,
  tokenRequest,
  userinfo,
} from './party-world.ts';

const world = await openPartyWorld(t);

t.test('a refresh token works once, and what came of it ends when it is used again', async (t) => {
  const { body } = await redeem(world, codeOf(await signIn(world, world.browser(), 'us')));
  const refresh = (token: unknown) =>
    tokenRequest(world, { grant_type: 'refresh_token', refresh_token: String(token) });
  const second = await refresh(body.refresh_token);
  t.equal(second.status, 200);
  t.equal(decodeJwt(String(second.body.id_token)).sub, decodeJwt(String(body.id_token)).sub);
  t.not(second.body.refresh_token, body.refresh_token);
  t.equal((await userinfo(world, second.body.access_token)).status, 200);
  t.match(await refresh(body.refresh_token), { status: 400, body: { error: 'invalid_grant' } });
  t.match(world.events().at(-1), { event: 'token.refused', reason: 'grant_refused', portal: 'help' });
  t.match(await refresh(second.body.refresh_token), { status: 400 }, 'the thief and the owner alike');
  t.equal((await userinfo(world, second.body.access_token)).status, 401);
});

t.test('a refresh may name the scopes of the request again, and no other ones', async (t) => {
  const asked = 'openid email offline_access';
  const refresh = async (scope: string) => {
    const { body } = await redeem(world, codeOf(await signIn(world, world.browser(), 'us', { scope: asked })));
    const trade = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token), scope };
    return tokenRequest(world, trade);
  };
  t.match(await refresh(asked), { status: 200, body: { refresh_token: String } });
  t.match(await refresh('openid'), { status: 200 });
  t.match(await refresh('openid profile'), { status: 400, body: { error: 'invalid_scope' } });
});

t.test('of a code that is traded many times at once, one trade succeeds', async (t) => {
  for (const sqlite of [undefined, join(temporaryFolder(t), 'wayhome.db')]) {
    const own = await openPartyWorld(t, sqlite === undefined ? {} : { sqlite });
    const code = codeOf(await signIn(own, own.browser(), 'us'));
    const trades = await Promise.all(Array.from({ length: 12 }, () => redeem(own, code)));
    t.equal(trades.filter(({ status }) => status === 200).length, 1, sqlite ? 'sqlite:' : 'memory:');
    t.ok(trades.every(({ status, body }) => status === 200 || body.error === 'invalid_grant'));
  }
});

t.test('each algorithm signs, with a key of the key set', async (t) => {
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    const own = await openPartyWorld(t, {
      routes: partyRoutes(({ portals }) => Object.assign(portals.help?.oidc ?? {}, { algorithm })),
    });
    const { body } = await redeem(own, codeOf(await signIn(own, own.browser(), 'us')));
    const jwks = JSON.parse((await own.browser().get('/oidc/jwks')).body) as JSONWebKeySet;
    const { protectedHeader } = await jwtVerify(String(body.id_token), createLocalJWKSet(jwks), { audience: 'help' });
    t.equal(protectedHeader.alg, algorithm);
    t.notOk(
      jwks.keys.some((key) => 'd' in key),
      'which holds nothing private',
    );
  }
});

t.test('a public client proves itself with PKCE, and its page may ask', async (t) => {
  const origin = new URL(DOCS).origin;
  const back = await signIn(world, world.browser(), 'eu', { client_id: 'docs' });
  t.equal(back.origin, origin);
  const asked = { redirect_uri: DOCS, client_id: 'docs' };
  const { status, body, seen } = await redeem(world, codeOf(back), asked, { origin } as never);
  t.equal(status, 200);
  t.equal(seen.headers['access-control-allow-origin'], origin);
  t.equal(body.refresh_token, undefined, 'nothing that was not configured');
  t.match(decodeJwt(String(body.id_token)), { aud: 'docs', email: 'ada@acme.test' });
  const preflight = await world.browser().send('/oidc/token', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  t.match(preflight, { status: 204, headers: { 'access-control-allow-methods': 'POST' } });
  const elsewhere = await redeem(world, 'x', asked, { origin: 'https://evil.test' } as never);
  t.equal(elsewhere.seen.headers['access-control-allow-origin'], undefined);
});

t.test('sessions, tokens and keys outlive a restart; a copy of the store gives nobody away', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const before = await openPartyWorld(t, { sqlite });
  const browser = before.browser();
  const { body } = await redeem(before, codeOf(await signIn(before, browser, 'us')));
  await before.close();
  const after = await openPartyWorld(t, { sqlite });
  t.equal((await userinfo(after, body.access_token)).status, 200);
  const again = browser.copy(() => after.running.localUrl);
  t.match((await again.get(authorizeUrl({ prompt: 'none' }))).location, /code=/);
  await after.close();

  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(sqlite, { readOnly: true });
  const text = JSON.stringify(db.prepare('SELECT * FROM held').all());
  db.close();
  const session = [...browser.jar].find(([name]) => name.endsWith('-session'))?.[1].value ?? '';
  for (const secret of [body.access_token, body.refresh_token, session, 'ada@acme.test'] as string[])
    t.notOk(text.includes(secret) || secret === '');
});

t.test('an environment’s token is traded at the same token endpoint', async (t) => {
  const seen = await tokenRequest(world, { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }, {});
  t.match(seen, { status: 400, body: { error: 'invalid_request' } });
  t.match(world.events().at(-1), { reason: 'request_parameter_missing' });
  t.equal((await redeem(world, 'nothing', { code_verifier: PKCE.verifier }, basic())).status, 400);
});

t.test('the log holds nothing of all this', async (t) => {
  t.ok(world.exchanges.length > 10);
  t.same(foundInLog(world), []);
});
