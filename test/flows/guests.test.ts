/** A portal that takes visitors without a name (jsConnect's empty user) is offered to them, and told so. */
import { jwtVerify, SignJWT } from 'jose';
import t from 'tap';
import { changedRoutes, LOGIN, openWorld } from '../support/world.ts';

const FORUM_SECRET = 'forum-secret-0123456789-0123456789-0123456789-0123456789';
const KEY = new TextEncoder().encode(FORUM_SECRET);
const STATE = { n: 'a nonce', t: '/discussions' };

const routes = changedRoutes((tree) => {
  tree.portals.forum = {
    title: 'Acme Forum',
    preset: 'jsconnect3',
    login_path: '/forum/login',
    settings: { client_id: 'acme', forum: 'https://forum.acme.test' },
    signing: { algorithm: 'HS256', secret: { env: 'FORUM_SECRET' } },
  };
  Object.assign(tree, { discovery: [{ by: 'hint', params: ['env'] }, { by: 'picker' }] });
});

const asked = (now: number): Promise<string> =>
  new SignJWT({ rurl: 'https://forum.acme.test/entry/jsconnect', st: STATE })
    .setProtectedHeader({ alg: 'HS256', kid: 'acme' })
    .setIssuedAt(now)
    .setExpirationTime(now + 300)
    .sign(KEY);

const guestLink = (body: string): string =>
  (/href="([^"]*[?&;]guest=1)"/.exec(body)?.[1] ?? '').replaceAll('&amp;', '&');

t.test('who need not sign in is offered to go on without, on every page that asks or refuses', async (t) => {
  const world = await openWorld(t, { routes, variables: { FORUM_SECRET } });
  const browser = world.browser();
  const picker = await browser.get(`/forum/login?jwt=${await asked(world.now)}`);
  t.equal(picker.status, 200);
  const link = guestLink(picker.body);
  t.match(link, /^\/forum\/login\?/);

  const departed = await browser.get(`/forum/login?jwt=${await asked(world.now)}&env=us`);
  const back = new URL(new URL(departed.location).searchParams.get('redirect_uri') ?? '');
  const refused = await browser.get(`${back.pathname}${back.search}&error=access_denied`);
  t.equal(refused.status, 403);
  t.not(guestLink(refused.body), '', 'somebody who could not sign in may still look around');

  for (const url of [link, guestLink(refused.body)]) {
    const { status, location } = await browser.get(url);
    t.equal(status, 302);
    t.match(location, /^https:\/\/forum\.acme\.test\/entry\/jsconnect#jwt=/);
    const { payload } = await jwtVerify(location.split('#jwt=')[1] ?? '', KEY, {
      currentDate: new Date(world.now * 1000),
    });
    t.same(payload.u, {}, 'nobody’s name');
    t.same(payload.st, STATE);
  }
  t.match(world.events().at(-1), { event: 'token.minted', reason: 'guest', portal: 'forum' });
  t.notOk(
    [...browser.jar.keys()].some((name) => name.includes('visit')),
    'nobody is remembered',
  );
});

t.test('a portal that knows people only by name takes no guest', async (t) => {
  const world = await openWorld(t, { routes, variables: { FORUM_SECRET } });
  const picker = await world.browser().get(LOGIN);
  t.equal(guestLink(picker.body), '');
  const { status, location } = await world.browser().get(`${LOGIN}&guest=1`);
  t.equal(status, 200, 'the parameter means nothing there');
  t.equal(location, '');
});

t.test('a guest’s request is judged like everybody’s', async (t) => {
  const world = await openWorld(t, { routes, variables: { FORUM_SECRET } });
  const foreign = await new SignJWT({ rurl: 'https://evil.test/', st: STATE })
    .setProtectedHeader({ alg: 'HS256', kid: 'acme' })
    .setIssuedAt(world.now)
    .setExpirationTime(world.now + 300)
    .sign(KEY);
  const { status, location } = await world.browser().get(`/forum/login?jwt=${foreign}&guest=1`);
  t.equal(status, 400);
  t.equal(location, '');
});
