/** Signing in, in every way that is meant to work. */
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import t from 'tap';
import type { Browser, Seen } from '../support/browser.ts';
import { denied } from '../support/denied.ts';
import {
  CALLBACK,
  changedRoutes,
  comeBack,
  departure,
  environmentToken,
  LOGIN,
  ORIGIN,
  openWorld,
  portalToken,
  readyToReturn,
  SECRETS,
  temporaryFolder,
  type UsualEnvironment,
} from '../support/world.ts';

const world = await openWorld(t);

const hostOf = (seen: Seen): string => departure(seen).to.host;

/** The addresses that a page's links and forms lead to, by their text. */
function ways({ body }: Seen): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, href = '', text = ''] of body.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)) {
    found.set(text.trim(), href.replaceAll('&amp;', '&'));
  }
  const [, action] = /<form method="post" action="([^"]*)"/.exec(body) ?? [];
  if (action !== undefined) found.set('form', action.replaceAll('&amp;', '&'));
  return found;
}

const follow = (browser: Browser, seen: Seen, text: string): Promise<Seen> => {
  const way = ways(seen).get(text);
  if (way === undefined) throw new Error(`the page offers ${[...ways(seen).keys()].join(', ')} and not ${text}`);
  return browser.get(way);
};

/** Types an email into the page that asks for one, and goes where that leads. */
async function typeEmail(browser: Browser, page: Seen, email: string): Promise<Seen> {
  const kept = await browser.post(ways(page).get('form') ?? '', { email });
  return kept.location.startsWith('/') ? browser.get(kept.location) : kept;
}

async function finish(browser: Browser, left: Seen, environment: UsualEnvironment): Promise<Seen> {
  const { redirectUri, nonce } = departure(left);
  return browser.get(`${redirectUri}&access_token=${await environmentToken(environment, world.now, nonce)}`);
}

t.test('a portal’s login ends at the address that it named, its bytes unchanged', async (t) => {
  for (const rest of ['', '&state=xyz', '&state=%7B%22a%22%3A1%7D&next=%2Farticles%2F7%3Fa%3Db', '&x=a+b&y=%C3%A9']) {
    const start = `/callback?redirect_uri=${encodeURIComponent(CALLBACK + rest)}&env=us`;
    const seen = await comeBack(world, world.browser(), 'us', {}, start);
    t.equal(seen.status, 302);
    t.equal(seen.location, `${CALLBACK}${rest}&access_token=${portalToken(seen)}`);
  }
});

t.test('a link in an app ends at the portal’s own address, or at the one that it names', async (t) => {
  const deep = `${CALLBACK}&next=%2Farticles%2F7`;
  for (const [start, end] of [
    ['/enter/eu/support', CALLBACK],
    [`/enter/eu/support?redirect_uri=${encodeURIComponent(deep)}`, deep],
  ] as const) {
    for (const how of ['GET', 'POST'] as const) {
      const browser = world.browser();
      const left = await browser.send(start, { method: how });
      t.equal(left.status, how === 'POST' ? 303 : 302);
      const { to, redirectUri, nonce } = departure(left);
      t.equal(to.href.split('&')[0], 'https://eu.acme.test/sso?lang=en');
      const token = await environmentToken('eu', world.now, nonce, { claims: { account_external_id: 'x' } });
      const seen = await browser.get(`${redirectUri}&access_token=${token}`);
      t.equal(seen.location, `${end}&access_token=${portalToken(seen)}`);
      t.equal(decodeJwt(portalToken(seen)).account_external_id, 'x');
    }
  }
  const completed = world.events().filter(({ initiated }) => initiated === 'platform');
  t.match(completed.at(-1), { event: 'login.completed', reason: 'address_names_environment', environment: 'eu' });
});

t.test('an environment may answer in the query, in a form, or in both, once each', async (t) => {
  for (const [what, split] of [
    ['a form with the token', ['state']],
    ['a form with everything', []],
    ['a query with everything, posted', ['state', 'access_token']],
  ] as const) {
    const browser = world.browser();
    const address = new URL(await readyToReturn(world, browser, 'us'));
    const query = new URLSearchParams();
    const form: Record<string, string> = {};
    for (const [name, value] of address.searchParams) {
      if ((split as readonly string[]).includes(name)) query.set(name, value);
      else form[name] = value;
    }
    const seen = await browser.post(`/return/us?${query}`, form, { cookies: 'cross_site_post' });
    t.equal(seen.status, 303, what);
    t.not(portalToken(seen), '');
  }
});

t.test('form_post: the token is in a form that posts itself, and in no address', async (t) => {
  const posting = await openWorld(t, {
    routes: changedRoutes(({ portals: { support } }) =>
      Object.assign(support ?? {}, { delivery: { mode: 'form_post', param: 'assertion' } }),
    ),
  });
  const seen = await comeBack(posting, posting.browser(), 'us');
  t.match(seen, { status: 200, location: '' });
  t.match(seen.body, `<form method="post" action="${CALLBACK}&amp;state=xyz">`);
  t.match(seen.body, /<input type="hidden" name="assertion" value="eyJ/);
  t.match(seen.headers['content-security-policy'], /form-action 'self' https:; script-src 'sha256-/);
});

t.test('the picker shows what is listed, keeps the portal’s request, and leads where the person chooses', async (t) => {
  const browser = world.browser();
  const picker = await browser.get(`${LOGIN}&ask=picker`);
  t.equal(picker.status, 200);
  t.ok(ways(picker).has('United States') && ways(picker).has('Europe'));
  t.notMatch(picker.body, /globex/i, 'who is not listed is not shown');
  const left = await follow(browser, picker, 'Europe');
  t.equal(hostOf(left), 'eu.acme.test');
  t.ok((await finish(browser, left, 'eu')).location.startsWith(`${CALLBACK}&state=xyz&`));
  t.match(world.events().at(-1), { event: 'login.completed', reason: 'picker_chosen', environment: 'eu' });
});

t.test('an email leads to the environment that has its domain, which may fill it in', async (t) => {
  const browser = world.browser();
  const page = await browser.get(LOGIN);
  const left = await typeEmail(browser, page, ' Kim@Globex.Example ');
  t.equal(hostOf(left), 'acme.globex.example');
  t.equal(departure(left).to.searchParams.get('login_hint'), 'kim@globex.example');
  t.equal((await finish(browser, left, 'globex')).status, 302);
});

const NOBODY = ['someone@nowhere.example', 'not an email', '@', '"><script>alert(1)</script>@x.example'];

t.test('an email of nobody leads to the next step that asks, without a word about who is known', async (t) => {
  const browser = world.browser();
  const page = await browser.get(LOGIN);
  for (const email of NOBODY) {
    const asked = await typeEmail(browser, page, email);
    t.equal(asked.status, 200, email);
    t.notMatch(asked.body, /<script>|globex/i);
    t.equal(hostOf(await follow(browser, asked, 'Europe')), 'eu.acme.test');
  }
});

t.test('where nothing else asks, an email of nobody is asked for again', async (t) => {
  const emailOnly = await openWorld(t, {
    routes: changedRoutes((routes) => {
      routes.discovery = [{ by: 'email' }];
    }),
  });
  const browser = emailOnly.browser();
  let page = await browser.get(LOGIN);
  for (const email of NOBODY) {
    page = await typeEmail(browser, page, email);
    t.equal(page.status, 200, email);
    t.notMatch(page.body, /<script>|globex/i);
  }
  t.equal(hostOf(await typeEmail(browser, page, 'kim@globex.example')), 'acme.globex.example');
});

t.test('the environment that succeeded is remembered, for this portal and this browser, for its time', async (t) => {
  const { now } = world;
  const browser = world.browser();
  t.equal((await browser.get(LOGIN)).status, 200, 'nothing is remembered before');
  const left = await browser.get(`${LOGIN}&env=eu`);
  t.equal((await browser.copy().get(LOGIN)).status, 200, 'nor once it has only left');
  await finish(browser, left, 'eu');
  t.equal(hostOf(await browser.get(LOGIN)), 'eu.acme.test');
  t.equal((await world.browser().get(LOGIN)).status, 200, 'another browser is asked');
  world.now = now + 30 * 86_400;
  t.equal(hostOf(await browser.copy().get(LOGIN)), 'eu.acme.test', 'on the last day');
  world.now += 1;
  t.equal((await browser.copy().get(LOGIN)).status, 200, 'and after it not');
  world.now = now;
  t.equal(hostOf(await browser.get(`${LOGIN}&env=us`)), 'us.acme.test', 'a hint wins');
  for (const page of ['email', 'picker'])
    t.equal((await browser.get(`${LOGIN}&ask=${page}`)).status, 200, `ask=${page}`);
});

t.test('a login that left by memory and did not come back is asked about, with that environment first', async (t) => {
  const { now } = world;
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  world.now += 60;
  t.equal(hostOf(await browser.get(LOGIN)), 'us.acme.test');
  world.now += 4;
  t.equal(hostOf(await browser.copy().get(LOGIN)), 'us.acme.test', 'a second click at once is no failure');
  world.now += 1;
  const asked = await browser.get(LOGIN);
  t.equal(asked.status, 200);
  t.equal([...ways(asked).keys()][0], 'Continue to United States');
  t.equal(hostOf(await follow(browser, asked, 'Europe')), 'eu.acme.test');
  const left = await follow(browser, asked, 'Continue to United States');
  t.equal((await finish(browser, left, 'us')).status, 302);
  world.now += 60;
  t.equal(hostOf(await browser.get(LOGIN)), 'us.acme.test', 'a success settles it');
  world.now = now;
});

t.test('where the person came from, a login hint and a rule lead there without asking', async (t) => {
  const rows: readonly (readonly [string, Record<string, string>, string, string])[] = [
    [LOGIN, { referer: 'https://us.acme.test/help?x' }, 'us.acme.test', 'source_is_app'],
    [LOGIN, { origin: 'https://eu.acme.test' }, 'eu.acme.test', 'source_is_app'],
    [`${LOGIN}&login_hint=kim%40globex.example`, {}, 'acme.globex.example', 'login_hint_domain'],
    [`${LOGIN}&domain_hint=globex.example`, {}, 'acme.globex.example', 'hint_names_domain'],
    [LOGIN, { 'cf-ipcountry': 'AT' }, 'eu.acme.test', 'rule_holds'],
    [
      `/callback?redirect_uri=${encodeURIComponent(`${CALLBACK}&env=eu`)}`,
      {},
      'eu.acme.test',
      'hint_names_environment',
    ],
  ];
  for (const [start, headers, host, reason] of rows) {
    const browser = world.browser();
    const left = await browser.get(start, { headers });
    t.equal(hostOf(left), host, reason);
    const environment = host === 'us.acme.test' ? 'us' : host === 'eu.acme.test' ? 'eu' : 'globex';
    await finish(browser, left, environment);
    t.match(world.events().at(-1), { event: 'login.completed', reason, environment, portal: 'support' });
  }
});

t.test('an environment’s no is told by its own words, with a way to start again and to choose another', async (t) => {
  const rows = [
    ['access_denied', 'access_denied', 403],
    ['login_required', 'login_required', 403],
    ['unknown_user', 'unknown_user', 403],
    ['user_banned', 'user_banned', 403],
    ['temporarily_unavailable', 'environment_unavailable', 502],
    ['server_error', 'environment_error', 502],
    ['<script>', 'environment_error', 502],
  ] as const;
  for (const [word, reason, status] of rows) {
    const browser = world.browser();
    const { redirectUri } = departure(await browser.get(`${LOGIN}&env=us`));
    const answer = `${redirectUri}&error=${encodeURIComponent(word)}&error_description=ada%40acme.test%20eyJabc`;
    for (const seen of [await browser.get(answer), await browser.post(answer, '', { cookies: 'cross_site_post' })]) {
      t.match(seen, { status, location: '' }, word);
      t.match(world.events().at(-1), { event: 'login.refused', reason, reference: seen.reference, environment: 'us' });
      t.notMatch(seen.body, /script>alert|eyJ|ada@|server_error/);
      t.notMatch(world.lines.at(-1), /ada@|eyJ/);
      const again = await follow(browser, seen, 'Start again');
      t.ok(again.status === 200 || hostOf(again) !== '', 'starting again asks, or leaves');
      t.equal((await follow(browser, seen, 'Choose another place to sign in')).status, 200);
    }
    const token = await environmentToken('us', world.now, '');
    await denied(t, world, 'a state and nothing else', 'jwt_malformed', () => browser.get(redirectUri));
    t.ok(token);
  }
});

t.test('after a no, the same login can still succeed: nothing was used up', async (t) => {
  const browser = world.browser();
  const address = await readyToReturn(world, browser, 'us');
  const refused = await browser.get(`${address.split('&access_token=')[0]}&error=access_denied`);
  t.equal(refused.status, 403);
  t.equal((await browser.get(address)).status, 302);
});

t.test('login_lifetime: a login may take that long and no longer', async (t) => {
  const short = await openWorld(t, {
    routes: changedRoutes((routes) => Object.assign(routes, { login_lifetime: '2m' })),
  });
  for (const [seconds, ends] of [
    [119, true],
    [120, true],
    [121, false],
  ] as const) {
    const browser = short.browser();
    const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
    short.now += seconds;
    const back = `${redirectUri}&access_token=${await environmentToken('us', short.now, nonce)}`;
    if (ends) t.equal((await browser.get(back)).status, 302, `${seconds} s`);
    else await denied(t, short, `${seconds} s`, 'login_expired', () => browser.get(back));
  }
  const browser = short.browser();
  const address = await readyToReturn(short, browser, 'us');
  short.now -= 61;
  await denied(t, short, 'from the future', 'login_expired', () => browser.get(address));
});

t.test('a state that was sealed with an older key opens while that key is listed, and not after', async (t) => {
  const NEW_KEY = Buffer.from('canary-newer-seal-key-0123456789').toString('base64url');
  const routesWith = (...keys: string[]) =>
    changedRoutes((routes) => Object.assign(routes, { seal_keys: keys.map((env) => ({ env })) }));
  const file = join(temporaryFolder(t), 'shared.db');
  const open = (...keys: string[]) =>
    openWorld(t, { routes: routesWith(...keys), variables: { NEW_KEY }, sqlite: file });
  const before = await open('SEAL_KEY');
  const rotated = await open('NEW_KEY', 'SEAL_KEY');
  const after = await open('NEW_KEY');
  const browser = before.browser();
  const address = await readyToReturn(before, browser, 'us');
  const [atRotated, atAfter] = [rotated, after].map((other) => browser.copy(() => other.running.localUrl));
  t.match(await atAfter?.get(address), { status: 400, location: '' });
  t.match(after.events().at(-1), { reason: 'state_invalid' });
  t.equal((await atRotated?.get(address))?.status, 302);
  await denied(t, before, 'and once for all of them', 'login_already_used', () => browser.get(address));

  const newer = rotated.browser();
  const sealedAnew = await readyToReturn(rotated, newer, 'us');
  t.equal((await newer.copy(() => after.running.localUrl).get(sealedAnew)).status, 302, 'the newest key seals');
});

t.test('every answer may neither be kept, framed nor leave its address behind', async (t) => {
  const browser = world.browser();
  const seen = [
    await browser.get(LOGIN),
    await browser.get(`${LOGIN}&env=us`),
    await browser.get(`${LOGIN}&ask=picker`),
    await comeBack(world, browser, 'us'),
    await browser.get('/nowhere'),
    await browser.get('/logout'),
    await browser.get(LOGIN, { method: 'HEAD' }),
  ];
  for (const { headers, url } of seen) {
    t.match(
      headers,
      {
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
      },
      url.slice(0, 40),
    );
    t.equal(headers['x-powered-by'], undefined);
    t.equal(headers.server, undefined);
  }
  t.notOk(Object.values(SECRETS).some((secret) => ORIGIN.includes(secret)));
});
