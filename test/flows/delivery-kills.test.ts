/**
 * A router that is killed while it delivers. `WAYHOME_KILLS=1000 npx tap --timeout=7200 …` kills it a thousand times;
 * WAYHOME_SEED repeats the random moments of a run.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { startRedis } from '../support/redis.ts';
import { temporaryFolder } from '../support/world.ts';
import { killWhileDelivering } from './delivery-kills.ts';

const kills = Number(process.env.WAYHOME_KILLS ?? 15);
const seed = Number(process.env.WAYHOME_SEED ?? Date.now() % 2 ** 32);

async function killed(t: Test, store: string, folder: string): Promise<void> {
  t.setTimeout(60_000 + kills * 6_000);
  t.comment(`WAYHOME_SEED=${seed}`);
  const { acknowledged, lost, times, twice } = await killWhileDelivering(t, { store, folder, kills, seed });
  const told = [...times].sort(([a], [b]) => a - b).map(([count, people]) => `${people} told ${count} times`);
  t.comment(`${acknowledged} acknowledged, ${lost.length} lost; ${told.join(', ')}`);
  t.ok(acknowledged > kills * 30, 'there was something to deliver');
  t.same(lost, []);
  t.same(twice, [], 'nothing but a kill makes a duplicate');
  t.same(
    [...times.keys()].filter((count) => count > 2),
    [],
    'one at the most of each, however many kills',
  );
}

t.test(`killed ${kills} times in mid-delivery on SQLite, a router loses nothing`, async (t) => {
  const folder = temporaryFolder(t);
  await killed(t, `sqlite:${join(folder, 'wayhome.db')}`, folder);
});

t.test(
  `killed ${kills} times in mid-delivery on Redis, a router loses nothing`,
  { skip: without(counterparts.redis) },
  async (t) => {
    const folder = temporaryFolder(t);
    const { address } = await startRedis(t);
    await killed(t, address, folder);
  },
);
