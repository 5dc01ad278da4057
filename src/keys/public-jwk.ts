import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** One key as published: what it says about itself (RFC 7517 §4), and the key. */
export type PublicJwk = { readonly key: KeyObject; readonly kid?: string; readonly alg?: string };

/** RFC 7518 §6.2.2, §6.3.2 and §6.4.1: members that are secret, whatever the type. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** A JWK that may verify signatures → its key, or in words why it may not. Size and curve are not judged here. */
export function parsePublicJwk(value: unknown): PublicJwk | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a JWK is a JSON object';
  const jwk = value as Record<string, unknown>;
  if (jwk.keys !== undefined) return 'this is a JWK Set; give one of its keys, or the address of the set as `jwks_url`';
  if (jwk.kty === 'oct') return 'this JWK is a shared secret (kty oct), not a public key';
  if (SECRET_MEMBERS.some((name) => jwk[name] !== undefined))
    return 'this JWK holds a private key; publish the public one alone';
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'this JWK is not for signatures (use)';
  const operations = jwk.key_ops;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'this JWK is not for verifying (key_ops)';
  }
  const { kid, alg } = jwk;
  if ((kid !== undefined && typeof kid !== 'string') || (alg !== undefined && typeof alg !== 'string')) {
    return 'kid and alg of a JWK are text';
  }
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    return { key, ...(kid !== undefined && { kid }), ...(alg !== undefined && { alg }) };
  } catch {
    return 'this JWK is incomplete or of an unknown type';
  }
}
