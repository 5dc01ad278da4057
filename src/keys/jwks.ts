import { Refusal } from '../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../core/time.ts';
import type { OutboundAnswer } from '../outbound/outbound.ts';
import type { CompactToken } from './compact.ts';
import { isPublicKeyAlgorithm } from './key-kind.ts';
import { type KeySet, parseKeySet } from './key-set.ts';
import type { PublicKeyAlgorithm, Verifier } from './keys.ts';
import type { VerifyingKey } from './verifying-key.ts';

export type JwksSettings = {
  /** For messages only; `fetch` knows where to go. */
  readonly url: string;
  readonly algorithms: readonly PublicKeyAlgorithm[];
  /** Reads the set through the guarded outbound client; rejects when it cannot. */
  readonly fetch: () => Promise<OutboundAnswer>;
};

/** Seconds for which a set is used without asking again. */
const FRESH_FOR = 10 * 60;
/** Seconds for which the last good set serves while no newer one can be read. */
const SERVED_FOR = 24 * 60 * 60;
/** Seconds between two requests for the set, whoever asks and however they end. */
const ASK_AGAIN_AFTER = 30;
/** The same while there is no set at all: nobody can sign in, and nothing is served meanwhile. */
const ASK_AGAIN_AFTER_NOTHING = 5;
/** Keys tried for a token without `kid`. */
const MAX_TRIED = 8;

/**
 * A verifier over an environment's JWK Set. Opening it reads nothing: a router has to start while an environment
 * is down. However many tokens arrive, one request is under way at most, and unknown kids cause one per 30 s at
 * most. The refusal is `keys_unavailable` where no set is left, and `jwt_invalid_signature` alike for an unknown
 * kid and a wrong signature.
 */
export function openJwks({ url, algorithms, fetch }: JwksSettings): Verifier {
  if (!algorithms.every(isPublicKeyAlgorithm)) throw new Error('a key set verifies RS*, PS*, ES* and EdDSA only');
  const { host } = new URL(url);
  let set: { readonly keys: KeySet; readonly readAt: Instant } | undefined;
  let askedAt: Instant | undefined;
  let asking: Promise<void> | undefined;
  let fault = '';

  async function ask(now: Instant): Promise<void> {
    try {
      const { status, body } = await fetch();
      if (status !== 200) throw new Error(`status ${status}`);
      set = { keys: await parseKeySet(body, algorithms), readAt: now };
    } catch (error) {
      fault = error instanceof Error ? error.message : 'unknown';
    }
  }

  /** Asks, joins a request that is under way, or does nothing when it is too early to ask again. */
  function refresh(now: Instant): Promise<void> | undefined {
    const pause = set ? ASK_AGAIN_AFTER : ASK_AGAIN_AFTER_NOTHING;
    if (!asking && (askedAt === undefined || isPast(askedAt, pause, now))) {
      askedAt = now;
      asking = ask(now).finally(() => {
        asking = undefined;
      });
    }
    return asking;
  }

  function served(now: Instant): KeySet {
    if (!set || isPast(set.readAt, SERVED_FOR, now)) throw new Refusal('keys_unavailable', `${host}: ${fault}`);
    return set.keys;
  }

  return {
    async verify(token, now) {
      if (!(algorithms as readonly string[]).includes(token.header.alg)) throw new Refusal('jwt_algorithm_not_allowed');
      if (!set || isPast(set.readAt, FRESH_FOR, now)) await refresh(now);
      const keys = served(now);
      if (await verifiedByOneOf(candidates(keys, token), token)) return;
      // A key of that name that did not sign this is no reason to ask again.
      if (token.header.kid !== undefined && keys.byKid.has(token.header.kid))
        throw new Refusal('jwt_invalid_signature');
      await refresh(now);
      const newer = served(now);
      if (newer === keys || !(await verifiedByOneOf(candidates(newer, token), token))) {
        throw new Refusal('jwt_invalid_signature', 'no key of the set has this kid, or none without it fits');
      }
    },
  };
}

/** Whether that many seconds have gone by. A clock that was set back counts as long ago. */
const isPast = (since: Instant, seconds: number, now: Instant): boolean =>
  now - since >= seconds || now < since - CLOCK_SKEW;

function candidates({ keys, byKid }: KeySet, { header: { kid, alg } }: CompactToken): readonly VerifyingKey[] {
  if (kid === undefined) return keys.filter((key) => key.algorithms.has(alg)).slice(0, MAX_TRIED);
  const named = byKid.get(kid);
  return named ? [named] : [];
}

async function verifiedByOneOf(keys: readonly VerifyingKey[], token: CompactToken): Promise<boolean> {
  for (const key of keys) if (await key.verify(token)) return true;
  return false;
}
