import type { EnvironmentName } from '../../core/names.ts';
import type { PublicKeyAlgorithm } from '../../keys/keys.ts';
import type { ClaimSources } from '../claim-sources.ts';

/** What routes.yaml says about an environment that is an OpenID provider, checked. */
export type OidcEntry = {
  /** The provider's issuer, byte for byte as in its metadata and its tokens. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientAuthentication: ClientAuthentication;
  /** Absent: the provider's metadata says them (OpenID Connect Discovery 1.0 §4). */
  readonly endpoints?: OidcEndpoints;
  /** RFC 9207 §2.4 for stated endpoints; a provider with metadata says it there. */
  readonly issParameter: 'sent' | 'not_sent' | 'as_advertised';
  /** What id_tokens may be signed with. */
  readonly algorithms: readonly PublicKeyAlgorithm[];
  /** `openid` among them. */
  readonly scopes: readonly string[];
  /** `when_needed`: asked only where the id_token has no email. */
  readonly userinfo: 'when_needed' | 'always' | 'never';
  readonly responseMode: 'query' | 'form_post';
  /** Claims that stand elsewhere than under their own name. */
  readonly claims: ClaimSources;
  /** Passed on as they are (OIDC Core §3.1.2.1). */
  readonly prompt?: string;
  readonly acrValues?: string;
  /** Seconds since the person last proved who they are, at the most; `auth_time` is then required. */
  readonly maxAge?: number;
  /** Whether a sign-out goes through the provider's end_session_endpoint, where it has one. */
  readonly logout: boolean;
};

export type OidcEndpoints = {
  readonly authorization: string;
  readonly token: string;
  readonly jwks: string;
  readonly userinfo?: string;
  readonly endSession?: string;
};

/** OIDC Core §9. */
export type ClientAuthentication =
  | { readonly method: 'none' }
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: string }
  | { readonly method: 'private_key_jwt'; readonly algorithm: PublicKeyAlgorithm; readonly privateKeyPem: string };

export type OidcSettings = OidcEntry & {
  readonly environment: EnvironmentName;
  /** Origin of `public_url`, without a trailing slash. */
  readonly publicOrigin: string;
};

/** The redirect URI to register with the provider. */
export const redirectUriOf = ({ publicOrigin, environment }: Pick<OidcSettings, 'publicOrigin' | 'environment'>) =>
  `${publicOrigin}/return/${environment}`;

/** The post-logout redirect URI to register with the provider. */
export const postLogoutUriOf = (settings: Pick<OidcSettings, 'publicOrigin' | 'environment'>) =>
  `${redirectUriOf(settings)}/logout`;
