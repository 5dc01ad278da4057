/**
 * A stand-in for one deployment of an operator's application. It speaks the handoff protocol:
 * `GET /sso/support?redirect_uri=…&nonce=…` comes back with a signed token.
 */
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { openApp } from './app.ts';
import type { AppLinks, Pending } from './environment-pages.ts';
import type { Look } from './layout.ts';
import type { Person } from './people.ts';
import type { Call, Party, Reply, RouteTable } from './server.ts';
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
  /** More pages of the app. */
  readonly pages?: (own: OwnApp) => RouteTable;
  /** Whole seconds since 1970. */
  readonly now: () => number;
};

/** What the app's own pages know and can do. */
export type OwnApp = {
  signedIn(call: Call): Person | undefined;
  /** A token for the router that answers no login of its: without a nonce. */
  tokenFor(person: Person): Promise<string>;
};

/** Lifetime of a handoff token. Seconds; the router accepts up to 300. */
const LIFETIME = 120;

type Sign = (claims: Readonly<Record<string, unknown>>) => Promise<string>;

export async function openEnvironment(options: EnvironmentOptions): Promise<Party> {
  const { port, name, look, people, router, links, now } = options;
  const { sign, publicKeys } = await openSigning(options.secret);
  const sessions = new Sessions<Person>(`demo_${name}`);

  function tokenFor(person: Person, nonce?: string): Promise<string> {
    const iat = now();
    return sign({
      iss: `http://127.0.0.1:${port}/`,
      aud: `${router}/`,
      iat,
      exp: iat + LIFETIME,
      jti: randomUUID(),
      ...(nonce !== undefined && { nonce }),
      name: person.name,
      ...person.claims,
    });
  }

  async function onward(person: Person, { fields: { redirect_uri, nonce } }: Pending): Promise<string> {
    const token = await tokenFor(person, nonce);
    return `${redirect_uri}&access_token=${token}`;
  }

  return openApp({
    port,
    look,
    people,
    links,
    router,
    sessions,
    door: { path: '/sso/support', param: 'redirect_uri', read: (params) => readPending(params, options), onward },
    routes: {
      ...(publicKeys && { 'GET /.well-known/jwks.json': () => publish(publicKeys) }),
      ...options.pages?.({ signedIn: (call) => sessions.of(call), tokenFor: (person) => tokenFor(person) }),
    },
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
  return {
    fields: { redirect_uri: redirectUri, nonce },
    cancel: `${redirectUri}&error=access_denied`,
    ...(loginHint !== null && { loginHint }),
  };
}

const publish = (keys: readonly JWK[]): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/jwk-set+json' },
  body: JSON.stringify({ keys }),
});

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
