import { DEFAULT_ASSERTION_AGE, type KeyPair, type SamlProvider } from '../protocols/saml/settings.ts';
import { claimSourcesOf, seconds, textFor } from './built-values.ts';
import type { CheckedLogin } from './checked.ts';
import type { EnvironmentEntry } from './schema.ts';
import type { Secrets } from './secrets.ts';

type SamlWritten = Extract<EnvironmentEntry['login'], { protocol: 'saml' }>;

/**
 * `login` with `protocol: saml`, faultless. `described`: what its metadata says. `ownLogout`: nothing else stands for
 * the provider's own; without a key to sign its requests with there is none (SAML Profiles §4.4.4.1).
 */
export function buildSaml(
  login: SamlWritten,
  secrets: Secrets,
  described: SamlProvider | undefined,
  ownLogout: boolean,
): Extract<CheckedLogin, { protocol: 'saml' }> {
  const { entity_id: entityId, private_key: key, certificate, decryption, name_id_format: nameIdFormat } = login;
  return {
    protocol: 'saml',
    provider: described ?? statedProvider(login, secrets),
    ...(entityId !== undefined && { entityId }),
    ...(key && { signing: buildPair(key, certificate, secrets) }),
    ...(decryption && { decryption: buildPair(decryption.private_key, decryption.certificate, secrets) }),
    signed: login.signed ?? 'assertion',
    ...(nameIdFormat !== undefined && { nameIdFormat }),
    attributes: claimSourcesOf(login.attributes),
    maxAge: login.max_age === undefined ? DEFAULT_ASSERTION_AGE : seconds(login.max_age),
    forceAuthn: login.force_authn ?? false,
    authnContexts: login.authn_contexts ?? [],
    logout: ownLogout && key !== undefined && login.single_logout === undefined,
  };
}

const buildPair = (key: object, certificate: object | undefined, secrets: Secrets): KeyPair => ({
  privateKey: textFor(key, secrets),
  certificate: textFor(certificate, secrets),
});

/** Empty where metadata says it all and was not read, as for questions about the routes alone. */
function statedProvider(login: SamlWritten, secrets: Secrets): SamlProvider {
  const { issuer = '', sso_url: signOnUrl = '', slo_url: logoutUrl, certificates = [] } = login;
  return {
    entityId: issuer,
    signOn: { url: signOnUrl, binding: login.sso_binding ?? 'redirect' },
    ...(logoutUrl !== undefined && { logout: { url: logoutUrl, binding: login.slo_binding ?? 'redirect' } }),
    certificates: certificates.map((certificate) => textFor(certificate, secrets)),
  };
}
