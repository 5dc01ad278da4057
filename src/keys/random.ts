import { randomFillSync } from 'node:crypto';

/** Hands out that many bytes from the system's generator; tests hand in their own. */
export type RandomBytes = (bytes: number) => Buffer;

/** Bytes asked from the system at a time: a call per nonce would cost several times the nonce. */
const POOL_SIZE = 4096;

let pool = Buffer.alloc(0);
let used = 0;

/** Random bytes, at most 4096 at a time. No byte is handed out twice, and a returned buffer is never rewritten. */
export const randomBytes: RandomBytes = (bytes) => {
  if (used + bytes > pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(POOL_SIZE));
    used = 0;
  }
  if (bytes > POOL_SIZE) throw new RangeError(`at most ${POOL_SIZE} random bytes at a time`);
  used += bytes;
  return pool.subarray(used - bytes, used);
};

/** That many random bytes as base64url: 16 for a nonce, a `jti` or a reference (RFC 9700 §4.7.1, 128 bits). */
export const randomToken = (bytes: number): string => randomBytes(bytes).toString('base64url');
