/** The keys that a router makes for itself and keeps in its store, where other routers and `wayhome keys` find them. */
import type { Instant } from '../core/time.ts';
import type { Store } from '../store/store.ts';
import type { PublicKeyAlgorithm } from './keys.ts';
import { NOTICED_WITHIN } from './overlap.ts';
import { makeSigningKey, thumbprintOf } from './signer.ts';
import { firstKey, type KeyFault, type PlannedKey, type SigningKeys, withoutGone } from './signing-keys.ts';

export type KeptKeys = {
  /**
   * The set, at most `NOTICED_WITHIN` seconds old; where the store cannot be read, the one that was read last. Throws
   * where there is none yet.
   */
  current(now: Instant): Promise<SigningKeys>;
};

/** Where the keys of a portal are kept, or those of `ISSUER_KEYS`. */
export const keptUnder = (portal: string, algorithm: PublicKeyAlgorithm): string =>
  `signing-key/${portal}/${algorithm}`;

/** In place of a portal: what signs ID tokens and logout tokens, for everybody. No portal can have this name. */
export const ISSUER_KEYS = '@issuer';

/** A set in the store: its name there, and what its keys sign with. */
export type KeySetPlace = { readonly kept: string; readonly algorithm: PublicKeyAlgorithm };

/** Reads nothing yet. `kept`: see `keptUnder`. */
export function openKeptKeys(store: Store, kept: string, algorithm: PublicKeyAlgorithm): KeptKeys {
  const place: KeySetPlace = { kept, algorithm };
  let last: { readonly text: string; readonly keys: SigningKeys } | undefined;
  let readAt = 0;
  let reading: Promise<SigningKeys> | undefined;

  const read = async (now: Instant): Promise<SigningKeys> => {
    try {
      const text = await readText(store, place, now);
      if (text !== last?.text) last = { text, keys: parseKeys(text) };
      readAt = now;
      // Nobody has to ask for it: a private key that is of no use any more is only a risk.
      const left = withoutGone(last.keys, now);
      if (left !== last.keys) await store.replace(place.kept, text, formatKeys(left));
    } catch (error) {
      if (!last) throw error;
    }
    return last.keys;
  };
  return {
    async current(now) {
      if (last && now >= readAt && now - readAt < NOTICED_WITHIN) return last.keys;
      reading ??= read(now).finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}

/**
 * Changes the set, whoever else does at the same time; `change` may be called several times. The set afterwards, and
 * whether this changed it, or why not. What is gone is forgotten on the way.
 */
export async function changeKeptKeys(
  store: Store,
  place: KeySetPlace,
  change: (keys: SigningKeys) => SigningKeys | KeyFault,
  now: Instant,
): Promise<{ readonly keys: SigningKeys; readonly changed: boolean } | KeyFault> {
  for (;;) {
    const text = await readText(store, place, now);
    const before = withoutGone(parseKeys(text), now);
    const keys = change(before);
    if ('fault' in keys) return keys;
    const next = formatKeys(keys);
    const changed = next !== formatKeys(before);
    if (next === text || (await store.replace(place.kept, text, next))) return { keys, changed };
  }
}

/** A key that may join the set. */
export async function freshKey(algorithm: PublicKeyAlgorithm): Promise<Pick<PlannedKey, 'kid' | 'pem'>> {
  const pem = makeSigningKey(algorithm);
  return { pem, kid: await thumbprintOf(pem) };
}

async function readText(store: Store, place: KeySetPlace, now: Instant): Promise<string> {
  const { kept, algorithm } = place;
  const known = await store.keep(kept, () => makeSigningKey(algorithm));
  if (!known.startsWith(PEM)) return known;
  // The first key, which stands alone as PEM: a set since it was made.
  const set = formatKeys(firstKey({ pem: known, kid: await thumbprintOf(known) }, now));
  return (await store.replace(kept, known, set)) ? set : readText(store, place, now);
}

const PEM = '-----BEGIN';

const formatKeys = (keys: SigningKeys): string => JSON.stringify({ keys });

/** Throws `Error` for what this version did not write. */
function parseKeys(text: string): SigningKeys {
  const { keys } = JSON.parse(text) as { keys?: SigningKeys };
  if (!Array.isArray(keys) || keys.length === 0)
    throw new Error('the signing keys that the store keeps cannot be read');
  return keys as SigningKeys;
}
