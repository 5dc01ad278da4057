import { errors } from 'oidc-provider';
import { type Reason, Refusal } from '../core/reason.ts';

/**
 * What the library threw, as the router's own no. What is not one of its expected errors comes back as it is: a bug.
 * `detail` is the protocol's words for it, which hold no code and no token.
 */
export function refusalOf(error: unknown): unknown {
  if (error instanceof Refusal || !(error instanceof errors.OIDCProviderError) || !error.expose) return error;
  return new Refusal(reasonOf(error), detailOf(error));
}

export function reasonOf(error: errors.OIDCProviderError): Reason {
  if (error instanceof errors.InvalidRedirectUri) return 'redirect_uri_not_listed';
  if (error instanceof errors.SessionNotFound) return 'login_expired';
  return BY_CODE[error.error] ?? 'request_malformed';
}

/** RFC 6749 §4.1.2.1 and §5.2, OIDC Core §3.1.2.6, RFC 6750 §3.1. */
const BY_CODE: Readonly<Record<string, Reason>> = {
  invalid_client: 'client_refused_here',
  unauthorized_client: 'client_refused_here',
  invalid_grant: 'grant_refused',
  invalid_token: 'grant_refused',
  login_required: 'not_signed_in',
  interaction_required: 'not_signed_in',
  consent_required: 'not_signed_in',
};

export const detailOf = ({ error, error_description: said }: errors.OIDCProviderError): string =>
  said === undefined || said === error ? error : `${error}: ${said}`;
