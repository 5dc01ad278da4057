import { CompactSign, importPKCS8 } from 'jose';
import type { Instant } from '../core/time.ts';
import type { Signer } from '../keys/keys.ts';
import { openSigner } from '../keys/signer.ts';

/** The member of `events` that makes a token a logout token (Back-Channel Logout 1.0 §2.4). */
export const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** Seconds that a logout token is good for; §4 asks for two minutes at the most. */
export const TOKEN_LIFETIME = 120;

/** Who is gone, in the words of the party that is told; at least one of the two (§2.4). */
export type Gone = { readonly subject?: string; readonly sid?: string };

/** What logout tokens may be signed with. RS256 is what every OpenID Connect library takes (OIDC Core §15.1). */
export const LOGOUT_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export type LogoutAlgorithm = (typeof LOGOUT_ALGORITHMS)[number];

/**
 * The claims of a logout token (Back-Channel Logout 1.0 §2.4). There is no `nonce` in it, so that nobody takes it for
 * an ID token. `toe` is when the session ended (RFC 8417 §2.2): a party that is told late can leave alone a session
 * that began after it.
 */
export function logoutClaims(
  parties: { readonly issuer: string; readonly audience: string },
  { subject, sid }: Gone,
  minted: { readonly id: string; readonly now: Instant; readonly endedAt: Instant },
) {
  return {
    iss: parties.issuer,
    aud: parties.audience,
    iat: minted.now,
    exp: minted.now + TOKEN_LIFETIME,
    jti: minted.id,
    toe: minted.endedAt,
    events: { [LOGOUT_EVENT]: {} },
    ...(subject !== undefined && { sub: subject }),
    ...(sid !== undefined && { sid }),
  };
}

/**
 * Opens what signs logout tokens, with a private key in PKCS #8 PEM. The header is `{alg, typ: "logout+jwt", kid}`:
 * §2.4 recommends that type so that no other kind of token is taken for this one (RFC 8725 §3.11).
 */
export async function openLogoutSigner(algorithm: LogoutAlgorithm, privateKeyPem: string): Promise<Signer> {
  const { publicJwk = {} } = await openSigner(algorithm, { privateKeyPem });
  const key = await importPKCS8(privateKeyPem, algorithm);
  const header = { alg: algorithm, typ: 'logout+jwt', kid: String(publicJwk.kid) };
  const encoder = new TextEncoder();
  return {
    algorithm,
    sign: (claims) => new CompactSign(encoder.encode(claims)).setProtectedHeader(header).sign(key),
    publicJwk,
  };
}
