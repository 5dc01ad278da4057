/** The thread that signs; signing-thread.ts is the router's side of it. */
import { constants, type SignKeyObjectInput, sign } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import type { PublicKeyAlgorithm } from './keys.ts';
import type { SignatureNews, SignatureOrder } from './signing-thread.ts';

/** How the families of algorithms sign (RFC 7518 §3.3 to §3.5, RFC 8037 §3.1). */
const WAYS: Readonly<Record<string, Omit<SignKeyObjectInput, 'key'>>> = {
  RS: { padding: constants.RSA_PKCS1_PADDING },
  PS: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  ES: { dsaEncoding: 'ieee-p1363' },
  Ed: {},
};

const hashOf = (algorithm: PublicKeyAlgorithm): string | null =>
  algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`;

function makeSignature({ id, algorithm, key, input }: SignatureOrder): SignatureNews {
  try {
    const signature = sign(hashOf(algorithm), Buffer.from(input), { ...WAYS[algorithm.slice(0, 2)], key });
    return { id, signature: signature.toString('base64url') };
  } catch {
    // Whoever makes it in our place finds out what is wrong.
    return { id };
  }
}

/** Linux names a running thread by a link, `<process>/task/<thread>` (proc(5)). Others do not. */
function ownId(): number | undefined {
  try {
    return Number(basename(readlinkSync('/proc/thread-self')));
  } catch {
    return undefined;
  }
}

const tell = (news: SignatureNews) => parentPort?.postMessage(news);

parentPort?.on('message', (order: SignatureOrder) => tell(makeSignature(order)));
tell({ begun: true, thread: ownId() });
