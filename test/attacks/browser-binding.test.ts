/** A login belongs to the browser and to the environment that it left for: cases 11 to 14. */
import t from 'tap';
import type { Browser } from '../support/browser.ts';
import { alive, denied } from '../support/denied.ts';
import {
  comeBack,
  departure,
  environmentToken,
  LOGIN,
  ORIGIN,
  portalToken,
  readyToReturn,
  type UsualEnvironment,
} from '../support/world.ts';
import { openAttackWorld, searchForLeaks } from './attack-world.ts';

const world = await openAttackWorld(t);

const LOGIN_COOKIE = '__Host-wayhome-login.';

/** What goes to `/return/…` in a form: its address without the token, and the fields. */
function asForm(address: string): [address: string, form: Record<string, string>] {
  const { pathname, searchParams } = new URL(address);
  const { access_token = '', ...rest } = Object.fromEntries(searchParams);
  return [`${ORIGIN}${pathname}?${new URLSearchParams(rest)}`, { access_token }];
}

const cookieHeader = (browser: Browser): string =>
  [...browser.jar].map(([name, { value }]) => `${name}=${value}`).join('; ');

/** Leaves for an environment; what an environment needs to answer. */
async function leave(browser: Browser, environment: UsualEnvironment) {
  const left = departure(await browser.get(`${LOGIN}&env=${environment}`));
  return { ...left, reference: left.state.slice(0, 10), sealed: left.state.slice(11) };
}

t.test('case 11: nothing that the browser holds for the router goes to an environment', async (t) => {
  const browser = world.browser();
  for (const environment of ['us', 'eu', 'globex'] as const) await comeBack(world, browser, environment);
  await browser.get(`${LOGIN}&env=us`);
  const held = [...browser.jar.values()].map(({ value }) => value);
  t.ok(held.length >= 4);
  const departures = [
    await browser.get(`${LOGIN}&env=eu`),
    await browser.get('/enter/us/support'),
    await browser.get(`${LOGIN}&login_hint=kim@globex.example`),
    await browser.get('/logout'),
  ];
  for (const { location, headers } of departures) {
    t.match(location, /^https:\/\/(us\.acme\.test|eu\.acme\.test|acme\.globex\.example)\//);
    for (const value of held) {
      for (const part of [value, value.split('.', 1)[0] ?? '']) t.notOk(location.includes(part));
    }
    t.equal(headers['referrer-policy'], 'no-referrer');
  }
  for (const line of world.exchanges.flatMap(({ seen }) => seen.headers['set-cookie'] ?? [])) {
    t.match(line, /^__Host-[^;]*; Path=\/; Secure; HttpOnly; /);
    t.notMatch(line, /domain=/i);
  }
});

t.test(
  'case 12: a return address that is opened in a clean browser is refused, and still works in the right one',
  async (t) => {
    for (const environment of ['us', 'eu', 'globex'] as const) {
      const attacker = world.browser();
      const address = await readyToReturn(world, attacker, environment);
      await denied(t, world, `${environment}, GET`, 'login_not_from_this_browser', () => world.browser().get(address));
      await denied(t, world, `${environment}, POST`, 'login_not_from_this_browser', () =>
        world.browser().post(...asForm(address)),
      );
      await alive(t, world);
      t.equal((await attacker.get(address)).status, 302, 'nothing was used up');
    }
  },
);

t.test('case 12: a browser with logins and visits of its own takes nobody else’s login', async (t) => {
  const attacker = world.browser();
  const victim = world.browser();
  await comeBack(world, victim, 'us');
  await leave(victim, 'us');
  const before = [...victim.jar.keys()];
  const address = await readyToReturn(world, attacker, 'us', { claims: { email: 'attacker@acme.test' } });
  await denied(t, world, 'GET', 'login_not_from_this_browser', () => victim.get(address));
  await denied(t, world, 'POST', 'login_not_from_this_browser', () =>
    victim.post(...asForm(address), { cookies: 'cross_site_post' }),
  );
  t.same([...victim.jar.keys()], before, 'and keeps its own');
});

t.test('case 12: a cookie that a sibling domain can plant is not taken for the login’s', async (t) => {
  const attacker = world.browser();
  const address = await readyToReturn(world, attacker, 'us');
  const [name = '', { value = '' } = {}] = [...attacker.jar][0] ?? [];
  t.ok(name.startsWith(LOGIN_COOKIE));
  const planted = [
    `x=1 ${name}=${value}`,
    `x= ${name}=${value}`,
    `x=1\t${name}=${value}`,
    `x=1,${name}=${value}`,
    `x="1, ${name}=${value}"`,
    `y${name}=${value}`,
    `x=${name}=${value}`,
    `x=1 ${name}=${value}; ${name}x=${value}`,
    `${name.toUpperCase()}=${value}`,
    `${name.replace('__Host-', '__Secure-')}=${value}`,
    `${name.replace('__Host-', '')}=${value}`,
    `${name} =${value}`,
    `${name.replace('_', '%5F')}=${value}`,
  ];
  for (const cookie of planted) {
    await denied(t, world, cookie.slice(0, 40), 'login_not_from_this_browser', () =>
      world.browser().get(address, { headers: { cookie } }),
    );
  }
  t.equal((await world.browser().get(address, { headers: { cookie: `x=1; ${name}=${value}` } })).status, 302);
});

t.test('case 13: another browser’s login, with the victim’s own cookie under its name, is refused', async (t) => {
  const [attacker, victim] = [world.browser(), world.browser()];
  const theirs = await leave(attacker, 'us');
  const own = await leave(victim, 'us');
  const secret = victim.jar.get(LOGIN_COOKIE + own.reference)?.value ?? '';
  const token = await environmentToken('us', world.now, theirs.nonce);
  const cookies = {
    'the victim’s cookie': cookieHeader(victim),
    'renamed to the attacker’s login': `${LOGIN_COOKIE}${theirs.reference}=${secret}`,
  };
  const [plain, renamed] = Object.values(cookies);
  await denied(t, world, 'the victim’s cookie', 'login_not_from_this_browser', () =>
    world.browser().get(`${theirs.redirectUri}&access_token=${token}`, { headers: { cookie: plain ?? '' } }),
  );
  await denied(t, world, 'renamed', 'state_invalid', () =>
    world.browser().get(`${theirs.redirectUri}&access_token=${token}`, { headers: { cookie: renamed ?? '' } }),
  );
  const address = `${ORIGIN}/return/us?state=${own.reference}.${theirs.sealed}&access_token=${token}`;
  await denied(t, world, 'the victim’s reference before the attacker’s state', 'state_invalid', () =>
    victim.get(address),
  );
  await alive(t, world);
});

t.test('case 13: two logins of the same browser do not mix', async (t) => {
  const browser = world.browser();
  const visit = (await comeBack(world, browser, 'eu')).headers['set-cookie']?.[0] ?? '';
  const one = await leave(browser, 'us');
  const two = await leave(browser, 'us');
  const back = (reference: string, sealed: string, token: string) =>
    browser.get(`${ORIGIN}/return/us?state=${reference}.${sealed}&access_token=${token}`);
  const [tokenOne, tokenTwo] = [
    await environmentToken('us', world.now, one.nonce),
    await environmentToken('us', world.now, two.nonce),
  ];
  await denied(t, world, 'one’s reference, two’s state', 'state_invalid', () =>
    back(one.reference, two.sealed, tokenTwo),
  );
  await denied(t, world, 'two’s reference, one’s state', 'state_invalid', () =>
    back(two.reference, one.sealed, tokenOne),
  );
  await denied(t, world, 'one’s state, two’s token', 'jwt_nonce_mismatch', () =>
    back(one.reference, one.sealed, tokenTwo),
  );
  await denied(t, world, 'a state cut off', 'state_invalid', () =>
    back(one.reference, one.sealed.slice(0, -4), tokenOne),
  );
  await denied(t, world, 'a state with a bit changed', 'state_invalid', () =>
    back(one.reference, `${one.sealed.slice(0, -8)}AAAAAAAA`, tokenOne),
  );
  await denied(t, world, 'a state in another spelling', 'state_invalid', () =>
    back(one.reference, `${one.sealed}=`, tokenOne),
  );
  await denied(t, world, 'a visit instead of a state', 'state_invalid', () =>
    back(one.reference, /=([^;]*)/.exec(visit)?.[1] ?? '', tokenOne),
  );
  await denied(t, world, 'no state', 'state_missing', () => browser.get(`/return/us?access_token=${tokenOne}`));
  await denied(t, world, 'a state of nobody', 'state_invalid', () => browser.get('/return/us?state=x'));
  t.equal((await back(one.reference, one.sealed, tokenOne)).status, 302, 'and each still works');
  t.equal((await back(two.reference, two.sealed, tokenTwo)).status, 302);
});

t.test('case 14: one environment’s state at another’s return address is refused', async (t) => {
  const environments = ['us', 'eu', 'globex'] as const;
  for (const from of environments) {
    for (const to of environments.filter((name) => name !== from)) {
      const browser = world.browser();
      const { redirectUri, nonce } = await leave(browser, from);
      const address = redirectUri.replace(`/return/${from}?`, `/return/${to}?`);
      for (const signer of [from, to]) {
        const token = await environmentToken(signer, world.now, nonce);
        await denied(t, world, `${from} at ${to}, signed by ${signer}`, 'state_invalid', () =>
          browser.get(`${address}&access_token=${token}`),
        );
      }
      const token = await environmentToken(from, world.now, nonce);
      t.not(portalToken(await browser.get(`${redirectUri}&access_token=${token}`)), '', 'nothing was used up');
    }
  }
  await alive(t, world);
});

searchForLeaks(t);
