import type { RedisConnection } from './redis-connection.ts';
import { expiryOf } from './redis-expiry.ts';
import { PREFIX } from './redis-scripts.ts';
import type { Held, Spent, Store } from './store.ts';

/** The things that a Redis store holds. */
export function openHeld({
  client,
  run,
  change,
}: RedisConnection): Pick<Store, 'hold' | 'held' | 'spend' | 'release' | 'releaseGroup' | 'heldIn'> {
  return {
    async hold(things, now) {
      const given = things.map(({ name, value, until, groups = [] }) => {
        return { name, value, until, groups: [...new Set(groups)], px: expiryOf(until, now) };
      });
      await change('hold', now, JSON.stringify(given));
    },
    async held(name, now) {
      const [value, until, spent] = await client.hmget(`${PREFIX}:held:${name}`, 'value', 'until', 'spent');
      if (typeof value !== 'string' || Number(until) < now) return undefined;
      return heldOf(value, spent);
    },
    spend: async (name, now) => (await change('spend', now, name)) as Spent,
    async release(names) {
      await change('release', ...names);
    },
    async releaseGroup(group) {
      await change('releaseGroup', group);
    },
    async heldIn(group, most, now) {
      const found = (await run('heldIn', now, group, most)) as [string, string, string | null][];
      return found.map(([name, value, spent]) => ({ name, ...heldOf(value, spent) }));
    },
  };
}

const heldOf = (value: string, spent: string | null | undefined): Held => ({
  value,
  ...(typeof spent === 'string' && { spentAt: Number(spent) }),
});
