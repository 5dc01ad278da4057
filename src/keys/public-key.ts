import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Refusal } from '../core/reason.ts';
import { isPublicKeyAlgorithm, keyFault } from './key-kind.ts';
import type { PublicKeyAlgorithm, Verifier } from './keys.ts';
import { parsePublicJwk } from './public-jwk.ts';
import { openVerifyingKey } from './verifying-key.ts';

/**
 * A verifier that holds one public key: a PEM key (SubjectPublicKeyInfo), a PEM certificate, or a JWK. The
 * certificate is a wrapper only: its dates and its chain are not looked at, since the operator chose the key.
 * Throws an `Error` with the text of `publicKeyFault`.
 */
export async function openPublicKey(text: string, algorithms: readonly PublicKeyAlgorithm[]): Promise<Verifier> {
  const key = readPublicKey(text, algorithms);
  if (typeof key === 'string') throw new Error(key);
  const verifyingKey = openVerifyingKey(key, algorithms);
  await verifyingKey.prepare();
  return {
    async verify(token) {
      if (!verifyingKey.algorithms.has(token.header.alg)) throw new Refusal('jwt_algorithm_not_allowed');
      if (!(await verifyingKey.verify(token))) throw new Refusal('jwt_invalid_signature');
    },
  };
}

/** What is wrong with an environment's `public_key`, and what to do; `undefined` when it can be opened. */
export function publicKeyFault(text: string, algorithms: readonly PublicKeyAlgorithm[]): string | undefined {
  const key = readPublicKey(text, algorithms);
  return typeof key === 'string' ? key : undefined;
}

function readPublicKey(text: string, algorithms: readonly PublicKeyAlgorithm[]): KeyObject | string {
  const wrong = algorithms.find((algorithm) => !isPublicKeyAlgorithm(algorithm));
  if (wrong !== undefined || algorithms.length === 0) {
    return `a public key cannot verify ${wrong ?? 'without an algorithm'}; list RS*, PS*, ES* or EdDSA under \`algorithms\``;
  }
  const key = text.trimStart().startsWith('{') ? readJwk(text, algorithms) : readPem(text);
  if (typeof key === 'string') return key;
  for (const algorithm of algorithms) {
    const fault = keyFault(key, algorithm);
    if (fault) return fault;
  }
  return key;
}

function readPem(text: string): KeyObject | string {
  // createPublicKey() would quietly take the public half out of a private key.
  if (text.includes('PRIVATE KEY-----')) {
    return 'this is a private key, which only the environment may hold; give its public key (openssl pkey -pubout), and replace the key if it has been copied';
  }
  try {
    return text.includes('-----BEGIN CERTIFICATE-----') ? new X509Certificate(text).publicKey : createPublicKey(text);
  } catch {
    return 'this is no PEM public key (-----BEGIN PUBLIC KEY-----), PEM certificate or JWK';
  }
}

function readJwk(text: string, algorithms: readonly string[]): KeyObject | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'this looks like a JWK and is not JSON';
  }
  const jwk = parsePublicJwk(value);
  if (typeof jwk === 'string') return jwk;
  const { key, alg } = jwk;
  return alg === undefined || algorithms.includes(alg)
    ? key
    : `this JWK is for ${alg.slice(0, 20)}, which \`algorithms\` does not list`;
}
