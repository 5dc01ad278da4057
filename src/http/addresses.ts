import { type EnvironmentName, type PortalName, parseEnvironmentName, parsePortalName } from '../core/names.ts';
import { ENDPOINTS } from '../provider/addresses.ts';

/** Everything that the public listener answers to, as contract.md lists it. */
export type Address =
  | { readonly at: 'login'; readonly portal: PortalName }
  | { readonly at: 'logout'; readonly portal: PortalName }
  | { readonly at: 'logout_run'; readonly run: string }
  | { readonly at: 'return'; readonly environment: EnvironmentName }
  | { readonly at: 'logout_return'; readonly environment: EnvironmentName }
  | { readonly at: 'description'; readonly environment: EnvironmentName }
  /** Where an environment says that a person signed out. */
  | { readonly at: 'backchannel_logout'; readonly environment: EnvironmentName }
  /** What an environment fetches that cannot be reached: who signed out. */
  | { readonly at: 'feed' | 'feed_ack'; readonly environment: EnvironmentName }
  | { readonly at: 'enter'; readonly environment: EnvironmentName; readonly portal: PortalName }
  | { readonly at: 'exchange' }
  /** Of the provider, where there are relying parties. */
  | { readonly at: 'authorize' | 'token' | 'userinfo' | 'end_session' }
  | { readonly at: 'resume'; readonly uid: string }
  | { readonly at: 'metadata' }
  | { readonly at: 'jwks' };

/** What stands beside an environment's return address, by its last segment. */
const RETURN_ROOMS: ReadonlyMap<string, 'logout_return' | 'description'> = new Map([
  ['logout', 'logout_return'],
  ['metadata', 'description'],
]);

/** Where a token is traded for a portal token. */
export const EXCHANGE = '/api/auth/jwt';

/** What an authorization request goes on at, by its name. */
const RESUMED = `${ENDPOINTS.authorization}/`;

const SEALED = /^[A-Za-z0-9_-]+$/;

/** The addresses that have a name of their own: the portals' paths and the metadata; `provides`: the provider's, too. */
export function fixedAddresses(
  portals: Iterable<{ readonly name: PortalName; readonly loginPath: string; readonly logoutPath?: string }>,
  provides = false,
): Map<string, Address> {
  const addresses = new Map<string, Address>([
    ['/.well-known/openid-configuration', { at: 'metadata' }],
    ['/.well-known/jwks.json', { at: 'jwks' }],
    ['/oidc/jwks', { at: 'jwks' }],
    [EXCHANGE, { at: 'exchange' }],
  ]);
  if (provides) {
    addresses.set(ENDPOINTS.authorization, { at: 'authorize' });
    for (const at of ['token', 'userinfo', 'end_session'] as const) addresses.set(ENDPOINTS[at], { at });
  }
  for (const { name, loginPath, logoutPath } of portals) {
    addresses.set(loginPath, { at: 'login', portal: name });
    if (logoutPath !== undefined) addresses.set(logoutPath, { at: 'logout', portal: name });
  }
  return addresses;
}

/** The raw path → what it addresses. Compared as it was sent: no decoding, no dot segments, no trailing slash. */
export function findAddress(fixed: ReadonlyMap<string, Address>, path: string): Address | undefined {
  const known = fixed.get(path);
  if (known) return known;
  if (path.startsWith(RESUMED) && fixed.has(ENDPOINTS.authorization)) {
    const uid = path.slice(RESUMED.length);
    return SEALED.test(uid) ? { at: 'resume', uid } : undefined;
  }
  const [before, room, first = '', second, more] = path.split('/', 5);
  if (before !== '' || more !== undefined) return undefined;
  if (room === 'return') {
    const environment = parseEnvironmentName(first);
    const at = second === undefined ? 'return' : RETURN_ROOMS.get(second);
    return environment && at && { at, environment };
  }
  if (room === 'logout-feed') {
    const environment = parseEnvironmentName(first);
    const at = second === undefined ? 'feed' : second === 'ack' ? 'feed_ack' : undefined;
    return environment && at && { at, environment };
  }
  if (room === 'backchannel-logout' && second === undefined) {
    const environment = parseEnvironmentName(first);
    return environment && { at: 'backchannel_logout', environment };
  }
  if (room === 'enter' && second !== undefined) {
    const environment = parseEnvironmentName(first);
    const portal = parsePortalName(second);
    return environment && portal && { at: 'enter', environment, portal };
  }
  if (room === 'logout' && second === undefined && SEALED.test(first)) return { at: 'logout_run', run: first };
  return undefined;
}

/** The methods that an address takes, besides HEAD and OPTIONS. */
export const METHODS: Readonly<Record<Address['at'], readonly string[]>> = {
  login: ['GET', 'POST'],
  logout: ['GET'],
  logout_run: ['GET'],
  return: ['GET', 'POST'],
  logout_return: ['GET', 'POST'],
  description: ['GET'],
  backchannel_logout: ['POST'],
  feed: ['GET'],
  feed_ack: ['POST'],
  enter: ['GET', 'POST'],
  exchange: ['POST'],
  authorize: ['GET', 'POST'],
  resume: ['GET'],
  token: ['POST'],
  userinfo: ['GET', 'POST'],
  end_session: ['GET', 'POST'],
  metadata: ['GET'],
  jwks: ['GET'],
};
