import { createPublicKey } from 'node:crypto';
import type { Instant } from '../core/time.ts';
import { LEAD, overlapAfter } from '../keys/overlap.ts';
import { type KeyFault, type PlannedKey, type SigningKeys, stateOf } from '../keys/signing-keys.ts';
import { type KeyPlace, nameOf } from './key-places.ts';

/** The keys of one portal as text for people, a line each. `keys` are those that the store keeps. */
export function describeKeys(place: KeyPlace, keys: SigningKeys | undefined, now: Instant): string[] {
  const { algorithm } = place;
  const name = nameOf(place.for);
  if (!('kept' in place)) {
    const { nextAt } = place;
    const next =
      nextAt === undefined ? '' : `; the next one ${nextAt > now ? 'signs' : 'has signed'} from ${time(nextAt)}`;
    return [`${name}: ${algorithm}, as routes.yaml says${next}`];
  }
  const { sharedWith } = place;
  const shared = sharedWith.length === 0 ? '' : `, the same as for ${sharedWith.join(', ')}`;
  return [
    `${name}: ${algorithm}${shared}`,
    ...(keys ?? []).map((key) => {
      const state = stateOf(keys ?? [], key, now);
      return `  ${state.padEnd(8)}  ${key.kid}  ${sayPlan(key, state === 'active', now)}`;
    }),
  ];
}

function sayPlan({ madeAt, publishedFrom, signsFrom, leavesAt }: PlannedKey, active: boolean, now: Instant): string {
  const says: string[] = [];
  if (publishedFrom === undefined) says.push(`made ${time(madeAt)}, not published`);
  else if (signsFrom === undefined)
    says.push(`published ${time(publishedFrom)}, may sign from ${time(publishedFrom + LEAD)}`);
  else if (signsFrom > now) says.push(`signs from ${time(signsFrom)}`);
  else if (active) says.push(signsFrom === 0 ? 'signs from the beginning' : `signs since ${time(signsFrom)}`);
  if (leavesAt !== undefined) says.push(`leaves ${time(leavesAt)}`);
  return says.join(', ');
}

/** The same for `--json`; times are ISO 8601, `null` where nothing is decided. */
export function keysDocument(place: KeyPlace, keys: SigningKeys | undefined, now: Instant): object {
  const { algorithm } = place;
  if (!('kept' in place)) return { ...place.for, algorithm, kept: 'file', next_at: timeOrNull(place.nextAt) };
  const { sharedWith, tokenLifetime } = place;
  return {
    ...place.for,
    algorithm,
    kept: 'store',
    shared_with: sharedWith,
    lead_seconds: LEAD,
    overlap_seconds: overlapAfter(tokenLifetime),
    keys: keys?.map((key) => ({
      kid: key.kid,
      state: stateOf(keys, key, now),
      made_at: time(key.madeAt),
      published_from: timeOrNull(key.publishedFrom),
      signs_from: timeOrNull(key.signsFrom === 0 ? key.madeAt : key.signsFrom),
      leaves_at: timeOrNull(key.leavesAt),
      public_key: publicPem(key),
    })),
  };
}

/** Why something could not be done, and what would help. */
export function describeKeyFault(problem: KeyFault, verb: string): string {
  switch (problem.fault) {
    case 'nothing_staged':
      return 'no key is staged that could take over. Stage one first: wayhome keys stage';
    case 'last_key':
      return 'no other key is there to sign, so this one stays. First: wayhome keys stage, then wayhome keys switch';
    case 'unknown_key':
      return 'there is no key with this id (any more): wayhome keys list';
    case 'too_early': {
      const why =
        verb === 'switch' ? 'not everybody who verifies knows the key before' : 'its last tokens are good until then';
      return `not before ${time(problem.earliest)}: ${why}`;
    }
  }
}

/** What a portal that is given the key by hand wants to have (SPKI). */
export const publicPem = ({ pem }: PlannedKey): string =>
  createPublicKey(pem).export({ type: 'spki', format: 'pem' }) as string;

export const time = (instant: Instant): string => new Date(instant * 1000).toISOString().replace('.000Z', 'Z');

const timeOrNull = (instant: Instant | undefined): string | null => (instant === undefined ? null : time(instant));
