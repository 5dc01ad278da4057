import type { ClientAuth } from 'openid-client';
import type { Instant } from '../../core/time.ts';
import { randomToken } from '../../keys/random.ts';
import { openSigner } from '../../keys/signer.ts';
import type { ClientAuthentication, OidcSettings } from './settings.ts';

/** How the router proves itself at a token endpoint, at this moment. */
export type ProveClient = (now: Instant) => ClientAuth;

/** Seconds for which a signed proof holds. */
const PROOF_LIFETIME = 60;

/** Opens the proof of one client (OpenID Connect Core §9). Throws an `Error` for a key that cannot sign. */
export async function openClientAuthentication(settings: OidcSettings): Promise<ProveClient> {
  const { ClientSecretBasic, ClientSecretPost, None } = await import('openid-client');
  const authentication: ClientAuthentication = settings.clientAuthentication;
  switch (authentication.method) {
    case 'none':
      return () => None();
    case 'client_secret_basic':
      return () => ClientSecretBasic(authentication.secret);
    case 'client_secret_post':
      return () => ClientSecretPost(authentication.secret);
    case 'private_key_jwt': {
      const { algorithm, privateKeyPem } = authentication;
      const signer = await openSigner(algorithm, { privateKeyPem });
      return (now) => async (_server, _client, body) => {
        body.set('client_id', settings.clientId);
        body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
        body.set('client_assertion', await signer.sign(JSON.stringify(proofClaims(settings, now))));
      };
    }
  }
}

/**
 * RFC 7523 §3. The audience is the issuer alone and never an address that the provider's metadata names: a provider
 * could name another one's token endpoint there, and use the proof itself.
 */
const proofClaims = ({ clientId, issuer }: OidcSettings, now: Instant) => ({
  iss: clientId,
  sub: clientId,
  aud: issuer,
  iat: now,
  exp: now + PROOF_LIFETIME,
  jti: randomToken(16),
});
