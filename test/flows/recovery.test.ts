import t from 'tap';
import type { Browser, Seen } from '../support/browser.ts';
import {
  changedRoutes,
  comeBack,
  departure,
  environmentToken,
  LOGIN,
  openWorld,
  portalToken,
  type World,
} from '../support/world.ts';

/** The links of a page by their text. */
function links({ body }: Seen): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, href = '', text = ''] of body.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)) {
    found.set(text.trim(), href.replaceAll('&amp;', '&'));
  }
  return found;
}

const follow = (browser: Browser, seen: Seen, text: string): Promise<Seen> =>
  browser.get(links(seen).get(text) ?? `/no-link-${text}`);

async function typeEmail(browser: Browser, start: string, email: string): Promise<Seen> {
  const page = await browser.get(`${start}&ask=email`);
  const [, action = ''] = /<form method="post" action="([^"]*)"/.exec(page.body) ?? [];
  const kept = await browser.post(action.replaceAll('&amp;', '&'), { email });
  t.equal(kept.status, 303);
  return browser.get(kept.location);
}

async function answerError(browser: Browser, departed: Seen, error: string): Promise<Seen> {
  return browser.get(`${departure(departed).redirectUri}&error=${error}`);
}

async function finish(
  world: World,
  browser: Browser,
  departed: Seen,
  environment: 'us' | 'eu' | 'globex',
): Promise<Seen> {
  const { redirectUri, nonce } = departure(departed);
  return browser.get(`${redirectUri}&access_token=${await environmentToken(environment, world.now, nonce)}`);
}

t.test('a person whom the remembered environment does not know is one click from the next', async (t) => {
  const world = await openWorld(t);
  const browser = world.browser();
  await comeBack(world, browser, 'us');
  world.now += 60;
  const departed = await browser.get(LOGIN);
  t.equal(departure(departed).to.host, 'us.acme.test', 'remembered');
  const refused = await answerError(browser, departed, 'unknown_user');
  t.equal(refused.status, 403);
  t.strictSame([...links(refused).keys()], ['Europe', 'Start again', 'Choose another place to sign in']);
  const next = await follow(browser, refused, 'Europe');
  t.equal(departure(next).to.host, 'eu.acme.test');
  t.ok(portalToken(await finish(world, browser, next, 'eu')));
  world.now += 60;
  t.equal(departure(await browser.get(LOGIN)).to.host, 'eu.acme.test', 'the memory has corrected itself');
});

t.test('a remembered place may be suggested instead: one click away, and another choice replaces it', async (t) => {
  const EMAIL_FIELD = /<input[^>]*type="email"/;
  const routes = changedRoutes(({ discovery }) => {
    Object.assign(discovery.find(({ by }) => by === 'remembered') ?? {}, { confirm: true });
  });
  const world = await openWorld(t, { routes });
  const browser = world.browser();
  const asked = async (start = LOGIN) => {
    world.now += 60;
    const page = await browser.get(start);
    t.equal(page.status, 200, 'nobody departs unasked');
    return page;
  };
  t.match((await asked()).body, EMAIL_FIELD, 'nothing is remembered yet, so the next step asks');
  await comeBack(world, browser, 'us');

  const first = await asked();
  t.strictSame([...links(first).keys()], ['Continue to United States', 'Europe', 'Find it by my email address']);
  t.match(first.body, /Last time you signed in through United States\./);
  const yes = await follow(browser, first, 'Continue to United States');
  t.equal(departure(yes).to.host, 'us.acme.test');
  t.ok(portalToken(await finish(world, browser, yes, 'us')));

  const no = await follow(browser, await asked(), 'Europe');
  t.equal(departure(no).to.host, 'eu.acme.test');
  const before = await asked();
  t.ok(links(before).has('Continue to United States'), 'a choice is remembered once it has succeeded');
  t.ok(portalToken(await finish(world, browser, no, 'eu')));
  const after = await asked();
  t.strictSame([...links(after).keys()], ['Continue to Europe', 'United States', 'Find it by my email address']);

  const refused = await answerError(browser, await follow(browser, after, 'Continue to Europe'), 'access_denied');
  t.notOk(links(refused).has('Europe'), 'what failed is not offered again');
  const other = await answerError(browser, await follow(browser, after, 'United States'), 'access_denied');
  t.ok(links(other).has('Europe'), 'where another place failed, the remembered one is offered');
  const again =
    links(other)
      .get('Choose another place to sign in')
      ?.replace(/&ask=\w+/, '') ?? '';
  t.ok(links(await asked(again)).has('Continue to Europe'), 'and still suggested');

  const elsewhere = departure(await browser.get(`${LOGIN}&env=globex`));
  t.equal(elsewhere.to.host, 'acme.globex.example', 'what a link says needs no confirming');
  await browser.get('/logout');
  t.match((await asked()).body, EMAIL_FIELD, 'a sign-out erases it');
});

t.test('nobody is led in a circle: what failed in this attempt is not answered by itself again', async (t) => {
  const world = await openWorld(t);
  const browser = world.browser();
  const fromGermany = { headers: { 'cf-ipcountry': 'DE' } };
  let refused = await answerError(browser, await browser.get(LOGIN, fromGermany), 'access_denied');
  const again = links(refused).get('Choose another place to sign in') ?? '';
  const plain = again.replace(/&ask=\w+/, '');
  const asked = await browser.get(plain, fromGermany);
  t.equal(asked.status, 200, 'the rule that led to Europe is passed over, so the person is asked');
  t.equal(
    departure(
      await follow(browser, asked, 'Choose from a list instead').then((list) => follow(browser, list, 'Europe')),
    ).to.host,
    'eu.acme.test',
    'whoever insists may go back',
  );
  refused = await answerError(browser, await follow(browser, refused, 'United States'), 'unknown_user');
  t.notOk(links(refused).has('Europe') || links(refused).has('United States'), 'both have been tried');
  t.ok(links(refused).has('Start again'));
});

t.test('an email that was typed goes along to the next environment, and stands in no address', async (t) => {
  const world = await openWorld(t);
  const browser = world.browser();
  const departed = await typeEmail(browser, LOGIN, 'Kim@Globex.Example');
  t.equal(departure(departed).to.searchParams.get('login_hint'), 'kim@globex.example');
  const refused = await answerError(browser, departed, 'unknown_user');
  t.notMatch(refused.body, /kim/i);
  const next = await follow(browser, refused, 'Europe');
  t.equal(departure(next).to.searchParams.get('login_hint'), 'kim@globex.example');

  const unknown = await typeEmail(browser, LOGIN, 'kim@nobody.test');
  const page = await browser.get(unknown.url);
  t.match(page.body, /could not tell from that address/);
  t.equal(departure(await follow(browser, page, 'Europe')).to.searchParams.get('login_hint'), 'kim@nobody.test');
});

t.test('reasons that no other environment could mend offer none', async (t) => {
  const world = await openWorld(t);
  const browser = world.browser();
  const refused = await comeBack(world, browser, 'us', { secret: 'x'.repeat(64) });
  t.equal(refused.status, 401);
  t.strictSame([...links(refused).keys()], ['Start again', 'Choose another place to sign in']);
});

t.test('known and unknown email domains are answered alike', async (t) => {
  const world = await openWorld(t);
  const browser = world.browser();
  const shape = async (email: string) => {
    const { status, location, headers, body } = await browser.post(LOGIN, { email });
    return { status, length: location.length, names: Object.keys(headers), body, plain: location.split('typed=')[0] };
  };
  const known = await shape('kim@globex.example');
  for (const email of ['kim@nobody.test', 'not an email', '', `${'x'.repeat(200)}@nobody.test`, 'ü@bücher.example']) {
    t.strictSame(await shape(email), known, email.slice(0, 20));
  }
});
