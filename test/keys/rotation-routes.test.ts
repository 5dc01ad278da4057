/** `signing.next` in routes.yaml, and a portal that signs its requests with the secret that is about to change. */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import t from 'tap';
import { readQuery } from '../../src/portals/query.ts';
import { accepted, checkText, goodWith, noticesOf, refused } from '../config/routes-text.ts';
import { changed, open, set } from '../portals/invented.ts';
import { refusal } from '../portals/refusal.ts';

const NOW = 1_764_000_000;
const AT = '2026-12-01T10:00Z';
const LATER = Date.parse('2026-12-01T10:00:00Z') / 1000;

const signing = (text: string): string =>
  goodWith(['signing: { algorithm: HS256, secret: { env: PORTAL } }', `signing: { ${text} }`]);
const hmac = (next: string): string => signing(`algorithm: HS256, secret: { env: PORTAL }, next: { ${next} }`);
const rsa = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

t.test('a planned secret or key is read beside the present one', (t) => {
  const { portals } = accepted(checkText(hmac(`secret: { env: OTHER }, at: ${AT}`), { now: NOW })).routes;
  const [portal] = portals.values();
  t.match(portal?.signing, { algorithm: 'HS256', next: { at: LATER } });
  t.equal(portal?.settings.nextSecret?.toString(), 'other-secret-0123456789-0123456789');
  t.equal(portal?.settings.secret?.toString(), 'portal-secret-0123456789-0123456789');

  const files = { 'old.pem': rsa(), 'new.pem': rsa() };
  const text = signing(
    `algorithm: PS256, private_key: { file: old.pem }, next: { private_key: { file: new.pem }, at: ${AT} }`,
  );
  const [other] = accepted(checkText(text, { now: NOW, files })).routes.portals.values();
  t.match(other?.signing, {
    privateKeyPem: files['old.pem'].trimEnd(),
    next: { privateKeyPem: files['new.pem'].trimEnd(), at: LATER },
  });
  t.end();
});

t.test('a plan that cannot come true is a fault of the file, at its place', (t) => {
  const files = { 'old.pem': rsa(), 'new.pem': rsa(), 'small.pem': 'no key' };
  for (const [text, path, message] of [
    [hmac('secret: { env: OTHER }'), 'portals.support.signing.next.at', /required/],
    [hmac(`at: ${AT}`), 'portals.support.signing.next.secret', /required, and missing/],
    [hmac(`secret: { env: OTHER }, at: 2026-12-01T10:00`), 'portals.support.signing.next.at', /zone/],
    [hmac(`secret: { env: OTHER }, at: tomorrow`), 'portals.support.signing.next.at', /must be a date/],
    [hmac(`secret: { env: SHORT }, at: ${AT}`), 'portals.support.signing.next.secret', /31 bytes/],
    [hmac(`secret: { env: PORTAL }, at: ${AT}`), 'portals.support.signing.next.secret', /the same secret as/],
    [hmac(`secret: { env: US }, at: ${AT}`), 'environments.us.login.secret', /the same secret as/],
    [hmac(`secret: { env: NOT_SET }, at: ${AT}`), 'portals.support.signing.next.secret.env', /NOT_SET is not set/],
    [hmac(`secret: written-here, at: ${AT}`), 'portals.support.signing.next.secret', /must be \{ env: NAME \}/],
    [
      hmac(`private_key: { file: new.pem }, secret: { env: OTHER }, at: ${AT}`),
      'portals.support.signing.next.private_key',
      /uses no/,
    ],
    [
      signing(`algorithm: PS256, next: { private_key: { file: new.pem }, at: ${AT} }`),
      'portals.support.signing.next',
      /keeps this portal’s keys itself/,
    ],
    [
      signing(
        `algorithm: PS256, private_key: { file: old.pem }, next: { private_key: { file: small.pem }, at: ${AT} }`,
      ),
      'portals.support.signing.next.private_key',
      /no private key/,
    ],
    [
      signing(`algorithm: PS256, private_key: { file: old.pem }, next: { private_key: { file: old.pem }, at: ${AT} }`),
      'portals.support.signing.next.private_key',
      /the same secret as/,
    ],
  ] as const) {
    const problems = refused(checkText(text, { now: NOW, files }));
    t.match(problems, [{ path, message }], `${path} ${message}`);
    t.equal(problems.length, 1, 'once');
  }
  t.end();
});

t.test('a cut-over that is over is a notice', (t) => {
  const text = hmac(`secret: { env: OTHER }, at: ${AT}`);
  const path = 'portals.support.signing.next.at';
  t.same(noticesOf(checkText(text, { now: LATER })), [`${path}: has taken over: at has passed`]);
  t.same(noticesOf(checkText(text, { now: LATER - 1 })), []);
  t.end();
});

const RETURN = 'https://acme.portal.test/sso';
const OLD = Buffer.from('o'.repeat(40));
const NEXT = Buffer.from('n'.repeat(40));
const OTHER = Buffer.from('x'.repeat(40));
const url = { kind: 'absolute', allow: ['https://{config.subdomain}.portal.test/sso'] };
const returnParam = { role: 'redirect_uri', required: true, url };

t.test('a portal may sign its requests with either secret while one takes the place of the other', async (t) => {
  const jwtPortal = changed(
    set('authn_request', {
      encoding: 'signed_jwt',
      jwt_param: 'jwt',
      algs: ['HS256'],
      max_lifetime: 600,
      params: { rurl: returnParam },
    }),
    set('token.claims', { email: { from: 'user.email', required: true } }),
    set('token.replay', 'none'),
    set('authn_response', { mode: 'fragment', token_param: 'jwt', target: { from_param: 'rurl', url: RETURN } }),
  );
  const portal = open(jwtPortal, { secret: OLD, nextSecret: NEXT });
  const single = open(jwtPortal, { secret: OLD });
  const asked = async (secret: Buffer, claims: object = {}) => {
    const token = await new SignJWT({ rurl: RETURN, iat: NOW, exp: NOW + 60, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(secret);
    return new Map([['jwt', token]]);
  };
  const arrival = { search: '', now: NOW };
  for (const secret of [OLD, NEXT]) t.match(portal.readRequest(await asked(secret), arrival).params, { rurl: RETURN });
  const foreign = await asked(OTHER);
  t.equal(
    refusal(() => portal.readRequest(foreign, arrival)),
    'jwt_invalid_signature',
  );
  const next = await asked(NEXT);
  t.equal(
    refusal(() => single.readRequest(next, arrival)),
    'jwt_invalid_signature',
    'only where it is planned',
  );
  const late = await asked(NEXT, { exp: NOW - 61 });
  t.equal(
    refusal(() => portal.readRequest(late, arrival)),
    'jwt_expired',
    'and what else is wrong is still said',
  );
});

t.test('the same for DiscourseConnect', (t) => {
  const discourse = open(
    changed(
      set('authn_request', {
        encoding: 'discourse_connect',
        params: { nonce: { role: 'nonce', required: true }, return_sso_url: returnParam },
      }),
      set('token.format', 'discourse_connect'),
      set('token.claims', {
        nonce: { from: 'request.nonce', required: true },
        email: { from: 'user.email', required: true },
      }),
      set('token.replay', 'nonce'),
      set('authn_response', {
        mode: 'query',
        token_param: 'sso',
        signature_param: 'sig',
        form_post_param: 'sso',
        target: { from_param: 'return_sso_url', url: RETURN },
      }),
    ),
    { secret: OLD, nextSecret: NEXT },
  );
  const sso = Buffer.from(`nonce=n&return_sso_url=${encodeURIComponent(RETURN)}`).toString('base64');
  const asked = (secret: Buffer) =>
    readQuery(`sso=${encodeURIComponent(sso)}&sig=${createHmac('sha256', secret).update(sso).digest('hex')}`);
  for (const secret of [OLD, NEXT]) t.match(discourse.readRequest(asked(secret)).params, { nonce: 'n' });
  t.equal(
    refusal(() => discourse.readRequest(asked(OTHER))),
    'jwt_invalid_signature',
  );
  t.end();
});
