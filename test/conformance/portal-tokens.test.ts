/**
 * Every portal token that there is (six algorithms, both flows, both deliveries, answers that came by GET and by
 * POST), judged by three libraries of other people: jose, PyJWT and ruby-jwt. Case 40.
 */
import { execFile } from 'node:child_process';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import t, { type Test } from 'tap';
import type { Seen } from '../support/browser.ts';
import { counterparts, PYTHON, RUBY, without } from '../support/counterparts.ts';
import { leaksOf } from '../support/leaks.ts';
import {
  CALLBACK,
  changedRoutes,
  departure,
  environmentToken,
  ISSUER,
  openWorld,
  type UsualEnvironment,
} from '../support/world.ts';

const AUDIENCE = 'https://portal.usepylon.com';
const ALGORITHMS = ['HS256', 'HS384', 'HS512', 'PS256', 'PS384', 'PS512'] as const;
const DELIVERIES = ['query', 'form_post'] as const;

/** A portal for each algorithm and delivery, each with a secret or a key of its own. */
const secrets: Record<string, string> = {};
const routes = changedRoutes(({ portals }) => {
  const { support } = portals;
  delete portals.support;
  for (const algorithm of ALGORITHMS) {
    for (const mode of DELIVERIES) {
      const name = `${algorithm.toLowerCase()}-${mode.replace('_', '-')}`;
      const variable = name.toUpperCase().replaceAll('-', '_');
      if (algorithm.startsWith('HS')) secrets[variable] = `canary-${name}-`.padEnd(64, '0123456789abcdef');
      portals[name] = {
        ...support,
        login_path: `/${name}`,
        logout_path: `/${name}/logout`,
        signing: { algorithm, ...(algorithm.startsWith('HS') && { secret: { env: variable } }) },
        delivery: { mode },
      };
    }
  }
});

const world = await openWorld(t, { routes, variables: secrets });
const jwks = `${world.running.localUrl}/.well-known/jwks.json`;

/** One token and how it came about. */
type Issued = {
  readonly what: string;
  readonly alg: string;
  readonly secret?: string;
  readonly token: string;
  readonly environment: UsualEnvironment;
};

const issued: Issued[] = [];

/** What each environment may say or has set; everything else that its token held stays behind. */
const ACCOUNT = {
  us: { account_external_id: 'initech-ext' },
  eu: { account_external_id: 'initech-ext' },
  globex: { account_external_id: 'globex' },
} as const;
const EMAIL = { us: 'ada@acme.test', eu: 'ada@acme.test', globex: 'kim@globex.example' } as const;
const ASSERTED = { account_id: 'initech', account_external_id: 'initech-ext', name: 'Ada', role: 'admin', sub: '7' };

function delivered(t: Test, seen: Seen, mode: string, how: string, deepLink: string): string {
  t.match(seen.headers, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  if (mode === 'query') {
    t.equal(seen.status, how === 'POST' ? 303 : 302);
    const token = /&access_token=([^&]+)$/.exec(seen.location)?.[1] ?? '';
    t.equal(seen.location, `${deepLink}&access_token=${token}`);
    return token;
  }
  t.match(seen, { status: 200, location: '' });
  const [, action = ''] = /<form method="post" action="([^"]+)">/.exec(seen.body) ?? [];
  t.equal(action.replaceAll('&amp;', '&'), deepLink);
  t.match(seen.headers['content-security-policy'], "form-action 'self' https:");
  const fields = [...seen.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]+)">/g)];
  t.same(
    fields.map(([, name]) => name),
    ['jwt'],
  );
  return fields[0]?.[2] ?? '';
}

t.test('case 40: both flows, both deliveries and both ways of coming back issue a token', async (t) => {
  for (const alg of ALGORITHMS) {
    for (const mode of DELIVERIES) {
      const portal = `${alg.toLowerCase()}-${mode.replace('_', '-')}`;
      for (const environment of ['us', 'eu', 'globex'] as const) {
        for (const [flow, start, ends] of [
          [
            'portal',
            `/${portal}?redirect_uri=${encodeURIComponent(`${CALLBACK}&state=a%2Fb`)}&env=${environment}`,
            `${CALLBACK}&state=a%2Fb`,
          ],
          ['platform', `/enter/${environment}/${portal}`, CALLBACK],
        ] as const) {
          for (const how of ['GET', 'POST'] as const) {
            const browser = world.browser();
            const { redirectUri, nonce } = departure(await browser.get(start));
            const answer = await environmentToken(environment, world.now, nonce, { claims: ASSERTED });
            const seen =
              how === 'GET'
                ? await browser.get(`${redirectUri}&access_token=${answer}`)
                : await browser.post(redirectUri, { access_token: answer }, { cookies: 'cross_site_post' });
            const token = delivered(t, seen, mode, how, ends);
            const secret = secrets[portal.toUpperCase().replaceAll('-', '_')];
            const what = `${alg} ${mode} ${flow} ${how} ${environment}`;
            issued.push({ what, alg, token, environment, ...(secret !== undefined && { secret }) });
          }
        }
      }
    }
  }
  t.equal(issued.length, 6 * 2 * 3 * 2 * 2);
});

const expected = ({ environment }: Issued) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  iat: world.now,
  exp: world.now + 60,
  email: EMAIL[environment],
  ...ACCOUNT[environment],
});

t.test('case 40: jose verifies every token; its claims are exactly the listed ones', async (t) => {
  const keys = createRemoteJWKSet(new URL(jwks));
  for (const one of issued) {
    const { token, alg, secret } = one;
    const rules = { algorithms: [alg], issuer: ISSUER, audience: AUDIENCE };
    const { payload, protectedHeader } = secret
      ? await jwtVerify(token, Buffer.from(secret), rules)
      : await jwtVerify(token, keys, rules);
    const { jti, ...claims } = payload;
    t.strictSame(claims, expected(one), one.what);
    t.match(jti, /^[0-9a-f-]{36}$/);
    t.equal(payload.aud, AUDIENCE, 'aud is text, not a list');
    t.strictSame(Object.keys(protectedHeader), secret ? ['alg', 'typ'] : ['alg', 'typ', 'kid'], one.what);
    t.equal(protectedHeader.alg, alg);
    t.equal(protectedHeader.typ, 'JWT');
  }
  t.equal(new Set(issued.map(({ token }) => decodeJwt(token).jti)).size, issued.length, 'every jti is its own');
});

t.test('PS* keys are published, HMAC secrets are not, and the metadata leads there', async (t) => {
  const browser = world.browser();
  const { issuer, jwks_uri } = JSON.parse((await browser.get('/.well-known/openid-configuration')).body);
  t.equal(issuer, ISSUER);
  for (const address of [jwks_uri, '/oidc/jwks', '/.well-known/jwks.json']) {
    const { status, body } = await browser.get(address);
    t.equal(status, 200);
    const { keys } = JSON.parse(body) as { keys: Record<string, unknown>[] };
    t.equal(keys.length, 6);
    const used = issued.map(({ token }) => decodeProtectedHeader(token).kid).filter((kid) => kid !== undefined);
    t.same(new Set(keys.map(({ kid }) => kid)), new Set(used), 'the very keys that sign');
    for (const key of keys) t.strictSame(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
  }
});

/** Hands all tokens to one process of another language. */
function judge(
  program: string,
  script: string,
): Promise<{ header: Record<string, string>; claims: object; refuses: boolean }[]> {
  const tokens = issued.map(({ token, alg, secret }) => ({ token, alg, ...(secret !== undefined && { secret }) }));
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [new URL(script, import.meta.url).pathname],
      { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => (error ? reject(new Error(`${script}: ${stderr}`)) : resolve(JSON.parse(stdout))),
    );
    child.stdin?.end(JSON.stringify({ jwks, issuer: ISSUER, audience: AUDIENCE, tokens }));
  });
}

async function judgedBy(t: Test, program: string, script: string): Promise<void> {
  const verdicts = await judge(program, script);
  t.equal(verdicts.length, issued.length);
  for (const [index, one] of issued.entries()) {
    const verdict = verdicts[index];
    t.strictSame({ ...verdict?.claims, jti: undefined }, { ...expected(one), jti: undefined }, one.what);
    t.equal(verdict?.header.alg, one.alg);
    t.equal(verdict?.refuses, true, 'and a changed token is refused');
  }
}

t.test('case 40: PyJWT verifies every token, PS* by the key set’s URL', { skip: without(counterparts.pyjwt) }, (t) =>
  judgedBy(t, PYTHON, 'verify_tokens.py'),
);

t.test(
  'case 40: ruby-jwt verifies every token, PS* by the key set’s URL',
  { skip: without(counterparts.rubyJwt) },
  (t) => judgedBy(t, RUBY, 'verify_tokens.rb'),
);

t.test('case 39: none of it was anywhere else', (t) => {
  t.same(leaksOf(world), []);
  t.end();
});
