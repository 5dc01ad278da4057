/**
 * HMAC signatures (RFC 7518 §3.2) by node:crypto and prepared KeyObjects: synchronous, and a fraction of what
 * WebCrypto's job queue costs. A differential test holds this file to jose.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../core/reason.ts';
import type { CompactToken } from './compact.ts';
import type { HmacAlgorithm, Signer, Verifier } from './keys.ts';

const HASHES = {
  HS256: { name: 'sha256', bytes: 32 },
  HS384: { name: 'sha384', bytes: 48 },
  HS512: { name: 'sha512', bytes: 64 },
} as const satisfies Record<HmacAlgorithm, unknown>;

/** A secret, byte for byte, as the key that the functions of this file take. Made once, when the routes are read. */
export const hmacKey = (secret: Buffer): KeyObject => createSecretKey(secret);

/**
 * Why a secret cannot serve these algorithms, for the operator; `undefined` when it can. It must be as long as
 * the longest hash (RFC 7518 §3.2, a MUST), and it must not be a public key that was put in the wrong place.
 */
export function hmacSecretFault(algorithms: readonly HmacAlgorithm[], secret: Buffer): string | undefined {
  if (secret.includes('-----BEGIN ')) {
    return 'the secret is a PEM file; HMAC needs a shared random text (a public key belongs under `public_key`)';
  }
  return shortFault(algorithms, secret.length);
}

/** Signs with header `{alg, typ}`. Throws an `Error` for a key below the algorithm's hash size. */
export function hmacSigner(algorithm: HmacAlgorithm, key: KeyObject): Signer {
  requireLength([algorithm], key);
  const prefix = `${Buffer.from(JSON.stringify({ alg: algorithm, typ: 'JWT' })).toString('base64url')}.`;
  const hash = HASHES[algorithm].name;
  return {
    algorithm,
    sign(claims) {
      const signingInput = prefix + Buffer.from(claims).toString('base64url');
      return `${signingInput}.${createHmac(hash, key).update(signingInput).digest('base64url')}`;
    },
  };
}

/**
 * Verifies synchronously. The token's `alg` must be in the list (RFC 8725 §3.1), else the refusal is
 * `jwt_algorithm_not_allowed`; another signature is `jwt_invalid_signature`.
 */
export function hmacVerifier(algorithms: readonly HmacAlgorithm[], key: KeyObject): Verifier {
  requireLength(algorithms, key);
  const hashes: ReadonlyMap<string, string> = new Map(
    algorithms.map((algorithm) => [algorithm, HASHES[algorithm].name]),
  );
  return {
    verify({ header, signingInput, signature }: CompactToken) {
      const hash = hashes.get(header.alg);
      if (hash === undefined) throw new Refusal('jwt_algorithm_not_allowed');
      const expected = createHmac(hash, key).update(signingInput).digest();
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
        throw new Refusal('jwt_invalid_signature');
      }
    },
  };
}

function requireLength(algorithms: readonly HmacAlgorithm[], key: KeyObject): void {
  const fault = shortFault(algorithms, key.symmetricKeySize ?? 0);
  if (fault) throw new Error(fault);
}

function shortFault(algorithms: readonly HmacAlgorithm[], bytes: number): string | undefined {
  const longest = algorithms.reduce((most, algorithm) =>
    HASHES[algorithm].bytes > HASHES[most].bytes ? algorithm : most,
  );
  const wanted = HASHES[longest].bytes;
  return bytes < wanted
    ? `the secret has ${bytes} bytes; ${longest} needs at least ${wanted} (RFC 7518 §3.2)`
    : undefined;
}
