/** A router with relying parties beside the usual portal, and what a relying party does, by hand. */
import { createHash, randomBytes } from 'node:crypto';
import type { Browser, Seen } from '../support/browser.ts';
import { leaksOf } from '../support/leaks.ts';
import {
  changedRoutes,
  departure,
  environmentToken,
  openWorld,
  type RoutesTree,
  type TokenParts,
  type UsualEnvironment,
  type World,
  type WorldOptions,
} from '../support/world.ts';

export const HELP = 'https://help.acme.test/signed-in';
export const HELP_GONE = 'https://help.acme.test/signed-out';
export const DOCS = 'https://docs.acme.test/cb';
export const HELP_SECRET = 'canary-help-client-secret-0123456789abcdef';
export const VARIABLES = { HELP_SECRET } as const;

/** `help` can keep a secret; `docs` is a page of its own, for people of eu alone. */
export const partyRoutes = (change: (routes: RoutesTree) => void = () => {}): string =>
  changedRoutes((routes) => {
    Object.assign(routes.portals, {
      help: {
        title: 'Acme Help',
        oidc: {
          client_id: 'help',
          client_secret: { env: 'HELP_SECRET' },
          redirect_uris: [HELP, `${HELP}?kind=b`],
          post_logout_redirect_uris: [HELP_GONE],
          scopes: ['openid', 'email', 'profile', 'offline_access'],
        },
      },
      docs: {
        title: 'Acme Docs',
        oidc: { client_id: 'docs', client_auth: 'none', redirect_uris: [DOCS], algorithm: 'ES256' },
        environments: ['eu'],
      },
    });
    change(routes);
  });

export const openPartyWorld = (
  t: Parameters<typeof openWorld>[0],
  { routes = partyRoutes(), variables = {}, ...options }: WorldOptions = {},
): Promise<World> => openWorld(t, { ...options, routes, variables: { ...VARIABLES, ...variables } });

export type Params = Readonly<Record<string, string | undefined>>;

const VERIFIER = randomBytes(32).toString('base64url');
export const PKCE = {
  verifier: VERIFIER,
  challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
} as const;

/** An authorization request of `help` (of `docs`: `client_id: 'docs'`), changed; `undefined` leaves a parameter out. */
export function authorizeUrl(changed: Params = {}): string {
  const isDocs = changed.client_id === 'docs';
  const params: Params = {
    client_id: 'help',
    redirect_uri: isDocs ? DOCS : HELP,
    response_type: 'code',
    scope: 'openid email profile',
    state: 'rp-state',
    nonce: 'rp-nonce',
    code_challenge: PKCE.challenge,
    code_challenge_method: 'S256',
    ...changed,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, value);
  return `/oidc/auth?${query}`;
}

/** From the authorization endpoint to the door of an environment. */
export async function leaveFor(browser: Browser, environment: UsualEnvironment, changed: Params = {}): Promise<Seen> {
  const asked = await browser.get(authorizeUrl({ domain_hint: environment, ...changed }));
  return browser.get(asked.location);
}

/** And back: to where the provider goes on with the authorization request. */
export async function signedIn(
  world: World,
  browser: Browser,
  environment: UsualEnvironment,
  left: Seen,
  parts: TokenParts = {},
): Promise<Seen> {
  const { redirectUri, nonce } = departure(left);
  return browser.get(`${redirectUri}&access_token=${await environmentToken(environment, world.now, nonce, parts)}`);
}

/** All of it; ends at the relying party. */
export async function signIn(
  world: World,
  browser: Browser,
  environment: UsualEnvironment,
  changed: Params = {},
  parts: TokenParts = {},
): Promise<URL> {
  const seen = await signedIn(world, browser, environment, await leaveFor(browser, environment, changed), parts);
  return new URL((await browser.get(seen.location)).location);
}

export const codeOf = (back: URL): string => back.searchParams.get('code') ?? '';

export const basic = (id = 'help', secret = HELP_SECRET): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

/** A request to the token endpoint, from a server: without cookies. */
export async function tokenRequest(
  world: World,
  form: Params,
  headers: Readonly<Record<string, string>> = basic(),
): Promise<{ status: number; body: Record<string, unknown>; seen: Seen }> {
  const fields = Object.entries(form).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const seen = await world.browser().post('/oidc/token', Object.fromEntries(fields), { headers, cookies: 'none' });
  return { status: seen.status, body: JSON.parse(seen.body) as Record<string, unknown>, seen };
}

export const redeem = (world: World, code: string, changed: Params = {}, headers = basic()) =>
  tokenRequest(
    world,
    { grant_type: 'authorization_code', code, redirect_uri: HELP, code_verifier: PKCE.verifier, ...changed },
    headers,
  );

export async function userinfo(world: World, token: unknown): Promise<Seen> {
  return world.browser().get('/oidc/me', { headers: { authorization: `Bearer ${token}` }, cookies: 'none' });
}

/** What of all that was answered, and of the configured secrets, stands in the log; nothing, when all is well. */
export function foundInLog({ lines, exchanges, variables }: World): string[] {
  const log = lines.join('\n');
  const told = exchanges.flatMap(({ seen: { headers, body, location } }) => [
    ...[headers['set-cookie'] ?? []].flat().map((line) => line.slice(line.indexOf('=') + 1).split(';', 1)[0]),
    ...[...body.matchAll(/"(?:access|refresh|id)_token":"([^"]+)"/g)].map(([, token]) => token),
    ...[...location.matchAll(/[?&/](?:code|interaction|auth)[=/]([^&?]+)/g)].map(([, value]) => value),
  ]);
  const found = told.filter((value) => value !== undefined && value.length >= 16 && log.includes(value));
  return [...leaksOf({ lines, exchanges: [], variables }), ...(found as string[])];
}
