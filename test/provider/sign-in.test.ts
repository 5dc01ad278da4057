import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import t from 'tap';
import { departure } from '../support/world.ts';
import {
  authorizeUrl,
  codeOf,
  foundInLog,
  HELP,
  leaveFor,
  openPartyWorld,
  partyRoutes,
  redeem,
  signedIn,
  signIn,
  tokenRequest,
  userinfo,
} from './party-world.ts';

const world = await openPartyWorld(t);
const { running } = world;

const subjectOf = async (back: URL): Promise<string> =>
  decodeJwt(String((await redeem(world, codeOf(back))).body.id_token)).sub ?? '';

t.test('a person signs in, and the portal learns who they are', async (t) => {
  const browser = world.browser();
  const back = await signIn(world, browser, 'us', {}, { claims: { name: 'Ada', account_id: 'A1', secret: 'no' } });
  t.equal(back.origin + back.pathname, HELP);
  t.equal(back.searchParams.get('state'), 'rp-state');
  t.equal(back.searchParams.get('iss'), `${running.publicUrl}/`, 'RFC 9207');

  const { status, body, seen } = await redeem(world, codeOf(back));
  t.equal(status, 200);
  t.equal(seen.headers['cache-control'], 'no-store');
  t.equal(seen.headers['set-cookie'], undefined);
  const jwks = JSON.parse((await browser.get('/.well-known/jwks.json')).body) as JSONWebKeySet;
  const { payload, protectedHeader } = await jwtVerify(String(body.id_token), createLocalJWKSet(jwks), {
    issuer: `${running.publicUrl}/`,
    audience: 'help',
  });
  t.match(protectedHeader, { alg: 'RS256', kid: String });
  t.match(payload, { nonce: 'rp-nonce', email: 'ada@acme.test', email_verified: true, sid: String, auth_time: Number });
  t.match(payload, { name: 'Ada', account_id: 'A1' });
  t.notOk('secret' in payload, 'what the environment may not assert goes nowhere');

  const about = JSON.parse((await userinfo(world, body.access_token)).body) as Record<string, unknown>;
  t.same(about, {
    sub: payload.sub,
    email: 'ada@acme.test',
    email_verified: true,
    name: 'Ada',
    account_id: 'A1',
  });
  t.same(
    world
      .events()
      .slice(-2)
      .map(({ event, portal }) => ({ event, portal })),
    [
      { event: 'login.completed', portal: 'help' },
      { event: 'token.minted', portal: 'help' },
    ],
  );
});

t.test('scopes decide what is told', async (t) => {
  const back = await signIn(world, world.browser(), 'us', { scope: 'openid' }, { claims: { name: 'Ada' } });
  const { body } = await redeem(world, codeOf(back));
  const claims = decodeJwt(String(body.id_token));
  t.notOk('email' in claims || 'name' in claims);
  t.same(Object.keys(JSON.parse((await userinfo(world, body.access_token)).body) as object), ['sub']);
  t.match(await userinfo(world, 'nothing'), { status: 401, headers: { 'www-authenticate': /invalid_token/ } });
});

t.test('a subject is one person of one environment, for ever', async (t) => {
  const first = await subjectOf(await signIn(world, world.browser(), 'us'));
  t.equal(await subjectOf(await signIn(world, world.browser(), 'us')), first, 'in another browser');
  t.not(await subjectOf(await signIn(world, world.browser(), 'eu')), first, 'the same email at another environment');
  const other = { claims: { email: 'grace@acme.test' } };
  t.not(await subjectOf(await signIn(world, world.browser(), 'us', {}, other)), first);

  const named = await openPartyWorld(t, {
    routes: partyRoutes(({ environments }) => {
      Object.assign(environments.us ?? {}, { may_assert: { email_domains: 'any', claims: ['sub', 'name'] } });
    }),
  });
  const subjectAt = async (claims: Record<string, unknown>) => {
    const back = await signIn(named, named.browser(), 'us', {}, { claims });
    return decodeJwt(String((await redeem(named, codeOf(back))).body.id_token)).sub;
  };
  const before = await subjectAt({ sub: 'u-1' });
  t.equal(
    await subjectAt({ sub: 'u-1', email: 'countess@acme.test' }),
    before,
    'whoever has an id may change the email',
  );
  t.not(await subjectAt({ sub: 'u-2' }), before);
  t.not(before, 'u-1', 'and the id itself is nobody’s business');
});

t.test('a request may be posted, from another site, too', async (t) => {
  const browser = world.browser();
  const { searchParams } = new URL(authorizeUrl({ state: 'a & b' }), 'https://router.test');
  const post = () => browser.post('/oidc/auth', Object.fromEntries(searchParams), { cookies: 'cross_site_post' });
  const first = await post();
  t.equal(first.status, 303);
  const left = await browser.get((await browser.get(`${first.location}&domain_hint=us`)).location);
  await browser.get((await signedIn(world, browser, 'us', left)).location);
  const second = await browser.get((await post()).location);
  t.match(second.location, `${HELP}?code=`, 'the redirect brings the session along');
  t.equal(new URL(second.location).searchParams.get('state'), 'a & b');
});

t.test('the answer comes as a form where the portal wants one', async (t) => {
  const browser = world.browser();
  const left = await leaveFor(browser, 'us', { response_mode: 'form_post' });
  const page = await browser.get((await signedIn(world, browser, 'us', left)).location);
  t.equal(page.status, 200);
  t.match(page.body, `<form method="post" action="${HELP}">`);
  const [, code = ''] = /name="code" value="([^"]+)"/.exec(page.body) ?? [];
  t.match(page.body, 'name="state" value="rp-state"');
  t.equal((await redeem(world, code)).status, 200);
  const refused = await browser.get(authorizeUrl({ response_mode: 'form_post', prompt: 'none', client_id: 'docs' }));
  t.match(refused.body, 'name="error" value="login_required"');
  const fragment = await browser.get(authorizeUrl({ response_mode: 'fragment' }));
  t.match(fragment.location, /error=/, 'no other mode');
});

t.test('who has a session and a visit is not asked again, unless the portal wants it', async (t) => {
  const browser = world.browser();
  const first = await signIn(world, browser, 'us');
  const before = await redeem(world, codeOf(first));
  const answered = async (changed: Record<string, string>) => (await browser.get(authorizeUrl(changed))).location;
  const silent = await answered({ prompt: 'none' });
  t.ok(silent.startsWith(`${HELP}?code=`));
  t.ok((await answered({})).startsWith(`${HELP}?code=`));
  t.ok((await answered({ max_age: '600' })).startsWith(`${HELP}?code=`));
  t.ok((await answered({ id_token_hint: String(before.body.id_token), prompt: 'none' })).startsWith(`${HELP}?code=`));
  t.equal(
    decodeJwt(String((await redeem(world, codeOf(new URL(silent)))).body.id_token)).sub,
    decodeJwt(String(before.body.id_token)).sub,
  );
  t.equal((await userinfo(world, before.body.access_token)).status, 200, 'the first tokens live on');
  for (const again of [{ prompt: 'login' }, { max_age: '0' }, { prompt: 'select_account' }])
    t.match(
      await answered(again as Record<string, string>),
      /^\/oidc\/login\/help\?interaction=/,
      JSON.stringify(again),
    );
  t.match(await answered({ prompt: 'select_account' }), /&ask=picker/);
  t.match(
    await answered({ client_id: 'docs', prompt: 'none' }),
    /error=login_required/,
    'a visit to one portal is none to another',
  );
  t.match(
    await world
      .browser()
      .get(authorizeUrl({ prompt: 'none' }))
      .then((seen) => seen.location),
    /error=login_required/,
  );
  t.match(world.events().at(-1), { event: 'login.refused', reason: 'not_signed_in', portal: 'help' });
});

t.test('hints reach discovery', async (t) => {
  const reached = async (changed: Record<string, string>) => {
    const browser = world.browser();
    const asked = await browser.get(authorizeUrl(changed));
    return browser.get(asked.location);
  };
  t.match((await reached({ login_hint: 'kim@globex.example' })).location, 'https://acme.globex.example/sso');
  t.match((await reached({ domain_hint: 'eu' })).location, 'https://eu.acme.test/sso');
  t.match((await reached({ env: 'us' })).location, 'https://us.acme.test/sso', 'also those that the routes name');
  const asked = await reached({});
  t.equal(asked.status, 200, 'and without, the person is asked');
  t.match(asked.body, 'Acme Help');
});

t.test(
  'the pages of a login work on the way: an email is typed, an environment fails, another one is chosen',
  async (t) => {
    const browser = world.browser();
    const asked = await browser.get(authorizeUrl());
    const page = await browser.get(asked.location);
    const [, action = ''] = /<form method="post" action="([^"]*)"/.exec(page.body) ?? [];
    const typed = await browser.post(action.replaceAll('&amp;', '&'), { email: 'kim@globex.example' });
    const left = await browser.get(typed.location);
    t.match(left.location, 'https://acme.globex.example/sso');
    const failed = await browser.get(`/return/globex?state=${departure(left).state}&error=access_denied`);
    t.equal(failed.status, 403);
    const [, again = ''] = /href="([^"]*ask=[^"]*)"/.exec(failed.body) ?? [];
    const other = await browser.get(`${again.replaceAll('&amp;', '&')}&choose=us`.replace(/&ask=\w+/, ''));
    t.match(other.location, 'https://us.acme.test/sso');
    const back = await browser.get((await signedIn(world, browser, 'us', other)).location);
    t.ok(back.location.startsWith(`${HELP}?code=`));
  },
);

t.test('two tabs, finished in either order, both succeed', async (t) => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const browser = world.browser();
    const tabs = [await leaveFor(browser, 'us', { state: 'tab0' }), await leaveFor(browser, 'us', { state: 'tab1' })];
    const bodies: Record<string, unknown>[] = [];
    for (const tab of order) {
      const back = await signedIn(world, browser, 'us', tabs[tab] as never);
      const { location } = await browser.get(back.location);
      t.match(location, `state=tab${tab}`);
      bodies.push((await redeem(world, codeOf(new URL(location)))).body);
    }
    for (const body of bodies) t.equal((await userinfo(world, body.access_token)).status, 200);
  }
});

t.test('somebody else in the same browser begins a session of their own', async (t) => {
  const browser = world.browser();
  const ada = await redeem(world, codeOf(await signIn(world, browser, 'us')));
  const grace = { claims: { email: 'grace@acme.test' } };
  const back = await signIn(world, browser, 'eu', { prompt: 'login' }, grace);
  const { body } = await redeem(world, codeOf(back));
  t.match(decodeJwt(String(body.id_token)), { email: 'grace@acme.test' });
  t.not(decodeJwt(String(body.id_token)).sid, decodeJwt(String(ada.body.id_token)).sid);
  t.match(JSON.parse((await userinfo(world, ada.body.access_token)).body), { email: 'ada@acme.test' });

  const hinted = await signIn(world, browser, 'us', { prompt: 'login', id_token_hint: String(body.id_token) });
  t.equal(hinted.searchParams.get('error'), 'login_required', 'a hint is not answered with somebody else');
});

t.test('a portal’s environments are its own, at the start, at the end and in between', async (t) => {
  const browser = world.browser();
  t.equal(
    (await leaveFor(browser, 'us', { client_id: 'docs' })).status,
    200,
    'us is not offered, so the person is asked',
  );
  const two = await openPartyWorld(t, {
    routes: partyRoutes(({ environments }) => {
      Object.assign(environments.us ?? {}, { until: '2020-01-01' });
    }),
  });
  t.equal((await leaveFor(two.browser(), 'us')).status, 200);

  const own = await openPartyWorld(t);
  const person = own.browser();
  const { body } = await redeem(own, codeOf(await signIn(own, person, 'us')));
  t.ok(
    await own.running.reload(
      partyRoutes(({ environments }) => Object.assign(environments.us ?? {}, { disabled: true })),
    ),
  );
  t.equal((await userinfo(own, body.access_token)).status, 401);
  const refreshed = await tokenRequest(own, { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) });
  t.match(refreshed, { status: 400, body: { error: 'invalid_grant' } }, 'a refresh does not outlive the environment');
  t.match((await person.get(authorizeUrl({ prompt: 'none' }))).location, /error=login_required/);
});

t.test('the metadata names what works, and only where there is a relying party', async (t) => {
  const read = async (change?: Parameters<typeof partyRoutes>[0]) => {
    const own = await openPartyWorld(t, { routes: partyRoutes(change) });
    return JSON.parse((await own.browser().get('/.well-known/openid-configuration')).body) as Record<string, unknown>;
  };
  const full = await read();
  t.match(full, {
    issuer: `${running.publicUrl}/`,
    jwks_uri: `${running.publicUrl}/.well-known/jwks.json`,
    authorization_endpoint: `${running.publicUrl}/oidc/auth`,
    token_endpoint: `${running.publicUrl}/oidc/token`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  });
  t.same(full.id_token_signing_alg_values_supported, ['RS256', 'ES256'], 'and not what portal tokens are made with');
  t.same(full.token_endpoint_auth_methods_supported, ['none', 'client_secret_basic']);
  t.same(full.scopes_supported, ['openid', 'email', 'profile', 'offline_access']);
  t.notOk('backchannel_logout_supported' in full, 'no relying party takes it');
  t.notOk('pushed_authorization_request_endpoint' in full || 'registration_endpoint' in full);
  const none = await read(({ portals }) => {
    delete portals.help;
    delete portals.docs;
  });
  t.same(none, {
    issuer: `${running.publicUrl}/`,
    token_endpoint: `${running.publicUrl}/api/auth/jwt`,
    jwks_uri: `${running.publicUrl}/.well-known/jwks.json`,
    grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    token_endpoint_auth_methods_supported: ['none'],
    id_token_signing_alg_values_supported: ['HS256'],
  });
  const few = await read(({ portals }) => {
    delete portals.docs;
    Object.assign(portals.help?.oidc ?? {}, {
      scopes: ['openid', 'email'],
      client_auth: 'client_secret_post',
      backchannel_logout_uri: 'https://help.acme.test/back',
      frontchannel_logout_uri: 'https://help.acme.test/front',
    });
  });
  t.match(few, {
    grant_types_supported: /^[^,]*token-exchange,authorization_code$/,
    claims_supported: ['sub', 'email', 'email_verified', 'iss', 'auth_time', 'sid'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_post'],
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
  });
});

t.test('where no portal is a relying party, none of its addresses is there', async (t) => {
  const own = await openPartyWorld(t, {
    routes: partyRoutes(({ portals }) => {
      delete portals.help;
      delete portals.docs;
    }),
  });
  for (const path of ['/oidc/auth', '/oidc/auth/x', '/oidc/me', '/oidc/logout', '/oidc/login/help'])
    t.equal((await own.browser().get(path)).status, 404, path);
});

t.test('the log holds nothing of all this', async (t) => {
  t.ok(world.exchanges.length > 10);
  t.same(foundInLog(world), []);
});
