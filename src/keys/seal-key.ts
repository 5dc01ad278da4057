import { type RandomBytes, randomBytes } from './random.ts';

/** Bytes below which a seal key is refused: the key size of AES-256. */
export const SEAL_KEY_BYTES = 32;

/** A new seal key in the form that `seal_keys` takes: 32 random bytes in base64url. */
export const makeSealKey = (random: RandomBytes = randomBytes): string => random(SEAL_KEY_BYTES).toString('base64url');

/** Canonical base64url of 32 bytes or more → the key; `undefined` for anything else. */
export function parseSealKey(text: string): Buffer | undefined {
  const key = Buffer.from(text, 'base64url');
  return key.length >= SEAL_KEY_BYTES && key.toString('base64url') === text ? key : undefined;
}
