import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Test } from 'tap';
import { type Reason, Refusal } from '../../src/core/reason.ts';

/** An instant for all tests of this folder and of those that borrow from it. */
export const NOW = 1_764_000_000;

/** A secret that is long enough for every HMAC algorithm. */
export const SECRET = Buffer.from('0123456789abcdef'.repeat(4));

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A compact token out of any header and payload (an object, or JSON text as it is), signed HS256 with any bytes. */
export function forge(header: unknown, payload: unknown, secret: Buffer | string = SECRET): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export const rsaKeys = (bits = 2048): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('rsa', { modulusLength: bits });

/** The reason with which something is refused; `accepted` when it is not. Any other error is passed on. */
export async function reasonOf(act: () => unknown): Promise<Reason | 'accepted'> {
  try {
    await act();
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

/** Every row of a table is refused for its reason. */
export async function refusesAll(
  t: Test,
  table: Readonly<Record<string, readonly [act: () => unknown, reason: Reason | 'accepted']>>,
): Promise<void> {
  for (const [what, [act, reason]] of Object.entries(table)) t.equal(await reasonOf(act), reason, what);
}
