import { createHash } from 'node:crypto';
import { randomToken } from '../../keys/random.ts';
import type { BeginLogin } from '../delegate.ts';
import type { Provider } from './provider.ts';
import { type OidcSettings, redirectUriOf } from './settings.ts';

/**
 * The authentication request (OpenID Connect Core §3.1.2.1) of the code flow, with PKCE (RFC 7636 §4.3, S256). The
 * code verifier travels in the sealed state. A query that the authorization endpoint has already is kept (RFC 6749
 * §3.1), but parameters of ours win over it.
 */
export function authenticationRequest(provider: Provider, settings: OidcSettings, login: BeginLogin): string {
  // 32 bytes are 43 characters (RFC 7636 §4.1).
  const verifier = randomToken(32);
  const parameters: Readonly<Record<string, string | undefined>> = {
    response_type: 'code',
    client_id: settings.clientId,
    redirect_uri: redirectUriOf(settings),
    scope: settings.scopes.join(' '),
    state: login.state(verifier),
    nonce: login.nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    response_mode: settings.responseMode === 'form_post' ? 'form_post' : undefined,
    prompt: settings.prompt,
    acr_values: settings.acrValues,
    max_age: settings.maxAge?.toString(),
    login_hint: login.loginHint,
  };
  return withParameters(provider.authorization, parameters);
}

/** The URL with these parameters, each once; those that are `undefined` are left out. */
export function withParameters(endpoint: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.href;
}
