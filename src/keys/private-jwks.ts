import { createPrivateKey } from 'node:crypto';
import type { JWK } from 'jose';
import type { Clock } from '../core/time.ts';
import type { KeptKeys } from './kept-keys.ts';
import type { PublicKeyAlgorithm } from './keys.ts';
import { publishedKeysOf } from './signing-keys.ts';

/**
 * What a library that signs by itself is opened with: the private keys of these sets that have to be known now, of each
 * algorithm the active one first. The same object comes back for as long as the keys and their order are the same.
 */
export function openPrivateJwks(
  sets: ReadonlyMap<PublicKeyAlgorithm, KeptKeys>,
  clock: Clock,
): () => Promise<{ readonly keys: readonly JWK[] }> {
  let latest: { readonly keys: readonly JWK[] } = { keys: [] };
  return async () => {
    const now = clock();
    const published = await Promise.all(
      [...sets].map(async ([alg, kept]) =>
        publishedKeysOf(await kept.current(now), now).map((key) => ({ ...key, alg })),
      ),
    );
    const order = published.flat();
    const same =
      order.length === latest.keys.length && order.every(({ kid }, index) => kid === latest.keys[index]?.kid);
    if (!same) {
      latest = {
        keys: order.map(({ pem, kid, alg }) => ({
          ...(createPrivateKey(pem).export({ format: 'jwk' }) as JWK),
          use: 'sig',
          alg,
          kid,
        })),
      };
    }
    return latest;
  };
}
