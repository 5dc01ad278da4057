import type { CheckedRoutes } from '../config/checked.ts';
import type { Sealer } from '../keys/keys.ts';
import { randomBytes } from '../keys/random.ts';
import { openSealer } from '../keys/seal.ts';
import { parseSealKey, SEAL_KEY_BYTES } from '../keys/seal-key.ts';
import { readKeptValue } from '../store/kept-value.ts';

const SQLITE = 'sqlite:';

/**
 * A sealer that opens what the router has sealed, with the file's keys or the one that its store keeps; nothing is
 * made or changed. Where the key cannot be had, one that opens nothing, and why.
 */
export function openSealerOf({ sealKeys, store }: CheckedRoutes): {
  readonly sealer: Sealer;
  readonly missing?: string;
} {
  if (sealKeys.length > 0) return { sealer: openSealer(sealKeys, randomBytes) };
  const kept = readKey(store);
  if (Buffer.isBuffer(kept)) return { sealer: openSealer([kept], randomBytes) };
  return { sealer: openSealer([randomBytes(SEAL_KEY_BYTES)], randomBytes), missing: kept };
}

function readKey(store: string): Buffer | string {
  if (!store.startsWith(SQLITE)) return 'their key is in the store, which only the running router can read';
  const path = store.slice(SQLITE.length);
  try {
    const text = readKeptValue(path, 'seal-key');
    return (text !== undefined && parseSealKey(text)) || `there is no key in ${path} yet`;
  } catch (error) {
    return `${path} cannot be read (${(error as Error).message})`;
  }
}
