import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import type { Test } from 'tap';
import { serve } from '../outbound/servers.ts';

export type SlowApp = {
  /** Without a trailing slash. */
  readonly origin: string;
  /** Its part of routes.yaml. */
  readonly routes: Readonly<Record<string, unknown>>;
  /** What was posted to it, in order. */
  readonly posts: ('hung' | 'taken')[];
  /** How often a browser came to its logout page, `/logout`, which never answers, or to `/logout-empty`: 204. */
  readonly came: { hanging: number; empty: number };
  /** Resolves once a browser waits at `/logout`. */
  waitedFor(): Promise<void>;
  /** Resolves once it has taken a logout token that it believes. */
  taken(): Promise<void>;
};

const EMAIL = 'hal@slow.example';

/**
 * An app with sessions of its own that is told of sign-outs behind the person's back, and answers nothing the first
 * time it is. It signs everybody in as Hal.
 */
export async function openSlowApp(t: Test, router: string, secret: string): Promise<SlowApp> {
  const sessions = new Set<string>();
  const posts: SlowApp['posts'] = [];
  const came = { hanging: 0, empty: 0 };
  let taken = () => {};
  const done = new Promise<void>((resolve) => {
    taken = resolve;
  });
  let waits = () => {};
  const waited = new Promise<void>((resolve) => {
    waits = resolve;
  });
  const keys = createRemoteJWKSet(new URL(`${router}/oidc/jwks`));
  const { url } = await serve(t, async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://slow');
    const session = /slow-session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    if (pathname === '/sso') {
      const id = randomUUID();
      sessions.add(id);
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      const jwt = new SignJWT({ email: EMAIL, sub: 'hal', nonce: searchParams.get('nonce') })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer('slow')
        .setAudience(`${router}/`)
        .setIssuedAt()
        .setExpirationTime('60s')
        .setJti(randomUUID());
      back.searchParams.set('access_token', await jwt.sign(Buffer.from(secret)));
      response.writeHead(302, { location: back.href, 'set-cookie': `slow-session=${id}; HttpOnly` }).end();
    } else if (pathname === '/logout') {
      came.hanging += 1;
      waits();
    } else if (pathname === '/logout-empty') {
      came.empty += 1;
      response.writeHead(204).end();
    } else if (pathname === '/backchannel-logout') {
      if (posts.push(posts.length === 0 ? 'hung' : 'taken') === 1) return;
      let body = '';
      for await (const chunk of request) body += chunk;
      const token = new URLSearchParams(body).get('logout_token') ?? '';
      await jwtVerify(token, keys, { issuer: `${router}/`, audience: 'slow', subject: 'hal', typ: 'logout+jwt' });
      sessions.clear();
      response.end();
      taken();
    } else {
      const heading = sessions.has(session) ? 'Signed in at Slow' : 'Signed out of Slow';
      response.setHeader('content-type', 'text/html');
      response.end(
        `<!doctype html><html lang="en"><title>Slow</title><link rel="icon" href="data:,"><h1>${heading}</h1>`,
      );
    }
  });
  const origin = url.slice(0, -1);
  return {
    origin,
    posts,
    came,
    waitedFor: () => waited,
    taken: () => done,
    routes: {
      title: 'Slow',
      app_url: `${origin}/`,
      login: {
        protocol: 'handoff',
        url: `${origin}/sso`,
        issuer: 'slow',
        algorithms: ['HS256'],
        secret: { env: 'SLOW_SECRET' },
        allow_private: true,
      },
      logout: { back: { url: `${origin}/backchannel-logout` } },
      may_assert: { email_domains: ['slow.example'], claims: [] },
      listed: false,
    },
  };
}
