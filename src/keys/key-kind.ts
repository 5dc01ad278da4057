import type { KeyObject } from 'node:crypto';
import type { PublicKeyAlgorithm } from './keys.ts';

/** RFC 7518 §3.3 and §3.5: 2048 bits or more are a MUST. The upper end is ours: a larger key only costs time. */
const RSA_BITS = { least: 2048, most: 8192 };

type Kind = { readonly type: 'rsa' | 'ec' | 'ed25519'; readonly curve?: string; readonly called: string };

const RSA: Kind = { type: 'rsa', called: 'an RSA key' };

/** What each algorithm signs with (RFC 7518 §3.1, RFC 8037 §3.1; EdDSA with Ed25519 alone). */
const KINDS: Readonly<Record<PublicKeyAlgorithm, Kind>> = {
  RS256: RSA,
  RS384: RSA,
  RS512: RSA,
  PS256: RSA,
  PS384: RSA,
  PS512: RSA,
  ES256: { type: 'ec', curve: 'prime256v1', called: 'an EC key on P-256' },
  ES384: { type: 'ec', curve: 'secp384r1', called: 'an EC key on P-384' },
  ES512: { type: 'ec', curve: 'secp521r1', called: 'an EC key on P-521' },
  EdDSA: { type: 'ed25519', called: 'an Ed25519 key' },
};

export const isPublicKeyAlgorithm = (name: string): name is PublicKeyAlgorithm => Object.hasOwn(KINDS, name);

/** Why a public or private key cannot serve an algorithm, for the operator; `undefined` when it can. */
export function keyFault(key: KeyObject, algorithm: PublicKeyAlgorithm): string | undefined {
  const kind = KINDS[algorithm];
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== kind.type || namedCurve !== kind.curve) {
    const has = [key.asymmetricKeyType ?? 'secret', namedCurve].filter(Boolean).join(' ');
    return `${algorithm} needs ${kind.called}; this is ${has}`;
  }
  if (kind.type !== 'rsa') return undefined;
  if (modulusLength < RSA_BITS.least || modulusLength > RSA_BITS.most) {
    return `the RSA key has ${modulusLength} bits; ${RSA_BITS.least} to ${RSA_BITS.most} are accepted (RFC 7518 §3.3)`;
  }
  // With exponent 1 anybody could sign.
  return publicExponent < 3n ? `the RSA key has the exponent ${publicExponent}` : undefined;
}
