import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../core/reason.ts';
import { parseStrictObject } from '../../keys/strict-json.ts';
import type { OidcEndpoints, OidcEntry } from './settings.ts';

/** What the router has to know of a provider before it sends anybody there. */
export type Provider = OidcEndpoints & {
  /** Whether each of its answers has to name it in `iss` (RFC 9207 §2.4). */
  readonly namesItself: boolean;
};

type Rules = Pick<OidcEntry, 'issuer' | 'issParameter'>;

/** A provider whose endpoints stand in the routes. Its answers name it, unless the operator says that they do not. */
export const statedProvider = (endpoints: OidcEndpoints, { issParameter }: Rules): Provider => ({
  ...endpoints,
  namesItself: issParameter !== 'not_sent',
});

/** Where a provider's metadata stands (OpenID Connect Discovery 1.0 §4). */
export const metadataUrl = ({ issuer }: Rules): string =>
  `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

/**
 * Metadata (OpenID Connect Discovery 1.0 §3) → provider. `issuer` has to be the operator's byte for byte (§4.3, and
 * RFC 9700 §4.4.2.1: else one provider could stand in for another). An endpoint is an https URL without user info and
 * fragment; plain http is believed only of a provider whose issuer, written by the operator, is plain http itself.
 * Throws `Refusal` (`metadata_refused`).
 */
export function parseMetadata(body: Buffer, rules: Rules): Provider {
  const said = isUtf8(body) ? parseStrictObject(body.toString('utf8')) : 'not UTF-8';
  if (typeof said === 'string') throw refused(said);
  if (said.issuer !== rules.issuer) throw refused('its issuer is another');

  const optional = (name: string): string | undefined => {
    const value = said[name];
    if (value === undefined || value === null || value === '') return undefined;
    if (!isEndpoint(value, rules)) throw refused(name);
    return value;
  };
  const required = (name: string): string => {
    const endpoint = optional(name);
    if (endpoint === undefined) throw refused(`${name} is absent`);
    return endpoint;
  };

  const userinfo = optional('userinfo_endpoint');
  const endSession = optional('end_session_endpoint');
  const advertises = said.authorization_response_iss_parameter_supported === true;
  return {
    authorization: required('authorization_endpoint'),
    token: required('token_endpoint'),
    jwks: required('jwks_uri'),
    ...(userinfo !== undefined && { userinfo }),
    ...(endSession !== undefined && { endSession }),
    namesItself: rules.issParameter === 'sent' || (rules.issParameter === 'as_advertised' && advertises),
  };
}

function isEndpoint(value: unknown, { issuer }: Rules): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  const secure = protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'));
  return secure && username === '' && password === '' && !value.includes('#');
}

const refused = (detail: string): Refusal => new Refusal('metadata_refused', detail);
