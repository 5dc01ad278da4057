import { ENDPOINTS } from './addresses.ts';
import { claimsByScope } from './claims.ts';
import type { ProviderSettings } from './provider.ts';

/**
 * What the issuer's metadata says where there are relying parties (OpenID Connect Discovery 1.0 §3, RFC 8414 §2, RFC
 * 9207 §3, RP-Initiated Logout §2.1, Back- and Front-Channel Logout §2.1): what works here, for these relying parties.
 */
export function metadataOf({ publicOrigin, parties, claims }: ProviderSettings): Readonly<Record<string, unknown>> {
  const scopes = [...new Set(parties.flatMap((party) => party.scopes))];
  const byScope = claimsByScope(claims);
  const told = (['backchannelLogoutUri', 'frontchannelLogoutUri'] as const).map((uri) =>
    parties.some((party) => party[uri] !== undefined),
  );
  const [back, front] = told;
  return {
    authorization_endpoint: `${publicOrigin}${ENDPOINTS.authorization}`,
    token_endpoint: `${publicOrigin}${ENDPOINTS.token}`,
    userinfo_endpoint: `${publicOrigin}${ENDPOINTS.userinfo}`,
    end_session_endpoint: `${publicOrigin}${ENDPOINTS.end_session}`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: ['authorization_code', ...(scopes.includes('offline_access') ? ['refresh_token'] : [])],
    subject_types_supported: ['public'],
    scopes_supported: scopes,
    claims_supported: [...new Set([...scopes.flatMap((scope) => byScope[scope] ?? []), 'iss', 'auth_time', 'sid'])],
    token_endpoint_auth_methods_supported: [...new Set(parties.map(({ clientAuth }) => clientAuth))],
    code_challenge_methods_supported: ['S256'],
    prompt_values_supported: ['none', 'login', 'select_account', 'consent'],
    authorization_response_iss_parameter_supported: true,
    claims_parameter_supported: false,
    request_parameter_supported: false,
    // Its default would be true.
    request_uri_parameter_supported: false,
    ...(back && { backchannel_logout_supported: true, backchannel_logout_session_supported: true }),
    ...(front && { frontchannel_logout_supported: true, frontchannel_logout_session_supported: true }),
  };
}
