/**
 * The signing keys of one portal as a set, and what may be done with it. A key is *made*, *staged* (published, so that
 * whoever verifies knows it before it is used), *active*, *retiring* (published, since tokens of it are still about) and
 * gone. What a key is follows from the times of its plan and from the present, so every router that has read the plan
 * switches at the same second. Nothing here reads a store or a clock.
 */
import type { Instant } from '../core/time.ts';
import { LEAD, overlapAfter } from './overlap.ts';

export type KeyState = 'made' | 'staged' | 'active' | 'retiring' | 'gone';

/** One key and its plan. A time that is absent has not been decided. */
export type PlannedKey = {
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  /** PKCS #8. */
  readonly pem: string;
  readonly madeAt: Instant;
  readonly publishedFrom?: Instant;
  /** 0 for the first key of a router: nobody can have known another. */
  readonly signsFrom?: Instant;
  /** From then on it is neither published nor kept. */
  readonly leavesAt?: Instant;
};

/** In the order in which they sign; one that is not to sign yet stands last, and there is one such at the most. */
export type SigningKeys = readonly PlannedKey[];

/** When: the earliest instant that is safe, that one if it is not earlier, or now, safe or not. */
export type When = 'earliest' | 'at_once' | Instant;

/** The set as it shall be, the same one where nothing had to be done; or why not. */
export type Change = SigningKeys | KeyFault;

export type KeyFault =
  /** No key is published that could sign next. */
  | { readonly fault: 'nothing_staged' }
  /** Not every verifier knows the key yet, or its tokens are still about. */
  | { readonly fault: 'too_early'; readonly earliest: Instant }
  /** Nothing would be left to sign with. */
  | { readonly fault: 'last_key' }
  | { readonly fault: 'unknown_key' };

export const firstKey = ({ kid, pem }: Pick<PlannedKey, 'kid' | 'pem'>, now: Instant): SigningKeys => [
  { kid, pem, madeAt: now, publishedFrom: now, signsFrom: 0 },
];

/** The key that signs at this instant. A set without one is a bug and throws `Error`. */
export function activeKey(keys: SigningKeys, now: Instant): PlannedKey {
  // On a clock that was set back none may have begun; the first is then better than none.
  const active = keys.findLast((key) => hasBegun(key, now)) ?? keys.find(({ signsFrom }) => signsFrom !== undefined);
  if (!active) throw new Error('a set of signing keys in which none signs');
  return active;
}

export function stateOf(keys: SigningKeys, key: PlannedKey, now: Instant): KeyState {
  if (key === activeKey(keys, now)) return 'active';
  if (key.leavesAt !== undefined && key.leavesAt <= now) return 'gone';
  if (key.publishedFrom === undefined) return 'made';
  return hasBegun(key, now) ? 'retiring' : 'staged';
}

/** Those that verifiers have to know, the active one first. */
export function publishedKeysOf(keys: SigningKeys, now: Instant): SigningKeys {
  const active = activeKey(keys, now);
  const known = keys.filter((key) => ['staged', 'retiring'].includes(stateOf(keys, key, now)));
  return [active, ...known];
}

/** The same set where nothing is gone. What is, has its private key forgotten with it. */
export function withoutGone(keys: SigningKeys, now: Instant): SigningKeys {
  const left = keys.filter((key) => stateOf(keys, key, now) !== 'gone');
  return left.length === keys.length ? keys : left;
}

/** Adds a key that nobody is told of. One at a time: until the next key signs, that is the one. */
export function make(keys: SigningKeys, fresh: Pick<PlannedKey, 'kid' | 'pem'>, now: Instant): SigningKeys {
  return upcoming(keys, now) ? keys : [...keys, { ...fresh, madeAt: now }];
}

/** Publishes the next key: the one that was made, or `fresh`. */
export function stage(keys: SigningKeys, fresh: Pick<PlannedKey, 'kid' | 'pem'>, now: Instant): SigningKeys {
  const made = make(keys, fresh, now);
  return made.map((key) =>
    key === upcoming(made, now) && key.publishedFrom === undefined ? { ...key, publishedFrom: now } : key,
  );
}

/** Plans when the staged key takes over, also anew. Where it has taken over, and no other is staged, nothing. */
export function switchOver(keys: SigningKeys, when: When, tokenLifetime: number, now: Instant): Change {
  const next = upcoming(keys, now);
  if (!next && activeKey(keys, now).signsFrom !== 0) return keys;
  if (next?.publishedFrom === undefined) return { fault: 'nothing_staged' };
  // Asked again without a time, what was planned stays.
  if (when === 'earliest' && next.signsFrom !== undefined) return keys;
  const planned = plan(when, next.publishedFrom + LEAD, now);
  if (typeof planned !== 'number') return planned;
  if (planned === next.signsFrom) return keys;
  return keepOverlap([...keys.slice(0, -1), { ...next, signsFrom: planned }], tokenLifetime, now);
}

/**
 * Plans when the keys that have a successor are gone, or `kid` alone: that may also be one that does not sign yet,
 * which is then called off.
 */
export function retire(keys: SigningKeys, when: When, tokenLifetime: number, now: Instant, kid?: string): Change {
  const next = upcoming(keys, now);
  if (kid !== undefined && kid === next?.kid) return keepOverlap(keys.slice(0, -1), tokenLifetime, now);
  if (kid !== undefined && !keys.some((key) => key.kid === kid)) return { fault: 'unknown_key' };
  const active = activeKey(keys, now);
  const leaving = keys.filter(
    (key) => successorOf(keys, key) && (kid === undefined ? when !== 'at_once' || key !== active : kid === key.kid),
  );
  if (leaving.length === 0) return { fault: 'last_key' };
  let changed = keys;
  for (const key of leaving) {
    if (when === 'earliest' && key.leavesAt !== undefined) continue;
    const planned = plan(when, safeToLeave(keys, key, tokenLifetime) ?? now, now);
    if (typeof planned !== 'number') return planned;
    // While it signs it cannot leave, whatever was said.
    if (planned <= now && key === active) return { fault: 'last_key' };
    if (planned !== key.leavesAt) changed = changed.with(changed.indexOf(key), { ...key, leavesAt: planned });
  }
  return changed;
}

const hasBegun = ({ signsFrom }: PlannedKey, now: Instant): boolean => signsFrom !== undefined && signsFrom <= now;

/** The next key, whatever is decided about it: it stands last, and does not sign yet. */
function upcoming(keys: SigningKeys, now: Instant): PlannedKey | undefined {
  const last = keys.at(-1);
  return last && last !== activeKey(keys, now) && !hasBegun(last, now) ? last : undefined;
}

/** The key that signs after this one, where that is planned. */
const successorOf = (keys: SigningKeys, key: PlannedKey): PlannedKey | undefined =>
  key.signsFrom === undefined
    ? undefined
    : keys.slice(keys.indexOf(key) + 1).find(({ signsFrom }) => signsFrom !== undefined);

function safeToLeave(keys: SigningKeys, key: PlannedKey, tokenLifetime: number): Instant | undefined {
  const { signsFrom } = successorOf(keys, key) ?? {};
  return signsFrom === undefined ? undefined : signsFrom + overlapAfter(tokenLifetime);
}

/** What was to leave by an earlier plan of the successor leaves later, or stays where there is none any more. */
const keepOverlap = (keys: SigningKeys, tokenLifetime: number, now: Instant): SigningKeys =>
  keys.map((key) => {
    if (key.leavesAt === undefined || key.leavesAt <= now) return key;
    const { leavesAt, ...stays } = key;
    const safe = safeToLeave(keys, key, tokenLifetime);
    return safe === undefined ? stays : { ...stays, leavesAt: Math.max(leavesAt, safe) };
  });

function plan(when: When, earliest: Instant, now: Instant): Instant | KeyFault {
  if (when === 'at_once') return now;
  if (when === 'earliest') return Math.max(earliest, now);
  // A time that has passed means now: until now the other key has signed.
  return when < earliest ? { fault: 'too_early', earliest } : Math.max(when, now);
}
