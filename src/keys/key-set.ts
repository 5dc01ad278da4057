import type { PublicKeyAlgorithm } from './keys.ts';
import { parsePublicJwk } from './public-jwk.ts';
import { openVerifyingKey, type VerifyingKey } from './verifying-key.ts';

/** The usable keys of a JWK Set (RFC 7517 §5). */
export type KeySet = {
  readonly keys: readonly VerifyingKey[];
  /** The same keys, those that have a `kid`. */
  readonly byKid: ReadonlyMap<string, VerifyingKey>;
};

/** Bytes; the outbound client stops there too. */
const MAX_BYTES = 256 * 1024;

/** Members of `keys` that are looked at. */
const MAX_KEYS = 50;

/**
 * The body of a `jwks_url` → its usable keys. Skipped: secret and private keys, keys for encryption, keys that fit
 * none of `algorithms`, RSA below 2048 bits, and every key whose `kid` a second usable key has too.
 * An empty `keys` is an answer ("no key is valid"). Throws an `Error` when this is no key set, or when there
 * are keys and none is usable.
 */
export async function parseKeySet(body: Buffer, algorithms: readonly PublicKeyAlgorithm[]): Promise<KeySet> {
  const members = readMembers(body);
  const keys: VerifyingKey[] = [];
  const byKid = new Map<string, VerifyingKey>();
  const twice = new Set<string>();
  for (const member of members.slice(0, MAX_KEYS)) {
    const usable = await readKey(member, algorithms);
    if (!usable) continue;
    const { key, kid } = usable;
    if (kid !== undefined && byKid.has(kid)) twice.add(kid);
    else if (kid !== undefined) byKid.set(kid, key);
    else keys.push(key);
  }
  for (const kid of twice) byKid.delete(kid);
  keys.push(...byKid.values());
  if (members.length > 0 && keys.length === 0) throw new Error('no key of the set is usable');
  return { keys, byKid };
}

function readMembers(body: Buffer): readonly unknown[] {
  if (body.length > MAX_BYTES) throw new Error('the key set is larger than 256 KiB');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new Error('the key set is not JSON');
  }
  const members = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(members)) throw new Error('the key set has no list of keys');
  return members;
}

async function readKey(
  member: unknown,
  algorithms: readonly PublicKeyAlgorithm[],
): Promise<{ key: VerifyingKey; kid: string | undefined } | undefined> {
  const jwk = parsePublicJwk(member);
  if (typeof jwk === 'string') return undefined;
  const key = openVerifyingKey(
    jwk.key,
    algorithms.filter((algorithm) => jwk.alg === undefined || jwk.alg === algorithm),
  );
  if (key.algorithms.size === 0) return undefined;
  try {
    await key.prepare();
  } catch {
    return undefined;
  }
  return { key, kid: jwk.kid };
}
