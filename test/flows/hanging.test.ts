/** One environment hangs with two thousand people in it: they get a page in time, and nobody else notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Told } from '../attacks/crowd.ts';
import { atSession, forPage, leave, openHostileWorld, refused } from '../attacks/hostile-world.ts';
import { type Fared, openNeighbours, type Way } from '../attacks/neighbours.ts';

const LOGINS = 2_000;

/** Within which all of them arrive: with clients on the same two cores, a single burst would measure these. Milliseconds. */
const ARRIVE_WITHIN = 1_000;

/** The longest that an environment is waited for, and what it takes to write so many pages. Milliseconds. */
const CUT = 10_000 + 500;

/** The value that 99 of 100 do not exceed. Milliseconds. */
const p99 = (took: readonly number[]): number =>
  [...took].sort((one, other) => one - other)[Math.ceil(took.length * 0.99) - 1] ?? Number.NaN;

const describe = (fared: Readonly<Record<Way, Fared>>): string =>
  Object.entries(fared)
    .map(([way, { took }]) => `${way} ${p99(took).toFixed(0)} ms of ${took.length}`)
    .join(', ');

t.test(
  `an environment that accepts and never answers, with ${LOGINS} logins at once`,
  { timeout: 120_000 },
  async (t) => {
    const world = await openHostileWorld(t);
    const { crowd, serving } = world;
    const before = openNeighbours(world);
    await sleep(3_000);
    t.comment(`p99 of others before: ${describe(await before.stop())}`);

    const roles: Readonly<Record<string, () => Promise<Told>>> = {
      'as session endpoint': () => atSession(crowd, 'silence'),
      'as token endpoint': await leave(crowd, 'token-silence'),
      'as the server behind the router': () => forPage(crowd, 'silence'),
    };
    for (const [role, ask] of Object.entries(roles)) {
      await t.test(role, async (t) => {
        const lines = serving.lines.length;
        const neighbours = openNeighbours(world);
        const took: number[] = [];
        let others = 0;
        const login = async (index: number) => {
          await sleep((index * ARRIVE_WITHIN) / LOGINS);
          const began = performance.now();
          const told = await ask().catch(() => undefined);
          took.push(performance.now() - began);
          if (!told || !refused(told)) others++;
        };
        await Promise.all(Array.from({ length: LOGINS }, (_, index) => login(index)));
        const fared = await neighbours.stop();
        t.comment(`p99 of others meanwhile: ${describe(fared)}; of those who hang: ${p99(took).toFixed(0)} ms`);

        t.equal(took.length, LOGINS, 'all of them came to an end');
        t.equal(others, 0, 'in a page with a reference');
        t.ok(Math.max(...took) <= CUT, `after ${Math.max(...took).toFixed(0)} ms at the latest`);
        for (const [way, { failed, took: each }] of Object.entries(fared)) {
          t.ok(failed === 0 && each.length > 0, `${way}: ${each.length} others, and all of them succeeded`);
        }
        const began = performance.now();
        t.ok(refused(await ask()));
        t.ok(performance.now() - began < 1_000, 'the breaker has opened: the next one is not made to wait');
        t.ok(serving.lines.slice(lines).some((line) => /next try is due/.test(line)));
      });
    }
    t.equal(world.said(), '');
    t.equal(serving.process.exitCode, null);
  },
);
