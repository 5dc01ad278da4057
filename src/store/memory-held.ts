import type { Instant } from '../core/time.ts';
import type { Store, Thing } from './store.ts';

/** How often things whose time is over are swept out. Seconds. */
const SWEEP_EVERY = 60;

/** The things that `memory:` holds. */
export function openHeld(): Pick<Store, 'hold' | 'held' | 'spend' | 'release' | 'releaseGroup'> {
  const things = new Map<string, Thing & { readonly spentAt?: Instant }>();
  let sweepAt = 0;

  const current = (name: string, now: Instant) => {
    const thing = things.get(name);
    return thing && thing.until >= now ? thing : undefined;
  };
  return {
    async hold(added, now) {
      if (now >= sweepAt) {
        sweepAt = now + SWEEP_EVERY;
        for (const [name, { until }] of things) if (until < now) things.delete(name);
      }
      for (const thing of added) {
        const spentAt = current(thing.name, now)?.spentAt;
        things.set(thing.name, { ...thing, ...(spentAt !== undefined && { spentAt }) });
      }
    },
    async held(name, now) {
      const thing = current(name, now);
      if (!thing) return undefined;
      const { value, spentAt } = thing;
      return { value, ...(spentAt !== undefined && { spentAt }) };
    },
    async spend(name, now) {
      const thing = current(name, now);
      if (!thing) return 'unknown';
      if (thing.spentAt !== undefined) return 'spent';
      things.set(name, { ...thing, spentAt: now });
      return 'first';
    },
    async release(names) {
      for (const name of names) things.delete(name);
    },
    async releaseGroup(group) {
      for (const [name, thing] of things) if (thing.group === group) things.delete(name);
    },
  };
}
