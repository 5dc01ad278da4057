import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { Portal } from '../core/portal.ts';
import type { RelyingParty } from '../provider/provider.ts';
import type { Found } from './build-routes.ts';
import { buildTrust } from './build-trust.ts';
import { textFor } from './built-values.ts';
import type { CheckedRelyingParty } from './checked.ts';
import type { RoutesFile } from './schema.ts';

type PortalEntry = RoutesFile['portals'][string];
type OidcEntry = NonNullable<PortalEntry['oidc']>;

/** A portal with `oidc`, faultless. */
export function buildRelyingParty(
  name: PortalName,
  { title, environments, logout_path: logoutPath, home_url: homeUrl }: PortalEntry,
  oidc: OidcEntry,
  all: Iterable<EnvironmentName>,
  secrets: Found['secrets'],
): CheckedRelyingParty {
  const portal: Portal = {
    name,
    title: title ?? name,
    environments: new Set((environments as EnvironmentName[] | undefined) ?? all),
  };
  return {
    portal,
    party: buildParty(name, oidc, secrets),
    trust: buildTrust(oidc, secrets),
    ...(logoutPath !== undefined && { logoutPath }),
    ...(homeUrl !== undefined && { homeUrl }),
  };
}

function buildParty(portal: PortalName, oidc: OidcEntry, secrets: Found['secrets']): RelyingParty {
  const { client_secret: secret, backchannel_logout_uri: back, frontchannel_logout_uri: front } = oidc;
  return {
    portal,
    clientId: oidc.client_id,
    ...(secret && { clientSecret: textFor(secret, secrets) }),
    clientAuth: oidc.client_auth ?? 'client_secret_basic',
    redirectUris: oidc.redirect_uris,
    postLogoutRedirectUris: oidc.post_logout_redirect_uris ?? [],
    ...(back !== undefined && { backchannelLogoutUri: back }),
    ...(front !== undefined && { frontchannelLogoutUri: front }),
    scopes: oidc.scopes ?? ['openid', 'email', 'profile'],
    algorithm: oidc.algorithm ?? 'RS256',
  };
}
