/**
 * A stand-in for one deployment of an operator's application: it has people, a login page and a session of its
 * own, and speaks the handoff protocol: `GET /sso/support?redirect_uri=…&nonce=…` comes back with a signed token.
 */
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type AppLinks, homePage, loginPage, type Pending, refusePage } from './environment-pages.ts';
import type { Look } from './layout.ts';
import type { Person } from './people.ts';
import { type Call, openServer, type Party, type Reply, redirect, sameOrigin } from './server.ts';
import { Sessions } from './sessions.ts';

export type EnvironmentOptions = {
  readonly port: number;
  /** As in routes.yaml. */
  readonly name: string;
  readonly look: Look;
  readonly people: readonly Person[];
  /** The router's origin, without a trailing slash. */
  readonly router: string;
  /** For HS256. Without it, an ES256 key is made and published at /.well-known/jwks.json. */
  readonly secret?: string;
  readonly links: AppLinks;
  /** Whole seconds since 1970. */
  readonly now: () => number;
};

/** Lifetime of a handoff token. Seconds; the router accepts up to 300. */
const LIFETIME = 120;

type Sign = (claims: Readonly<Record<string, unknown>>) => Promise<string>;

export async function openEnvironment(options: EnvironmentOptions): Promise<Party> {
  const { people, look, links } = options;
  const issuer = `http://127.0.0.1:${options.port}/`;
  const sessions = new Sessions<Person>(`demo_${options.name}`);
  const { sign, publicKeys } = await openSigning(options.secret);

  async function handOff(
    person: Person,
    { redirectUri, nonce }: Pending,
    headers?: { 'set-cookie': string },
  ): Promise<Reply> {
    const iat = options.now();
    const token = await sign({
      iss: issuer,
      aud: `${options.router}/`,
      iat,
      exp: iat + LIFETIME,
      jti: randomUUID(),
      nonce,
      name: person.name,
      ...person.claims,
    });
    return redirect(`${redirectUri}&access_token=${token}`, headers);
  }

  function startSso(call: Call): Reply | Promise<Reply> {
    const pending = readPending(call.url.searchParams, options);
    if (!pending)
      return refusePage(look, 'This redirect_uri is not the router’s return address for us, or the nonce is missing.');
    const person = sessions.of(call);
    return person ? handOff(person, pending) : loginPage(look, people, pending);
  }

  function logIn(call: Call): Reply | Promise<Reply> {
    if (!sameOrigin(call)) return refusePage(look, 'This form is not ours.');
    const person = people.find(({ id }) => id === call.form.get('person'));
    if (!person) return refusePage(look, 'There is no such person here.');
    const session = sessions.begin(person);
    if (!call.form.has('redirect_uri')) return redirect('/', session);
    const pending = readPending(call.form, options);
    return pending ? handOff(person, pending, session) : refusePage(look, 'This redirect_uri is not the router’s.');
  }

  /** The router's front-channel logout, so it acts on GET. It leads back to the router and nowhere else. */
  function logOut(call: Call): Reply {
    const returnTo = call.url.searchParams.get('return_to') ?? '';
    const allowed = URL.canParse(returnTo) && new URL(returnTo).origin === options.router;
    return redirect(allowed ? returnTo : '/', sessions.end(call));
  }

  return openServer(options.port, {
    'GET /': (call) => homePage(look, sessions.of(call), links),
    'GET /sso/support': startSso,
    'GET /login': () => loginPage(look, people),
    'POST /login': logIn,
    'GET /logout': logOut,
    'POST /sign-out': (call) =>
      sameOrigin(call) ? redirect('/', sessions.end(call)) : refusePage(look, 'This form is not ours.'),
    ...(publicKeys && {
      'GET /.well-known/jwks.json': (): Reply => ({
        status: 200,
        headers: { 'content-type': 'application/jwk-set+json' },
        body: JSON.stringify({ keys: publicKeys }),
      }),
    }),
  });
}

/**
 * What the router asked for, if it was the router: a redirect_uri that could be anything would hand our tokens to
 * anybody (RFC 9700 §2.1 asks for exact matching; the state in the query differs every time).
 */
function readPending(params: URLSearchParams, { router, name }: EnvironmentOptions): Pending | undefined {
  const redirectUri = params.get('redirect_uri') ?? '';
  const nonce = params.get('nonce') ?? '';
  if (nonce === '' || !redirectUri.startsWith(`${router}/return/${name}?`) || redirectUri.includes('#'))
    return undefined;
  const loginHint = params.get('login_hint');
  return { redirectUri, nonce, ...(loginHint !== null && { loginHint }) };
}

async function openSigning(secret: string | undefined): Promise<{ sign: Sign; publicKeys?: readonly JWK[] }> {
  if (secret !== undefined) {
    const key = Buffer.from(secret, 'utf8');
    return { sign: (claims) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key) };
  }
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    sign: (claims) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid }).sign(privateKey),
    publicKeys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }],
  };
}
