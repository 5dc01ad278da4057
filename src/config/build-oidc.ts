import { PUBLIC_KEY_ALGORITHMS } from '../keys/keys.ts';
import type { ClientAuthentication, OidcEndpoints } from '../protocols/oidc/settings.ts';
import { claimSourcesOf, seconds, textFor } from './built-values.ts';
import type { CheckedLogin } from './checked.ts';
import { clientAlgorithm, clientMethod } from './oidc-rules.ts';
import type { EnvironmentEntry } from './schema.ts';
import type { Secrets } from './secrets.ts';

type OidcWritten = Extract<EnvironmentEntry['login'], { protocol: 'oidc' }>;

const DEFAULT_SCOPES = ['openid', 'email', 'profile'] as const;

/** `login` with `protocol: oidc`, faultless. `ownLogout`: nothing else stands for the provider's own. */
export function buildOidc(
  login: OidcWritten,
  secrets: Secrets,
  ownLogout: boolean,
): Extract<CheckedLogin, { protocol: 'oidc' }> {
  const { endpoints, prompt, acr_values: acr, max_age: maxAge } = login;
  return {
    protocol: 'oidc',
    issuer: login.issuer,
    clientId: login.client_id,
    clientAuthentication: buildClientAuthentication(login, secrets),
    ...(endpoints && { endpoints: buildEndpoints(endpoints) }),
    issParameter: endpoints ? (login.iss_parameter ?? 'sent') : 'as_advertised',
    algorithms: login.algorithms ?? PUBLIC_KEY_ALGORITHMS,
    scopes: login.scopes ?? DEFAULT_SCOPES,
    userinfo: login.userinfo ?? 'when_needed',
    responseMode: login.response_mode ?? 'query',
    claims: claimSourcesOf(login.claims),
    ...(prompt !== undefined && { prompt }),
    ...(acr !== undefined && { acrValues: typeof acr === 'string' ? acr : acr.join(' ') }),
    ...(maxAge !== undefined && { maxAge: seconds(maxAge) }),
    logout: ownLogout && login.end_session === undefined,
  };
}

function buildEndpoints({
  end_session: endSession,
  ...endpoints
}: NonNullable<OidcWritten['endpoints']>): OidcEndpoints {
  const { authorization, token, jwks, userinfo } = endpoints;
  return {
    authorization,
    token,
    jwks,
    ...(userinfo !== undefined && { userinfo }),
    ...(endSession !== undefined && { endSession }),
  };
}

function buildClientAuthentication(login: OidcWritten, secrets: Secrets): ClientAuthentication {
  const method = clientMethod(login);
  switch (method) {
    case 'none':
      return { method };
    case 'private_key_jwt': {
      const privateKeyPem = textFor(login.private_key, secrets);
      // Of what stands in for a key nothing can be told, and nothing is signed with it.
      const algorithm = login.client_algorithm ?? clientAlgorithm(privateKeyPem) ?? 'RS256';
      return { method, algorithm, privateKeyPem };
    }
    default:
      return { method, secret: textFor(login.client_secret, secrets) };
  }
}
