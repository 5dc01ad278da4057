import type { Instant } from '../core/time.ts';
import type { Held, Store, Thing } from './store.ts';

/** How often things whose time is over are swept out. Seconds. */
const SWEEP_EVERY = 60;

type Current = Thing & { readonly spentAt?: Instant };

/** The things that `memory:` holds. */
export function openHeld(): Pick<Store, 'hold' | 'held' | 'spend' | 'release' | 'releaseGroup' | 'heldIn'> {
  const things = new Map<string, Current>();
  const groups = new Map<string, Set<string>>();
  let sweepAt = 0;

  const current = (name: string, now: Instant) => {
    const thing = things.get(name);
    return thing && thing.until >= now ? thing : undefined;
  };
  const forget = (name: string) => {
    for (const group of things.get(name)?.groups ?? []) {
      const names = groups.get(group);
      names?.delete(name);
      if (names?.size === 0) groups.delete(group);
    }
    things.delete(name);
  };
  return {
    async hold(added, now) {
      if (now >= sweepAt) {
        sweepAt = now + SWEEP_EVERY;
        for (const [name, { until }] of things) if (until < now) forget(name);
      }
      for (const thing of added) {
        const spentAt = current(thing.name, now)?.spentAt;
        forget(thing.name);
        things.set(thing.name, { ...thing, ...(spentAt !== undefined && { spentAt }) });
        for (const group of thing.groups ?? []) {
          const names = groups.get(group) ?? new Set();
          groups.set(group, names.add(thing.name));
        }
      }
    },
    async held(name, now) {
      const thing = current(name, now);
      return thing && heldOf(thing);
    },
    async spend(name, now) {
      const thing = current(name, now);
      if (!thing) return 'unknown';
      if (thing.spentAt !== undefined) return 'spent';
      things.set(name, { ...thing, spentAt: now });
      return 'first';
    },
    async release(names) {
      for (const name of names) forget(name);
    },
    async releaseGroup(group) {
      for (const name of [...(groups.get(group) ?? [])]) forget(name);
    },
    async heldIn(group, most, now) {
      const found = [...(groups.get(group) ?? [])].reverse().map((name) => current(name, now));
      return found
        .filter((thing) => thing !== undefined)
        .slice(0, most)
        .map((thing) => ({ name: thing.name, ...heldOf(thing) }));
    },
  };
}

const heldOf = ({ value, spentAt }: Current): Held => ({ value, ...(spentAt !== undefined && { spentAt }) });
