import type { KeyObject } from 'node:crypto';
import { type CryptoKey, compactVerify, errors, importJWK, type JWK } from 'jose';
import type { CompactToken } from './compact.ts';
import { keyFault } from './key-kind.ts';
import type { PublicKeyAlgorithm } from './keys.ts';

/** A public key and the algorithms that it may verify; imported into WebCrypto once for each of them. */
export type VerifyingKey = {
  readonly algorithms: ReadonlySet<string>;
  /** Imports for all algorithms now, so that a key that cannot be used fails here. */
  prepare(): Promise<void>;
  /** Whether this key made the token's signature. `token.header.alg` must be one of `algorithms`. */
  verify(token: CompactToken): Promise<boolean>;
};

/** Keeps those of `algorithms` that fit the key's type, curve and size; there may be none. */
export function openVerifyingKey(key: KeyObject, algorithms: readonly PublicKeyAlgorithm[]): VerifyingKey {
  const fitting = new Set<string>(algorithms.filter((algorithm) => keyFault(key, algorithm) === undefined));
  const jwk = fitting.size > 0 ? (key.export({ format: 'jwk' }) as JWK) : {};
  const imported = new Map<string, Promise<CryptoKey>>();

  function cryptoKey(algorithm: string): Promise<CryptoKey> {
    let found = imported.get(algorithm);
    if (!found) {
      found = importJWK(jwk, algorithm) as Promise<CryptoKey>;
      imported.set(algorithm, found);
    }
    return found;
  }

  return {
    algorithms: fitting,
    async prepare() {
      for (const algorithm of fitting) await cryptoKey(algorithm);
    },
    async verify({ text, header: { alg } }) {
      if (!fitting.has(alg)) return false;
      const key = await cryptoKey(alg);
      try {
        await compactVerify(text, key, { algorithms: [alg] });
        return true;
      } catch (error) {
        if (error instanceof errors.JOSEError) return false;
        throw error;
      }
    },
  };
}
