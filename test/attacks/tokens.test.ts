/** What may be wrong with an environment’s token: cases 18 to 23, each through /return in a browser that left. */
import { createSign, type KeyObject, randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import t from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import { encode, forge } from '../keys/tokens.ts';
import { alive, denied } from '../support/denied.ts';
import { departure, environmentToken, ISSUER, LOGIN, portalToken, SECRETS } from '../support/world.ts';
import { searchForLeaks } from './attack-world.ts';
import {
  arrive,
  asked,
  comeBackWith,
  EC,
  ENTRY,
  elsewhere,
  HS256,
  jwk,
  keySet,
  LEGACY,
  type Left,
  nonCanonical,
  otherSignature,
  PYLON,
  pem,
  RSA,
  right,
  signEc,
  signHmac,
  world,
} from './token-world.ts';

t.test('what the tables below change is accepted when it is not changed', async (t) => {
  const good = {
    us: ({ claims }: Left) => signHmac(HS256, claims),
    ec: ({ claims }: Left) => signEc(claims),
    rsa: ({ claims }: Left) => {
      const input = `${encode({ alg: 'RS256' })}.${encode(claims)}`;
      return `${input}.${createSign('sha256').update(input).sign(RSA.privateKey, 'base64url')}`;
    },
    legacy: ({ claims }: Left) => signHmac(HS256, claims, LEGACY),
    audience: ({ claims }: Left) => signHmac(HS256, { ...claims, aud: 'https://portal.usepylon.com' }, PYLON),
  };
  for (const [environment, make] of Object.entries(good)) {
    for (const how of ['get', 'post'] as const) {
      const seen = await arrive(environment, make, how);
      t.equal(seen.status, how === 'get' ? 302 : 303, `${environment} ${how}`);
      t.not(portalToken(seen), '');
    }
  }
  t.equal(keySet.connections(), 1, 'the key set is read once');
  t.notMatch(asked, [{ cookie: /./ }], 'case 11: no cookie arrives at an environment’s key set');
  t.notMatch(asked, [{ authorization: /./ }], 'case 11: no credentials either');
});

t.test('case 18: a token that was used is refused in every spelling and with every other signature', async (t) => {
  const claims = right();
  const used = signHmac(HS256, claims, LEGACY);
  t.equal((await arrive('legacy', () => used)).status, 302, 'once');
  const spellings: readonly (readonly [string, string, Reason])[] = [
    ['as it was', used, 'jwt_replayed'],
    ['with a line end', `${used}\n`, 'request_malformed'],
    ['with a carriage return', `${used}\r\n`, 'request_malformed'],
    ['with a space', `${used} `, 'jwt_malformed'],
    ['with padding', `${used}==`, 'jwt_malformed'],
    ['with one padding', `${used}=`, 'jwt_malformed'],
    ['with a non-canonical last character', nonCanonical(used), 'jwt_malformed'],
    ['in base64 instead of base64url', used.replace(/[-_]/g, '+') + (/[-_]/.test(used) ? '' : '+'), 'jwt_malformed'],
    ['with a dot more', `${used}.`, 'jwt_malformed'],
    ['signed again with another exp', signHmac(HS256, { ...claims, exp: claims.exp + 1 }, LEGACY), 'jwt_replayed'],
    ['signed again with another header', signHmac({ alg: 'HS256' }, claims, LEGACY), 'jwt_replayed'],
    ['for somebody else', signHmac(HS256, { ...claims, email: 'eve@acme.test' }, LEGACY), 'jwt_replayed'],
  ];
  for (const [what, token, reason] of spellings) {
    for (const how of ['get', 'post'] as const) {
      // A form may hold line breaks; a token may not.
      const inForm = how === 'post' && reason === 'request_malformed' ? 'jwt_malformed' : reason;
      await denied(t, world, `${what}, ${how}`, inForm, () => arrive('legacy', () => token, how));
    }
    await alive(t, world);
  }
});

t.test(
  'case 18: at /enter, where no state makes a token single use, its other signatures are refused too',
  async (t) => {
    const claims = { ...right(), jti: undefined };
    const used = signEc(claims, {}, ENTRY.privateKey);
    const enter = (token: string) => () => world.browser().get(`/enter/entry/support?access_token=${token}`);
    t.equal((await enter(used)()).status, 302, 'once');
    await denied(t, world, 'as it was', 'jwt_replayed', enter(used));
    await denied(t, world, 'with (r, n − s)', 'jwt_replayed', enter(otherSignature(used)));
    await denied(t, world, 'signed again', 'jwt_replayed', enter(signEc(claims, {}, ENTRY.privateKey)));
    await denied(
      t,
      world,
      'with a nonce',
      'jwt_made_for_return',
      enter(signEc({ ...claims, nonce: 'n' }, {}, ENTRY.privateKey)),
    );
    await denied(t, world, 'where nobody allowed it', 'unsolicited_not_allowed', () =>
      world.browser().get(`/enter/us/support?access_token=${signHmac(HS256, right())}`),
    );
  },
);

t.test('case 19: HS256 keyed with the environment’s public key, in whatever form, is refused', async (t) => {
  const forms = (key: KeyObject): Record<string, Buffer | string> => ({
    PEM: pem(key),
    'PEM without its last line end': pem(key).trimEnd(),
    'PEM with CRLF': pem(key).replaceAll('\n', '\r\n'),
    'spaced PEM': ` ${pem(key)}\n\n`,
    'PEM on one line': pem(key).replaceAll('\n', ''),
    DER: key.export({ type: 'spki', format: 'der' }),
    'DER in base64': key.export({ type: 'spki', format: 'der' }).toString('base64'),
    JWK: JSON.stringify(key.export({ format: 'jwk' })),
    'JWK with its kid': jwk(key),
    nothing: '',
  });
  for (const [environment, key] of [
    ['rsa', RSA.publicKey],
    ['ec', EC.publicKey],
  ] as const) {
    for (const [what, secret] of Object.entries(forms(key))) {
      for (const alg of ['HS256', 'HS384', 'HS512']) {
        await denied(t, world, `${environment}: ${alg} with ${what}`, 'jwt_algorithm_not_allowed', () =>
          arrive(environment, ({ claims }) => signHmac({ alg, kid: 'one' }, claims, secret)),
        );
      }
    }
    await alive(t, world);
  }
});

t.test('case 20: no signature, and headers that name keys or change processing, are refused', async (t) => {
  const key = RSA.publicKey.export({ format: 'jwk' });
  const evil = elsewhere.url;
  const headers: readonly (readonly [what: string, header: Record<string, unknown>, reason: Reason])[] = [
    ...['none', 'None', 'NONE', 'nOnE', '', 'HS1', 'HS256 ', 'hs256', 'HS384', 'RS256', 'ES256', 'dir'].map(
      (alg) => [`alg ${alg}`, { alg }, 'jwt_algorithm_not_allowed'] as const,
    ),
    ['alg in a list', { alg: ['HS256'] }, 'jwt_header_not_allowed'],
    ['no alg', { alg: undefined }, 'jwt_header_not_allowed'],
    ['jku', { jku: `${evil}jwks` }, 'jwt_header_not_allowed'],
    ['jwk', { jwk: key }, 'jwt_header_not_allowed'],
    ['x5u', { x5u: `${evil}cert` }, 'jwt_header_not_allowed'],
    ['x5c', { x5c: ['MIIB'] }, 'jwt_header_not_allowed'],
    ['kid as a URL', { kid: `${evil}key` }, 'jwt_header_not_allowed'],
    ['kid as a path', { kid: '../../../../dev/null' }, 'jwt_header_not_allowed'],
    ['kid as an absolute path', { kid: '/dev/null' }, 'jwt_header_not_allowed'],
    ['kid as a file', { kid: 'file:///proc/sys/kernel/randomize_va_space' }, 'jwt_header_not_allowed'],
    ['kid as SQL', { kid: "x' UNION SELECT 'secret" }, 'jwt_header_not_allowed'],
    ['kid as a number', { kid: 1 }, 'jwt_header_not_allowed'],
    ['crit', { crit: ['exp'] }, 'jwt_header_not_allowed'],
    ['crit with b64', { crit: ['b64'], b64: false }, 'jwt_header_not_allowed'],
    ['b64', { b64: false }, 'jwt_header_not_allowed'],
    ['zip', { zip: 'DEF' }, 'jwt_header_not_allowed'],
    ['enc', { enc: 'A256GCM' }, 'jwt_header_not_allowed'],
    ['cty', { cty: 'JWT' }, 'jwt_header_not_allowed'],
    ['an unknown member', { 'x-anything': 'y' }, 'jwt_header_not_allowed'],
  ];
  for (const [what, header, reason] of headers) {
    await denied(t, world, what, reason, () => arrive('us', ({ claims }) => signHmac({ ...HS256, ...header }, claims)));
    if ('alg' in header) continue;
    await denied(t, world, `${what}, ES256`, reason, () => arrive('ec', ({ claims }) => signEc(claims, { ...header })));
  }
  const unsigned = ({ claims }: Left, alg: string) => `${encode({ alg })}.${encode(claims)}.`;
  for (const alg of ['none', 'None', 'NONE', 'nOnE', 'HS256']) {
    for (const environment of ['us', 'rsa', 'ec', 'legacy']) {
      await denied(t, world, `${alg} without a signature at ${environment}`, 'jwt_malformed', () =>
        arrive(environment, (left) => unsigned(left, alg)),
      );
    }
  }
  for (const __proto of ['{"alg":"HS256","__proto__":{"kid":"x"}}', '{"alg":"none","alg":"HS256"}']) {
    const seen = await arrive('us', ({ claims }) => signHmac(__proto, claims));
    t.match(seen, { status: 401, location: '' }, __proto);
  }
  await denied(t, world, 'another key with our kid', 'jwt_invalid_signature', () =>
    arrive('ec', ({ claims }) => signEc(claims, {}, ENTRY.privateKey)),
  );
  t.equal(elsewhere.connections(), 0, 'nothing is fetched from where a token points');
  t.equal(keySet.connections(), 1, 'nor anything else');
  await alive(t, world);
});

t.test('case 21: times are whole seconds, near the present, within 60 s of clocks, and short-lived', async (t) => {
  const { now } = world;
  const times: readonly (readonly [what: string, times: Record<string, unknown>, reason: Reason | 'accepted'])[] = [
    ['no exp', { exp: undefined }, 'jwt_missing_required_claim'],
    ['no iat', { iat: undefined }, 'jwt_missing_required_claim'],
    ['exp in text', { exp: String(now + 60) }, 'jwt_claim_malformed'],
    ['exp with a fraction', { exp: now + 60.5 }, 'jwt_claim_malformed'],
    ['exp 1e300', { exp: 1e300 }, 'jwt_claim_malformed'],
    ['exp null', { exp: null }, 'jwt_claim_malformed'],
    ['exp in a list', { exp: [now + 60] }, 'jwt_claim_malformed'],
    ['exp in ten years', { exp: now + 10 * 365 * 86_400 }, 'jwt_lifetime_too_long'],
    ['exp in milliseconds', { exp: (now + 60) * 1000 }, 'jwt_lifetime_too_long'],
    ['five minutes and a second', { exp: now + 301 }, 'jwt_lifetime_too_long'],
    ['five minutes', { exp: now + 300 }, 'accepted'],
    ['exp negative', { exp: -1 }, 'jwt_expired'],
    ['iat in text', { iat: String(now) }, 'jwt_claim_malformed'],
    ['iat with a fraction', { iat: now - 0.5 }, 'jwt_claim_malformed'],
    ['iat 1e300', { iat: 1e300 }, 'jwt_claim_malformed'],
    ['iat 61 s ahead', { iat: now + 61, exp: now + 120 }, 'jwt_iat_in_future'],
    ['iat 60 s ahead', { iat: now + 60, exp: now + 120 }, 'accepted'],
    ['iat 59 s ago', { iat: now - 59 }, 'accepted'],
    ['iat long ago', { iat: now - 361, exp: now + 10 }, 'jwt_too_old'],
    ['expired 59 s ago', { iat: now - 100, exp: now - 59 }, 'accepted'],
    ['expired 60 s ago', { iat: now - 100, exp: now - 60 }, 'jwt_expired'],
    ['nbf 61 s ahead', { nbf: now + 61 }, 'jwt_not_yet_valid'],
    ['nbf in text', { nbf: String(now) }, 'jwt_claim_malformed'],
  ];
  for (const [what, changed, reason] of times) {
    for (const [environment, sign] of [
      ['us', (claims: unknown) => signHmac(HS256, claims)],
      ['ec', (claims: unknown) => signEc(claims)],
    ] as const) {
      const act = () => arrive(environment, ({ claims }) => sign({ ...claims, ...changed }));
      if (reason === 'accepted') t.not(portalToken(await act()), '', `${environment}: ${what}`);
      else await denied(t, world, `${environment}: ${what}`, reason, act);
    }
  }
  for (const number of ['1e400', '-0', '0x10', '1_000', '١']) {
    const seen = await arrive('us', ({ claims }) =>
      signHmac(HS256, JSON.stringify({ ...claims, exp: 0 }).replace('"exp":0', `"exp":${number}`)),
    );
    t.match(seen, { status: 401, location: '' }, `exp ${number}`);
  }
  await alive(t, world);
});

t.test('case 22: another type, audience, issuer or key is refused', async (t) => {
  const PORTAL = 'https://portal.usepylon.com';
  for (const typ of ['at+jwt', 'logout+jwt', 'JOSE', 'application/jwt', 'dpop+jwt', '', 7, null]) {
    await denied(t, world, `typ ${typ}`, 'jwt_header_not_allowed', () =>
      arrive('us', ({ claims }) => signHmac({ alg: 'HS256', typ }, claims)),
    );
  }
  const claimsOf: readonly (readonly [string, Record<string, unknown>, Reason])[] = [
    ['a foreign audience beside ours', { aud: [ISSUER, 'https://evil.test/'] }, 'jwt_audience_mismatch'],
    ['a foreign audience before ours', { aud: ['https://evil.test/', ISSUER] }, 'jwt_audience_mismatch'],
    ['ours twice', { aud: [ISSUER, ISSUER] }, 'jwt_audience_mismatch'],
    ['the portal’s audience', { aud: PORTAL }, 'jwt_audience_mismatch'],
    ['ours without its slash', { aud: ISSUER.slice(0, -1) }, 'jwt_audience_mismatch'],
    ['ours in capitals', { aud: ISSUER.toUpperCase() }, 'jwt_audience_mismatch'],
    ['an empty list', { aud: [] }, 'jwt_audience_mismatch'],
    ['no audience', { aud: undefined }, 'jwt_missing_required_claim'],
    ['an audience of numbers', { aud: [1] }, 'jwt_claim_malformed'],
    ['another environment’s issuer', { iss: 'https://eu.acme.test/' }, 'jwt_issuer_mismatch'],
    ['the issuer without its slash', { iss: 'https://us.acme.test' }, 'jwt_issuer_mismatch'],
    ['the issuer in a list', { iss: ['https://us.acme.test/'] }, 'jwt_claim_malformed'],
    ['our own issuer', { iss: ISSUER }, 'jwt_issuer_mismatch'],
    ['no nonce', { nonce: undefined }, 'jwt_missing_required_claim'],
    ['another nonce', { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'jwt_nonce_mismatch'],
    ['an empty nonce', { nonce: '' }, 'jwt_nonce_mismatch'],
    ['a nonce in a list', { nonce: ['x'] }, 'jwt_claim_malformed'],
    ['no jti', { jti: undefined }, 'jwt_missing_required_claim'],
    ['an empty jti', { jti: '' }, 'jwt_claim_malformed'],
  ];
  for (const [what, changed, reason] of claimsOf) {
    await denied(t, world, what, reason, () =>
      arrive('us', ({ claims }) => signHmac(HS256, { ...claims, ...changed })),
    );
  }
  await denied(t, world, 'ours where the portal’s is configured', 'jwt_audience_mismatch', () =>
    arrive('audience', ({ claims }) => signHmac(HS256, claims, PYLON)),
  );
  for (const secret of [SECRETS.EU_SECRET, SECRETS.GLOBEX_SECRET, SECRETS.PORTAL_SECRET, SECRETS.SEAL_KEY, LEGACY]) {
    await denied(t, world, `signed with ${secret.slice(0, 20)}`, 'jwt_invalid_signature', () =>
      arrive('us', ({ claims }) => signHmac(HS256, claims, secret)),
    );
  }
  await denied(t, world, 'another environment’s whole token', 'jwt_invalid_signature', async () => {
    const browser = world.browser();
    const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
    return comeBackWith(browser, redirectUri, await environmentToken('eu', world.now, nonce));
  });
  t.not(portalToken(await arrive('us', ({ claims }) => signHmac(HS256, { ...claims, aud: [ISSUER] }))), '');
  await alive(t, world);
});

t.test('case 22: our own portal token is no environment’s token', async (t) => {
  const ours = portalToken(await arrive('us', ({ claims }) => signHmac(HS256, claims)));
  for (const environment of ['us', 'legacy', 'audience']) {
    await denied(t, world, environment, 'jwt_invalid_signature', () => arrive(environment, () => ours));
  }
});

t.test('case 23: PBES2, and an encrypted token that inflates, cost under 10 ms and 5 MB', async (t) => {
  const bomb = deflateRawSync(Buffer.alloc(8 * 1024 * 1024)).toString('base64url');
  const part = (bytes: number) => randomBytes(bytes).toString('base64url');
  const pbes2 = encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: part(16) });
  const rows: readonly (readonly [string, string, Reason])[] = [
    ['PBES2, encrypted', [pbes2, part(24), part(12), part(64), part(16)].join('.'), 'jwt_malformed'],
    ['PBES2, in three parts', `${pbes2}.${encode(right())}.${part(32)}`, 'jwt_header_not_allowed'],
    [
      'a JWE that inflates',
      [encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }), '', part(12), bomb, part(16)].join('.'),
      'jwt_malformed',
    ],
    ['a payload that inflates', forge({ ...HS256, zip: 'DEF' }, bomb, SECRETS.US_SECRET), 'jwt_header_not_allowed'],
    ['15,000 dots', '.'.repeat(15_000), 'jwt_malformed'],
    ['deep JSON', signHmac(HS256, `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`), 'jwt_malformed'],
  ];
  for (const [what, token, reason] of rows) {
    let fastest = Number.POSITIVE_INFINITY;
    const before = process.memoryUsage();
    for (let round = 0; round < 5; round++) {
      const browser = world.browser();
      const { redirectUri } = departure(await browser.get(`${LOGIN}&env=us`));
      const started = performance.now();
      await denied(t, world, what, reason, () => comeBackWith(browser, redirectUri, token, 'post'));
      fastest = Math.min(fastest, performance.now() - started);
    }
    const { external, arrayBuffers } = process.memoryUsage();
    t.ok(fastest < 10, `${what}: ${fastest.toFixed(1)} ms`);
    t.ok(external + arrayBuffers - before.external - before.arrayBuffers < 5 * 1024 * 1024, `${what}: memory`);
  }
  await alive(t, world);
});

searchForLeaks(t);
