/** Request headers that claim to be somebody or somewhere else: case 35. */
import { decodeJwt } from 'jose';
import t from 'tap';
import { alive, denied } from '../support/denied.ts';
import {
  CALLBACK,
  changedRoutes,
  departure,
  environmentToken,
  ISSUER,
  LOGIN,
  ORIGIN,
  portalToken,
  readyToReturn,
} from '../support/world.ts';
import { openAttackWorld, searchForLeaks } from './attack-world.ts';

const EVIL = 'evil.example';

const SPOOFS: Record<string, Record<string, string>> = {
  'nothing at all': {},
  Host: { host: EVIL },
  'Host with a port': { host: `${EVIL}:8443` },
  'Host with an address': { host: '169.254.169.254' },
  'an empty Host': { host: '' },
  'X-Forwarded-*': {
    'x-forwarded-host': EVIL,
    'x-forwarded-proto': 'http',
    'x-forwarded-port': '8443',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-prefix': '/evil',
    'x-forwarded-server': EVIL,
  },
  'X_Forwarded_*': { x_forwarded_host: EVIL, x_forwarded_proto: 'http', x_forwarded_for: '127.0.0.1' },
  'Forwarded, X-Real-IP and their kin': {
    forwarded: `for=127.0.0.1;host=${EVIL};proto=http`,
    'x-real-ip': '127.0.0.1',
    'x-host': EVIL,
    'x-original-host': EVIL,
    'x-client-ip': '127.0.0.1',
    'true-client-ip': '127.0.0.1',
  },
  'X-Original-URL': { 'x-original-url': '/logout', 'x-rewrite-url': '/logout', 'x-http-method-override': 'DELETE' },
  'ELB-HealthChecker': { 'user-agent': 'ELB-HealthChecker/2.0' },
  'kube-probe': { 'user-agent': 'kube-probe/1.30' },
  GoogleHC: { 'user-agent': 'GoogleHC/1.0' },
  Googlebot: { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' },
  'GoogleStackdriverMonitoring-UptimeChecks': { 'user-agent': 'GoogleStackdriverMonitoring-UptimeChecks' },
  'an empty user agent': { 'user-agent': '' },
  __proto__s: { constructor: 'x', 'x-__proto__': 'y' },
};

/** Without the parts of a cookie that are new each time. */
const shape = (lines: string | string[] = []) =>
  [lines].flat().map((line) => line.replace(/login\.\w{10}=[\w-]+\.\d+\./, 'login.….').replace(/=[\w-]{40,}/, '=…'));

for (const [trust, proxies] of [
  ['no trusted proxy', []],
  ['this machine as a trusted proxy', ['127.0.0.0/8', '::1']],
] as const) {
  t.test(
    `case 35: whatever the headers claim, issuer, links, cookies and checks are the same (${trust})`,
    async (t) => {
      const world = await openAttackWorld(t, {
        routes: changedRoutes((routes) => Object.assign(routes, { trusted_proxies: proxies })),
      });
      const walk = async (headers: Record<string, string>) => {
        const browser = world.browser();
        const left = await browser.get(`${LOGIN}&env=us`, { headers });
        const { to, redirectUri, nonce } = departure(left);
        const token = await environmentToken('us', world.now, nonce);
        const home = await browser.get(`${redirectUri}&access_token=${token}`, { headers });
        const claims = decodeJwt(portalToken(home));
        const asked = await world.browser().get(`${LOGIN}&ask=picker`, { headers });
        const out = await browser.get('/logout', { headers });
        const metadata = await browser.get('/.well-known/openid-configuration', { headers });
        return {
          left: `${to.origin}${to.pathname}`,
          back: redirectUri.split('?')[0],
          cookies: [shape(left.headers['set-cookie']), shape(home.headers['set-cookie'])],
          home: home.location.split('&access_token=')[0],
          claims: { ...claims, jti: typeof claims.jti },
          page: asked.body,
          out: new URL(out.location).searchParams.get('return_to')?.slice(0, `${ORIGIN}/logout/`.length),
          metadata: metadata.body,
        };
      };
      const usual = await walk({});
      t.equal(usual.claims.iss, ISSUER);
      t.equal(usual.back, `${ORIGIN}/return/us`);
      t.equal(usual.home, `${CALLBACK}&state=xyz`);
      t.same(JSON.parse(usual.metadata).issuer, ISSUER);
      for (const [what, headers] of Object.entries(SPOOFS)) {
        const seen = await walk(headers);
        t.same(seen, usual, what);
        t.notMatch(JSON.stringify(seen), EVIL);
        const address = await readyToReturn(world, world.browser(), 'us');
        await denied(t, world, `${what}: no check is left out`, 'login_not_from_this_browser', () =>
          world.browser().get(address, { headers }),
        );
        await denied(t, world, `${what}: nor at the login URL`, 'redirect_uri_not_listed', () =>
          world.browser().get(`/callback?redirect_uri=https://${EVIL}/callback/jwt?orgSlug=acme`, { headers }),
        );
      }
      await alive(t, world);
    },
  );
}

const limited = (proxies: readonly string[]) =>
  changedRoutes((routes) =>
    Object.assign(routes, { trusted_proxies: proxies, rate_limit: { per_client: '1/m', burst: 2 } }),
  );

t.test('case 35: nobody escapes the rate limit, or uses up somebody else’s, by saying who they are', async (t) => {
  const world = await openAttackWorld(t, { routes: limited([]) });
  const ask = (headers: Record<string, string>) => world.browser().get(LOGIN, { headers });
  const spoof = (last: number) => ({ 'x-forwarded-for': `10.0.0.${last}`, 'x-real-ip': `10.0.0.${last}` });
  t.equal((await ask(spoof(1))).status, 200);
  t.equal((await ask(spoof(2))).status, 200);
  for (const last of [3, 4, 5]) {
    const seen = await denied(t, world, `as 10.0.0.${last}`, 'rate_limited', () => ask(spoof(last)));
    t.match(seen.headers['retry-after'], /^[1-9]\d*$/);
  }
});

t.test('case 35: behind a trusted proxy, only the address that the proxy saw counts', async (t) => {
  const world = await openAttackWorld(t, { routes: limited(['127.0.0.1', '10.1.0.0/16']) });
  const ask = (forwardedFor: string) => world.browser().get(LOGIN, { headers: { 'x-forwarded-for': forwardedFor } });
  for (const spoofed of ['198.51.100.1, 203.0.113.7', '10.9.9.9, 203.0.113.7, 10.1.2.3']) {
    t.equal((await ask(spoofed)).status, 200, spoofed);
  }
  for (const spoofed of ['203.0.113.8, 203.0.113.7', '203.0.113.7', 'x, 203.0.113.7 ,10.1.0.1']) {
    await denied(t, world, spoofed, 'rate_limited', () => ask(spoofed));
  }
  t.equal((await ask('203.0.113.7, 203.0.113.8')).status, 200, 'another client is not held back');
});

t.test('a rule on the host sees a trusted proxy’s word and nobody else’s', async (t) => {
  const byHost = (proxies: readonly string[]) =>
    changedRoutes((routes) => {
      routes.discovery = [{ by: 'rule', when: { host: 'eu.login.acme.test' }, to: 'eu' }, { by: 'picker' }];
      Object.assign(routes, { trusted_proxies: proxies });
    });
  const headers = { 'x-forwarded-host': 'EU.login.acme.test' };
  const trusting = await openAttackWorld(t, { routes: byHost(['127.0.0.1']) });
  t.equal(departure(await trusting.browser().get(LOGIN, { headers })).to.host, 'eu.acme.test');
  const wary = await openAttackWorld(t, { routes: byHost(['10.0.0.0/8']) });
  t.equal((await wary.browser().get(LOGIN, { headers })).status, 200);
});

searchForLeaks(t);
