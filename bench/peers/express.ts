/**
 * The router that teams write: Express 5, jsonwebtoken, cookie-parser. It makes every check that a careful team
 * makes (return address on the list, state signed and bound to the browser, one algorithm, issuer, audience,
 * nonce, age, single use, email domain); it writes no audit line, counts nothing and sends no security headers.
 *
 * `node express.ts string` takes secrets as text, as every example does; `node express.ts key-object` prepares
 * them once, which is as fast as jsonwebtoken gets.
 */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import cookieParser from 'cookie-parser';
import express from 'express';
import jwt, { type JwtPayload } from 'jsonwebtoken';
import { ENVIRONMENT_SECRET, ISSUER, ORIGIN, PORTAL_SECRET } from '../world.ts';

const prepared = process.argv[2] === 'key-object';
const secret = (text: string) => (prepared ? createSecretKey(Buffer.from(text)) : text);

const STATE_SECRET = secret('bench-state-secret-0123456789-0123456789-0123456789');
const PORTAL_KEY = secret(PORTAL_SECRET);
const ENVIRONMENTS = new Map([
  [
    'us',
    {
      loginUrl: 'https://us.acme.test/sso/support',
      issuer: 'https://us.acme.test/',
      secret: secret(ENVIRONMENT_SECRET),
      domain: 'us.example',
    },
  ],
]);
const STATE_LIFETIME_S = 600;

const used = new Map<string, number>();
const isUsed = (id: string): boolean => (used.get(id) ?? 0) > Date.now();
setInterval(() => {
  for (const [id, until] of used) if (until <= Date.now()) used.delete(id);
}, 60_000).unref();

function isAllowed(redirectUri: unknown): redirectUri is string {
  if (typeof redirectUri !== 'string' || !URL.canParse(redirectUri)) return false;
  const { origin, pathname, searchParams, username, hash } = new URL(redirectUri);
  if (origin !== 'https://graph.usepylon.com' || pathname !== '/callback/jwt' || username || hash) return false;
  return searchParams.get('orgSlug') === 'acme' && !searchParams.has('access_token') && !searchParams.has('jwt');
}

const app = express();
app.use(cookieParser());

app.get('/callback', (request, response) => {
  const { redirect_uri: redirectUri, env } = request.query;
  const environment = ENVIRONMENTS.get(String(env));
  if (!isAllowed(redirectUri) || !environment) {
    response.status(400).send('Bad request');
    return;
  }
  const id = randomUUID();
  const nonce = randomBytes(16).toString('base64url');
  const state = jwt.sign({ redirectUri, env, nonce }, STATE_SECRET, {
    algorithm: 'HS256',
    expiresIn: STATE_LIFETIME_S,
    jwtid: id,
  });
  response.cookie('login', id, { httpOnly: true, secure: true, sameSite: 'none', maxAge: STATE_LIFETIME_S * 1000 });
  const back = `${ORIGIN}/return/${env}?state=${state}`;
  response.redirect(`${environment.loginUrl}?redirect_uri=${encodeURIComponent(back)}&nonce=${nonce}`);
});

app.get('/return/:environment', (request, response) => {
  const environment = ENVIRONMENTS.get(request.params.environment);
  try {
    if (!environment) throw new Error('unknown environment');
    const state = jwt.verify(String(request.query.state), STATE_SECRET, { algorithms: ['HS256'] }) as JwtPayload;
    if (state.env !== request.params.environment) throw new Error('another environment');
    if (!state.jti || request.cookies.login !== state.jti) throw new Error('another browser');
    const token = jwt.verify(String(request.query.access_token), environment.secret, {
      algorithms: ['HS256'],
      issuer: environment.issuer,
      audience: ISSUER,
      nonce: state.nonce,
      maxAge: '5m',
      clockTolerance: 60,
    }) as JwtPayload;
    if (!token.jti || isUsed(token.jti) || isUsed(state.jti)) throw new Error('used before');
    const email = String(token.email).toLowerCase();
    if (!email.endsWith(`@${environment.domain}`)) throw new Error('not theirs');
    if (!isAllowed(state.redirectUri)) throw new Error('not allowed any more');
    used.set(token.jti, Date.now() + 360_000);
    used.set(state.jti, Date.now() + STATE_LIFETIME_S * 1000);

    const portalToken = jwt.sign({ email, account_external_id: token.account_external_id }, PORTAL_KEY, {
      algorithm: 'HS256',
      expiresIn: 60,
      issuer: ISSUER,
      audience: 'https://portal.usepylon.com',
      jwtid: randomUUID(),
    });
    response.clearCookie('login', { httpOnly: true, secure: true, sameSite: 'none' });
    response.redirect(`${state.redirectUri}&access_token=${portalToken}`);
  } catch {
    response.status(401).send('Not signed in');
  }
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
