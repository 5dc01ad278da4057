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

/** A random UUID (RFC 9562 §5.4, version 4) from the bytes that are handed in. */
export function makeUuid(random: RandomBytes): string {
  const bytes = Buffer.from(random(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
