import type { PortalName } from '../core/names.ts';

/** Where the endpoints are, below the origin of `public_url`. The public keys are published at /.well-known/jwks.json. */
export const ENDPOINTS = {
  authorization: '/oidc/auth',
  token: '/oidc/token',
  userinfo: '/oidc/me',
  end_session: '/oidc/logout',
} as const;

/** A login path like those of other portals, though nobody has to know it: the authorization endpoint sends people there. */
export const loginPathOf = (portal: PortalName): string => `/oidc/login/${portal}`;

/** The parameter of the login path that names the authorization request. */
export const INTERACTION = 'interaction';

/** The parameter that brings its answer. */
export const ANSWER = 'answer';
