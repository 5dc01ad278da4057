/**
 * A portal made with openid-client, on loopback: sign-in, refresh, sign-out, and both kinds of being told of one.
 *
 *   const portal = await openClientPortal(t, { port, issuer, clientId, clientSecret });
 *   portal.origin         // its page; /login?<hints>, /refresh and /logout are what its buttons do
 *   portal.told           // sign-outs that it was told of, its own included: 'back' and 'front'
 *
 * It reads the provider's metadata when somebody signs in first.
 */
import { randomBytes } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { type Call, openServer, type Reply, redirect } from '../../examples/demo/server.ts';

export type ClientPortalOptions = {
  readonly port: number;
  /** With its slash. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
};

export type ClientPortal = {
  readonly origin: string;
  readonly told: ('back' | 'front')[];
  /** Everybody who is signed in here. */
  people(): { readonly email: unknown; readonly sid: unknown }[];
};

/** What of it stands in routes.yaml. */
export const clientPortalWords = (port: number) => ({
  redirect_uris: [`http://127.0.0.1:${port}/callback`],
  post_logout_redirect_uris: [`http://127.0.0.1:${port}/signed-out`],
  backchannel_logout_uri: `http://127.0.0.1:${port}/told-back`,
  frontchannel_logout_uri: `http://127.0.0.1:${port}/told-front`,
});

type Session = {
  readonly claims: client.IDToken;
  readonly about: client.UserInfoResponse;
  tokens: client.TokenEndpointResponse;
  refreshes: number;
};

const SESSION = 'portal_session';
const ASKED = 'portal_asked';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

export async function openClientPortal(
  t: { teardown(work: () => unknown): unknown },
  { port, issuer, clientId, clientSecret }: ClientPortalOptions,
): Promise<ClientPortal> {
  const origin = `http://127.0.0.1:${port}`;
  const sessions = new Map<string, Session>();
  const asked = new Map<string, { verifier: string; nonce: string; state: string }>();
  const told: ClientPortal['told'] = [];
  let discovered: Promise<client.Configuration> | undefined;
  const provider = () => {
    discovered ??= client.discovery(new URL(issuer), clientId, clientSecret, client.ClientSecretBasic(clientSecret), {
      execute: [client.allowInsecureRequests],
    });
    return discovered;
  };
  const sessionOf = ({ cookies }: Call) => sessions.get(cookies.get(SESSION) ?? '');
  const endSessions = (sid: unknown) => {
    for (const [id, { claims }] of sessions) if (claims.sid === sid) sessions.delete(id);
  };

  async function login({ url }: Call): Promise<Reply> {
    const id = randomBytes(16).toString('base64url');
    const request = {
      verifier: client.randomPKCECodeVerifier(),
      nonce: client.randomNonce(),
      state: client.randomState(),
    };
    asked.set(id, request);
    const to = client.buildAuthorizationUrl(await provider(), {
      ...Object.fromEntries(url.searchParams),
      redirect_uri: `${origin}/callback`,
      scope: 'openid email profile offline_access',
      code_challenge: await client.calculatePKCECodeChallenge(request.verifier),
      code_challenge_method: 'S256',
      nonce: request.nonce,
      state: request.state,
    });
    return redirect(to.href, { 'set-cookie': `${ASKED}=${id}; HttpOnly; Path=/` });
  }

  async function callback({ url, cookies }: Call): Promise<Reply> {
    const { verifier, nonce, state } = asked.get(cookies.get(ASKED) ?? '') ?? {};
    if (verifier === undefined || nonce === undefined || state === undefined) return page('Nobody asked', '');
    const checks = { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true };
    try {
      const tokens = await client.authorizationCodeGrant(await provider(), url, checks);
      const claims = tokens.claims();
      if (!claims) throw new Error('no id_token');
      const about = await client.fetchUserInfo(await provider(), tokens.access_token, claims.sub);
      const id = randomBytes(16).toString('base64url');
      sessions.set(id, { tokens, claims, about, refreshes: 0 });
      return redirect('/', { 'set-cookie': `${SESSION}=${id}; HttpOnly; Path=/` });
    } catch (error) {
      return page(`Refused: ${error instanceof client.AuthorizationResponseError ? error.error : String(error)}`, '');
    }
  }

  async function refresh(call: Call): Promise<Reply> {
    const session = sessionOf(call);
    if (!session) return redirect('/');
    try {
      session.tokens = await client.refreshTokenGrant(await provider(), session.tokens.refresh_token ?? '');
      await client.fetchUserInfo(await provider(), session.tokens.access_token, session.claims.sub);
      session.refreshes += 1;
      return redirect('/');
    } catch (error) {
      return page(`Refused: ${error instanceof client.ResponseBodyError ? error.error : String(error)}`, '');
    }
  }

  async function logout(call: Call): Promise<Reply> {
    const session = sessionOf(call);
    const to = client.buildEndSessionUrl(await provider(), {
      ...(session?.tokens.id_token !== undefined && { id_token_hint: session.tokens.id_token }),
      post_logout_redirect_uri: `${origin}/signed-out`,
      state: 'bye',
    });
    return redirect(to.href);
  }

  async function toldBack({ form }: Call): Promise<Reply> {
    const { jwks_uri: jwks = '' } = (await provider()).serverMetadata();
    const { payload } = await jwtVerify(form.get('logout_token') ?? '', createRemoteJWKSet(new URL(jwks)), {
      issuer,
      audience: clientId,
      typ: 'logout+jwt',
      maxTokenAge: 120,
      requiredClaims: ['sid', 'jti', 'exp'],
    });
    const { events, sid, nonce } = payload;
    if (nonce !== undefined || !Object.hasOwn(Object(events), EVENT)) return { status: 400 };
    endSessions(sid);
    told.push('back');
    return { status: 200 };
  }

  function toldFront({ url }: Call): Reply {
    if (url.searchParams.get('iss') !== issuer) return { status: 400 };
    endSessions(url.searchParams.get('sid'));
    told.push('front');
    return page('Gone', '');
  }

  const server = await openServer(port, {
    'GET /': (call) => {
      const session = sessionOf(call);
      return session
        ? page(`Signed in as ${session.about.email}`, `<p>Refreshed ${session.refreshes} times ${SIGNED_IN}`)
        : page('Nobody is signed in', '<p><a href="/login">Log in</a>');
    },
    'GET /login': login,
    'GET /callback': callback,
    'GET /refresh': refresh,
    'GET /logout': logout,
    'GET /signed-out': ({ url }) => page(`You are signed out: ${url.searchParams.get('state')}`, ''),
    'POST /told-back': toldBack,
    'GET /told-front': toldFront,
  });
  t.teardown(() => server.close());
  return {
    origin,
    told,
    people: () => [...sessions.values()].map(({ claims, about }) => ({ email: about.email, sid: claims.sid })),
  };
}

const SIGNED_IN = '<p><a href="/refresh">Refresh</a> <a href="/logout">Log out</a>';

const page = (heading: string, body: string): Reply => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html><html lang="en"><title>Help</title><link rel="icon" href="data:,"><h1>${heading}</h1>${body}`,
});
