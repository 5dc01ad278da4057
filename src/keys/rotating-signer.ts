import type { Clock, Instant } from '../core/time.ts';
import type { KeptKeys } from './kept-keys.ts';
import type { Algorithm, Signer } from './keys.ts';
import { activeKey, publishedKeysOf, type SigningKeys } from './signing-keys.ts';

/** A set with its keys open, by `kid`. */
type OpenKeys = { readonly keys: SigningKeys; readonly signers: ReadonlyMap<string, Signer> };

/**
 * Signs with whatever key of a kept set is active, and publishes those that have to be known. A key is opened when it
 * is first seen, which is long before it signs. Throws where the keys cannot be read.
 */
export async function openRotatingSigner(
  algorithm: Algorithm,
  kept: KeptKeys,
  clock: Clock,
  openKey: (pem: string) => Promise<Signer>,
): Promise<Signer> {
  let latest: OpenKeys = { keys: [], signers: new Map() };

  const follow = async (now: Instant): Promise<OpenKeys> => {
    const keys = await kept.current(now);
    if (keys === latest.keys) return latest;
    const signers = new Map<string, Signer>();
    for (const { kid, pem } of keys) signers.set(kid, latest.signers.get(kid) ?? (await openKey(pem)));
    latest = { keys, signers };
    return latest;
  };
  await follow(clock());
  return {
    algorithm,
    sign: async (claims) => {
      const now = clock();
      const { keys, signers } = await follow(now);
      const signer = signers.get(activeKey(keys, now).kid);
      if (!signer) throw new Error('the signing key is not open');
      return signer.sign(claims);
    },
    published: async () => {
      const now = clock();
      const { keys, signers } = await follow(now);
      return publishedKeysOf(keys, now)
        .map(({ kid }) => signers.get(kid)?.publicJwk)
        .filter((jwk) => jwk !== undefined);
    },
  };
}
