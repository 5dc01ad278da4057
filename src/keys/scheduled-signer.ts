import type { Clock, Instant } from '../core/time.ts';
import type { Signer } from './keys.ts';

/**
 * Signs with the one until that instant, and with the other from it on. Public keys of both are published all the time;
 * of secrets there is nothing to publish.
 */
export function openScheduledSigner(first: Signer, next: Signer, at: Instant, clock: Clock): Signer {
  const publicKeys = [first.publicJwk, next.publicJwk].filter((jwk) => jwk !== undefined);
  return {
    algorithm: first.algorithm,
    sign: (claims) => (clock() < at ? first : next).sign(claims),
    ...(publicKeys.length > 0 && { published: async () => publicKeys }),
  };
}
