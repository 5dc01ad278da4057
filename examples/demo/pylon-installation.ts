/**
 * A stand-in for a customer's installation that was integrated with Pylon before there was a router, and knows of none:
 * it takes no return address but the portal's, and signs for the portal's audience, without nonce and jti, for ten
 * hours. It listens where only the router reaches it, and its people come through the router.
 */
import { SignJWT } from 'jose';
import { openApp } from './app.ts';
import type { Pending } from './environment-pages.ts';
import type { Look } from './layout.ts';
import { LIVE_CLOCK, openLiveClock } from './live-clock.ts';
import { type Person, SOYLENT_PEOPLE } from './people.ts';
import type { Party } from './server.ts';
import { Sessions } from './sessions.ts';

export type PylonInstallationOptions = {
  readonly port: number;
  /** What browsers call it: its host at the router. */
  readonly origin: string;
  /** Origins, without a trailing slash. The router's is only where a sign-out may go on. */
  readonly router: string;
  readonly portal: string;
  /** The portal's return address; everything after its `orgSlug` may differ. */
  readonly callback: string;
  /** What it takes for the secret that it shares with Pylon. */
  readonly secret: string;
  /** Whole seconds since 1970. */
  readonly now: () => number;
};

const LOOK: Look = { party: 'Soylent', role: 'stand-in for an installation behind the router', accent: '#5b5a12' };

const LIFETIME = 10 * 3600;

export async function openPylonInstallation(options: PylonInstallationOptions): Promise<Party> {
  const { port, origin, router, portal, callback, secret, now } = options;
  const handOff = (redirectUri: string): string => `/sso/support?redirect_uri=${encodeURIComponent(redirectUri)}`;
  // As Pylon's article has it: the app signs by itself, and goes straight to the portal.
  const links = {
    helpCenter: handOff(callback),
    article: handOff(`${callback}&to=/articles/refunds`),
    portalLogin: `${portal}/login`,
  };

  function read(params: URLSearchParams): Pending | undefined {
    const redirectUri = params.get('redirect_uri') ?? '';
    if (redirectUri !== callback && !redirectUri.startsWith(`${callback}&`)) return undefined;
    return { fields: { redirect_uri: redirectUri } };
  }

  async function onward(person: Person, { fields }: Pending): Promise<string> {
    const iat = now();
    const jwt = new SignJWT({ ...person.claims, iss: `${origin}/`, aud: 'https://portal.usepylon.com', iat });
    const token = await jwt
      .setExpirationTime(iat + LIFETIME)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(Buffer.from(secret, 'utf8'));
    return `${fields.redirect_uri}&access_token=${token}`;
  }

  const clock = openLiveClock();
  const party = await openApp({
    port,
    origin,
    look: LOOK,
    people: SOYLENT_PEOPLE,
    links,
    router,
    sessions: new Sessions('demo_soylent'),
    home: '/app',
    door: { path: '/sso/support', param: 'redirect_uri', read, onward },
    login: LIVE_CLOCK,
    routes: { 'GET /staff-only': () => ({ status: 200, body: 'Nobody outside should ever read this.\n' }) },
    upgrade: clock.upgrade,
  });
  return {
    origin,
    async close() {
      clock.close();
      await party.close();
    },
  };
}
