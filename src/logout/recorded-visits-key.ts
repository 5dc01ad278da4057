import type { Instant } from '../core/time.ts';
import type { Sealer } from '../keys/keys.ts';
import { type RandomBytes, randomBytes } from '../keys/random.ts';
import type { Store } from '../store/store.ts';

const KEPT = 'visit-key';
const BYTES = 32;

/**
 * What names of recorded visits are hashed with. The store keeps it, sealed anew at every start, so that it follows a
 * change of the seal keys. One that cannot be opened is replaced: whatever was found by it has been sealed with the
 * same key that has gone. Throws what the store throws.
 */
export async function openVisitKey(
  store: Store,
  sealer: Sealer,
  now: Instant,
  random: RandomBytes = randomBytes,
): Promise<Buffer> {
  const seal = (key: string) => sealer.seal([KEPT], key, now);
  const { kept, opened } = await readKept(store, sealer, now, random);
  const key = opened ?? random(BYTES).toString('base64url');
  const replaced = await store.replace(KEPT, kept, seal(key));
  // Another router did the same at this moment, and its key is the one.
  if (!replaced && opened === undefined) return openVisitKey(store, sealer, now, random);
  return Buffer.from(key, 'base64url');
}

/** The same beside a router: nothing that is there is changed. `undefined` for one that cannot be opened. */
export async function readVisitKey(store: Store, sealer: Sealer, now: Instant): Promise<Buffer | undefined> {
  const { opened } = await readKept(store, sealer, now, randomBytes);
  return opened === undefined ? undefined : Buffer.from(opened, 'base64url');
}

async function readKept(store: Store, sealer: Sealer, now: Instant, random: RandomBytes) {
  const kept = await store.keep(KEPT, () => sealer.seal([KEPT], random(BYTES).toString('base64url'), now));
  return { kept, opened: sealer.open([KEPT], kept) };
}
