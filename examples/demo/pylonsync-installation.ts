/**
 * A stand-in for an application that is built on pylonsync: a product that has nothing to do with Pylon but the name.
 * It mints a JWT for whoever is signed in (`POST /api/auth/jwt`), and its discovery document advertises an authorization
 * and a token endpoint that do not exist: “Authorization-code flow, dynamic client registration, and token endpoint are
 * not implemented.” So it is an environment that signs (`handoff`), never an OpenID provider. What its owner adds is the
 * one address that sends the person back with that JWT.
 */
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { openApp } from './app.ts';
import type { AppLinks, Pending } from './environment-pages.ts';
import type { Look } from './layout.ts';
import { INITRODE_PEOPLE, type Person } from './people.ts';
import { type Call, type Party, type Reply, sameOrigin } from './server.ts';
import { Sessions } from './sessions.ts';

export type PylonsyncOptions = {
  readonly port: number;
  /** As in environments/initrode.yaml. */
  readonly name: string;
  /** The router's origin, without a trailing slash. */
  readonly router: string;
  readonly links: AppLinks;
  /** For HS256, its default: nothing is published then. Without it, an RSA key is made, and its public part published. */
  readonly secret?: string;
  /** Whole seconds since 1970. */
  readonly now: () => number;
};

const LOOK: Look = { party: 'Initrode', role: 'stand-in for an app built on pylonsync', accent: '#2f5d62' };

const LIFETIME = 3600;

export async function openPylonsyncInstallation(options: PylonsyncOptions): Promise<Party> {
  const { port, name, router, links, now } = options;
  const sessions = new Sessions<Person>(`demo_${name}`);
  const { alg, mint, keys } = await openMint(options.secret);

  const mintFor = ({ id, name, claims }: Person): Promise<string> => {
    const iat = now();
    return mint({ iss: 'pylon', sub: `user_${id}`, iat, exp: iat + LIFETIME, roles: ['member'], name, ...claims });
  };

  async function mintForCaller(call: Call): Promise<Reply> {
    const person = sessions.of(call);
    if (!person || !sameOrigin(call)) return json({ error: 'nobody is signed in' }, 401);
    return json({ token: await mintFor(person), expires_in: LIFETIME });
  }

  /** “Request's Host header → https://<host>”: what the router never does. */
  function discover({ headers }: Call): Reply {
    const issuer = `http://${headers.host}`;
    return json({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/oidc/jwks`,
      scopes_supported: ['openid', 'email', 'profile'],
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [alg],
    });
  }

  /** Only to the router: a JWT that goes anywhere would be anybody's. */
  function read(params: URLSearchParams): Pending | undefined {
    const redirectUri = params.get('redirect_uri') ?? '';
    if (!redirectUri.startsWith(`${router}/return/${name}?`) || redirectUri.includes('#')) return undefined;
    return { fields: { redirect_uri: redirectUri }, cancel: `${redirectUri}&error=access_denied` };
  }

  return openApp({
    port,
    look: LOOK,
    people: INITRODE_PEOPLE,
    links,
    router,
    sessions,
    door: {
      path: '/support-login',
      param: 'redirect_uri',
      read,
      onward: async (person, { fields }) => `${fields.redirect_uri}&access_token=${await mintFor(person)}`,
    },
    routes: {
      'POST /api/auth/jwt': mintForCaller,
      'GET /.well-known/openid-configuration': discover,
      'GET /oidc/jwks': () => json({ keys }),
    },
  });
}

type Mint = {
  readonly alg: string;
  readonly mint: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly keys: readonly JWK[];
};

async function openMint(secret: string | undefined): Promise<Mint> {
  if (secret !== undefined) {
    const key = Buffer.from(secret, 'utf8');
    const mint: Mint['mint'] = (claims) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key);
    return { alg: 'HS256', mint, keys: [] };
  }
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const header = { alg: 'RS256', typ: 'JWT', kid: 'pylon-default' };
  return {
    alg: 'RS256',
    mint: (claims) => new SignJWT({ ...claims }).setProtectedHeader(header).sign(privateKey),
    keys: [{ ...(await exportJWK(publicKey)), kid: header.kid, alg: 'RS256', use: 'sig' }],
  };
}

const json = (body: object, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
