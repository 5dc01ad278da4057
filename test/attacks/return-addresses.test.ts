/** Where a portal token may travel: cases 3 to 6, through the login URL and through /enter. */
import { readFileSync } from 'node:fs';
import { parse as parseQuerystring } from 'node:querystring';
import t, { type Test } from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import type { Seen } from '../support/browser.ts';
import { alive, denied } from '../support/denied.ts';
import { rawGet, sendRaw } from '../support/raw.ts';
import { CALLBACK, departure, environmentToken, ORIGIN, portalToken, type World } from '../support/world.ts';
import { openAttackWorld, searchForLeaks } from './attack-world.ts';

const world = await openAttackWorld(t);

/** The two doors that take a return address. */
const DOORS = { login: '/callback?env=us&', entry: '/enter/us/support?' } as const;

const target = (url: string) => {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
};
const PORTAL = target(CALLBACK);

/** Follows a departure to its end, as the environment and the browser would; anything else is the end already. */
async function whereItEnds(world: World, address: string): Promise<Seen> {
  const browser = world.browser();
  const left = await browser.get(address);
  if (left.location === '') return left;
  const { to, redirectUri, nonce } = departure(left);
  if (target(to.href) !== 'https://us.acme.test/sso/support') throw new Error(`left for ${to.origin}`);
  return browser.get(`${redirectUri}&access_token=${await environmentToken('us', world.now, nonce)}`);
}

async function refusedAtBothDoors(t: Test, what: string, query: string, reason: Reason): Promise<void> {
  for (const [door, address] of Object.entries(DOORS)) {
    const seen = await denied(t, world, `${door}: ${what}`, reason, () => whereItEnds(world, address + query));
    t.equal(seen.status, 400);
  }
}

const redirectUri = (url: string) => `redirect_uri=${encodeURIComponent(url)}`;

t.test('case 3: a return address in which some reader finds a token already is refused', async (t) => {
  const carrying = [
    '&access_token=x',
    '&jwt=x',
    '&ACCESS_TOKEN=x',
    '&Jwt=x',
    '&access%5Ftoken=x',
    '&%61ccess_token=x',
    '&access%255Ftoken=x',
    ';access_token=x',
    ';jwt=x',
    '&a=b;jwt=x',
    '&a=b%26access_token%3Dx',
    '&a=b%3Bjwt%3Dx',
    '&access_token[]=x',
    '&access_token%5B0%5D=x',
    '&access.token=x',
    '&access%20token=x',
    '&access+token=x',
    '&access_token',
    '&access_token=',
    '&=&access_token=x',
    '&?access_token=x',
    '&+jwt=x',
    '&jwt%00=x',
  ];
  for (const query of carrying) {
    await refusedAtBothDoors(t, query, redirectUri(`${CALLBACK}${query}`), 'redirect_uri_reserved_parameter');
  }
  const first = `${PORTAL}?access_token=x&orgSlug=acme`;
  await refusedAtBothDoors(t, 'before the tenant', redirectUri(first), 'redirect_uri_reserved_parameter');
  await alive(t, world);
});

t.test('case 3: readers of the first, the last or all values see only our token behind a deep link', async (t) => {
  const deep = `${CALLBACK}&state=%7B%22to%22%3A%22%2Farticles%2F1%3Fa%3Db%26c%22%7D&next=/a;b&a[]=1&t=token`;
  for (const address of Object.values(DOORS)) {
    const seen = await whereItEnds(world, address + redirectUri(deep));
    const token = portalToken(seen);
    t.equal(seen.location, `${deep}&access_token=${token}`, 'the bytes of the return address are unchanged');
    t.same(new URL(seen.location).searchParams.getAll('access_token'), [token]);
    t.equal(parseQuerystring(new URL(seen.location).search.slice(1)).access_token, token);
    t.equal(seen.location.match(/access_token/gi)?.length, 1);
    t.notMatch(seen.location, /[?&;]jwt=/i);
  }
});

const corpus = readFileSync(new URL('../portals/open-redirects.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('# '))
  .map((line) => line.replace(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
};

t.test('case 4: no open-redirect payload leads off the list, whichever way it is written', async (t) => {
  t.ok(corpus.length >= 250, `${corpus.length} payloads`);
  let refused = 0;
  for (const payload of corpus) {
    const text = payload.toWellFormed();
    const ways = [text, decoded(text).toWellFormed(), encodeURIComponent(text)];
    for (const [door, address] of Object.entries(DOORS)) {
      for (const [way, written] of ways.entries()) {
        const seen = await whereItEnds(world, `${address}redirect_uri=${encodeURIComponent(written)}`);
        if (seen.location !== '' && target(seen.location) !== PORTAL) t.fail(`${door} led to ${seen.location}`);
        if (seen.status === 400) refused++;
        else if (way === 0) t.fail(`${door} took ${payload}`);
      }
    }
  }
  t.ok(refused > corpus.length * 5, `${refused} were refused`);
  await alive(t, world);
});

t.test('case 4: nor as raw bytes on the request line', async (t) => {
  const answers = await Promise.all(
    corpus.flatMap((payload) =>
      Object.values(DOORS).map(async (address) => {
        const { status, location } = await sendRaw(
          world.running.localUrl,
          rawGet(`${address}redirect_uri=${payload.toWellFormed()}`),
        );
        return { payload, status, location };
      }),
    ),
  );
  // A payload whose first `&` cuts off what makes it hostile is an honest address of the portal.
  const off = answers.filter(
    ({ location }) => location !== '' && target(location) !== 'https://us.acme.test/sso/support',
  );
  t.same(off, []);
  t.same(
    answers.filter(({ status }) => status < 300 || status >= 500),
    [],
  );
  for (const { payload, location } of answers) {
    const taken = decoded(payload.split('&')[0] ?? '');
    if (location !== '' && target(taken) !== PORTAL) t.fail(`${payload} was taken`);
  }
  await alive(t, world);
});

t.test('case 4: the sign-out and the pages have no parameter that leads anywhere else', async (t) => {
  const names = ['return_to', 'redirect', 'redirect_uri', 'post_logout_redirect_uri', 'next', 'url', 'env', 'choose'];
  for (const payload of corpus.slice(0, 60)) {
    for (const name of names) {
      const value = encodeURIComponent(payload.toWellFormed());
      const seen = await world.browser().get(`/logout?${name}=${value}`);
      if (seen.location !== '') t.fail(`/logout led to ${seen.location}`);
      if (name === 'redirect_uri') continue;
      const asked = await world.browser().get(`/callback?${redirectUri(CALLBACK)}&${name}=${value}`);
      if (asked.location !== '') t.fail(`/callback led to ${asked.location}`);
      const hrefs = [...asked.body.matchAll(/(?:href|action)="([^"]*)"/g)].map(([, href = '']) => href);
      if (!hrefs.every((href) => href.startsWith('/callback?'))) t.fail(`the page leads to ${hrefs.join(' ')}`);
    }
  }
  await alive(t, world);
});

t.test('case 5: user info, escapes, dot segments, look-alike hosts, other ports and http are refused', async (t) => {
  const host = new URL(CALLBACK).host;
  const rest = `/callback/jwt?orgSlug=acme`;
  const addresses: readonly (readonly [string, Reason])[] = [
    [`https://a@b@${host}${rest}`, 'redirect_uri_malformed'],
    [`https://evil@${host}${rest}`, 'redirect_uri_malformed'],
    [`https://${host}@evil.example${rest}`, 'redirect_uri_malformed'],
    [`https://${host}:443@evil.example${rest}`, 'redirect_uri_malformed'],
    [`https://portal%25@evil${rest}`, 'redirect_uri_malformed'],
    [`https://${host}%25@evil.example${rest}`, 'redirect_uri_malformed'],
    [`https://${host}\\@evil.example${rest}`, 'redirect_uri_malformed'],
    [`https://evil.example\\@${host}${rest}`, 'redirect_uri_malformed'],
    [`https://${host}/callback/..;/jwt?orgSlug=acme`, 'redirect_uri_not_listed'],
    [`https://${host}/callback/jwt/..;/evil?orgSlug=acme`, 'redirect_uri_not_listed'],
    [`https://${host}/callback/%2e%2e/jwt?orgSlug=acme`, 'redirect_uri_malformed'],
    [`https://${host}/x/../callback/jwt?orgSlug=acme`, 'redirect_uri_not_listed'],
    [`https://${host}/callback/./jwt?orgSlug=acme`, 'redirect_uri_not_listed'],
    [`https://${host}/callback//jwt?orgSlug=acme`, 'redirect_uri_not_listed'],
    [`https://${host}/callback/jwt/?orgSlug=acme`, 'redirect_uri_not_listed'],
    [`https://${host}/callback/jwtx?orgSlug=acme`, 'redirect_uri_not_listed'],
    [`https://${host}/callback/JWT?orgSlug=acme`, 'redirect_uri_not_listed'],
    [`https://${host}/callback/jw%74?orgSlug=acme`, 'redirect_uri_malformed'],
    [`https://${host}.evil.example${rest}`, 'redirect_uri_not_listed'],
    [`https://evil-${host}${rest}`, 'redirect_uri_not_listed'],
    [`https://xn--graph-usepylon.com${rest}`, 'redirect_uri_not_listed'],
    [`https://graph.usepyl\u043en.com${rest}`, 'redirect_uri_malformed'],
    [`https://${host}:8443${rest}`, 'redirect_uri_not_listed'],
    [`https://${host}:80${rest}`, 'redirect_uri_not_listed'],
    [`http://${host}${rest}`, 'redirect_uri_not_listed'],
    [`http://${host}:443${rest}`, 'redirect_uri_not_listed'],
    [`javascript:alert(1)//${host}${rest}`, 'redirect_uri_malformed'],
    [`//${host}${rest}`, 'redirect_uri_malformed'],
    [`${host}${rest}`, 'redirect_uri_malformed'],
    [`https:${host}${rest}`, 'redirect_uri_malformed'],
    [`https:/${host}${rest}`, 'redirect_uri_malformed'],
    [`https:///${host}${rest}`, 'redirect_uri_malformed'],
    [` https://${host}${rest}`, 'redirect_uri_malformed'],
    [`https://${host}${rest}#`, 'redirect_uri_malformed'],
    [`https://${host}${rest}#@evil.example`, 'redirect_uri_malformed'],
    [`https://${host}/callback/jwt?orgSlug=other`, 'redirect_uri_wrong_tenant'],
    [`https://${host}/callback/jwt`, 'redirect_uri_wrong_tenant'],
    [`https://${host}${rest}&orgSlug=other`, 'redirect_uri_wrong_tenant'],
    [`https://${host}${rest}&ORGSLUG=other`, 'redirect_uri_wrong_tenant'],
    ['', 'redirect_uri_malformed'],
  ];
  for (const [address, reason] of addresses) await refusedAtBothDoors(t, address, redirectUri(address), reason);
  const withPort = `https://${host}:443${rest}`;
  t.equal(target((await whereItEnds(world, DOORS.login + redirectUri(withPort))).location), PORTAL, ':443 equals none');
  await alive(t, world);
});

t.test('case 6: redirect_uri twice, in either order or another spelling, is a bad request', async (t) => {
  const good = redirectUri(CALLBACK);
  const evil = redirectUri('https://evil.example/');
  const twice: readonly (readonly [string, Reason])[] = [
    [`${good}&${evil}`, 'request_parameter_duplicated'],
    [`${evil}&${good}`, 'request_parameter_duplicated'],
    [`${good}&${good}`, 'request_parameter_duplicated'],
    [`${good}&redirect_uri=`, 'request_parameter_duplicated'],
    [`${good}&redirect_uri`, 'request_parameter_duplicated'],
    [`${good}&redirect%5Furi=https%3A%2F%2Fevil.example`, 'request_parameter_duplicated'],
    [`${good}&redirect_uri[]=https%3A%2F%2Fevil.example`, 'request_parameter_duplicated'],
    [`redirect_uri%5B%5D=x&${good}`, 'request_parameter_duplicated'],
    [`${good}&REDIRECT_URI=x`, 'request_parameter_duplicated'],
    [good.replace('redirect_uri', 'redirect_uri[]'), 'request_malformed'],
    [good.replace('redirect_uri', 'redirect_uri[0]'), 'request_malformed'],
    [good.replace('redirect_uri', 'Redirect_Uri'), 'request_malformed'],
    [`${good}&redirect_uri%00=x`, 'request_malformed'],
    [`${good}&state=%`, 'request_malformed'],
    [`${good}&state=%ff`, 'request_malformed'],
    [`${good}&env=eu&env=us`, 'request_parameter_duplicated'],
  ];
  for (const [query, reason] of twice) await refusedAtBothDoors(t, query, query, reason);
  const { redirectUri: back } = departure(await world.browser().get(`${DOORS.login}${good}`));
  for (const query of ['&state=x', '&state=', '&access_token=a&access_token=b']) {
    await denied(t, world, query, 'request_parameter_duplicated', () => world.browser().get(back + query));
  }
  await denied(t, world, 'in the query and in the form', 'request_parameter_duplicated', () =>
    world.browser().post(back, { state: 'x' }),
  );
  t.notOk(back.startsWith(`${ORIGIN}/return/us?state=&`));
  await alive(t, world);
});

searchForLeaks(t);
