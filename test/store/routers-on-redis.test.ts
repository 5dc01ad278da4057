/** Two routers on one Redis: each login works once, whichever of them it comes back to and whatever happens to Redis. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Browser } from '../support/browser.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { type Serving, startServe } from '../support/process.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import {
  changedRoutes,
  departure,
  environmentToken,
  LOGIN,
  ORIGIN,
  SECRETS,
  temporaryFolder,
} from '../support/world.ts';

const skip = without(counterparts.redis);
const AT_ONCE = 100;

/** The whole figure is 1,000: `ROUNDS=1000 npx tap test/store/routers-on-redis.test.ts -t 600`. */
const ROUNDS = Number(process.env.ROUNDS ?? 20);

type Routers = readonly [Serving, Serving];

const PASSWORD = 'canary-redis-password-0123456789';

/** Without `seal_keys`, the store keeps the key, and both have the same. */
async function twoRouters(t: Test, { address }: RedisServer): Promise<Routers> {
  const file = join(temporaryFolder(t), 'routes.yaml');
  const store = { redis: address, password: { env: 'REDIS_PASSWORD' } };
  const text = changedRoutes((routes) => {
    Object.assign(routes, { store });
    delete routes.seal_keys;
  });
  writeFileSync(file, text);
  const variables = { ...SECRETS, REDIS_PASSWORD: PASSWORD };
  return Promise.all([startServe(t, file, variables), startServe(t, file, variables)]);
}

const now = () => Math.floor(Date.now() / 1000);

/** A login that is about to come back: the address that it comes back to, and the browser that left. */
async function begin(router: Serving) {
  const browser = new Browser(ORIGIN, () => router.localUrl);
  const seen = await browser.get(`${LOGIN}&env=us`);
  if (seen.status !== 302) return { status: seen.status };
  const { redirectUri, nonce } = departure(seen);
  const address = `${redirectUri}&access_token=${await environmentToken('us', now(), nonce)}`;
  const complete = (at: Serving) => browser.copy(() => at.localUrl).get(address);
  return { status: seen.status, complete };
}

t.test(`of ${AT_ONCE} identical returns to two routers, one succeeds, ${ROUNDS} times`, { skip }, async (t) => {
  const routers = await twoRouters(t, await startRedis(t, { requirepass: PASSWORD }));
  const began = performance.now();
  let successes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const login = await begin(routers[round % 2 === 0 ? 0 : 1]);
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => login.complete?.(routers[index % 2 === 0 ? 0 : 1])),
    );
    const first = answers.filter((seen) => seen?.status === 302 && seen.location.includes('access_token='));
    const refused = answers.filter((seen) => seen?.status === 410);
    successes += first.length;
    if (first.length !== 1 || refused.length !== AT_ONCE - 1) t.fail(`round ${round}: ${first.length} successes`);
  }
  t.equal(successes, ROUNDS);
  t.comment(`${ROUNDS * AT_ONCE} returns, ${successes} successes, ${Math.round(performance.now() - began)} ms`);
});

type Login = { readonly complete: (at: Serving) => Promise<{ status: number }>; successes: number };

/** Logins without end, some at a time; what became of each phase is counted by status. */
function load(routers: Routers) {
  const logins: Login[] = [];
  const starts = new Map<string, number>();
  const completions = new Map<string, number>();
  let phase = 'up';
  let stopped = false;
  const count = (of: Map<string, number>, what: string) => of.set(what, (of.get(what) ?? 0) + 1);
  const work = async () => {
    for (let index = 0; !stopped; index++) {
      const at = phase;
      const begun = await begin(routers[index % 2 === 0 ? 0 : 1]);
      count(starts, `${begun.status}`);
      if (!begun.complete) continue;
      const login: Login = { complete: begun.complete, successes: 0 };
      logins.push(login);
      const { status } = await login.complete(routers[index % 3 === 0 ? 0 : 1]);
      if (status === 302) login.successes++;
      // One that was under way while the phase changed says nothing about either.
      if (phase === at && at !== 'changing') count(completions, `${at} ${status}`);
      await pause(5);
    }
  };
  const workers = Array.from({ length: 8 }, work);
  return {
    logins,
    starts,
    completions,
    enter: (next: string) => {
      phase = next;
    },
    async stop() {
      stopped = true;
      await Promise.all(workers);
    },
  };
}

/** Until a login succeeds at both of them. Milliseconds. */
async function recovery(routers: Routers): Promise<number> {
  const began = performance.now();
  for (const router of routers) {
    for (let status = 0; status !== 302; ) {
      status = (await (await begin(router)).complete?.(router))?.status ?? 0;
      if (status !== 302) await pause(20);
    }
  }
  return performance.now() - began;
}

t.test('Redis is killed, hung and restarted under load', { skip }, async (t) => {
  const server = await startRedis(t, { requirepass: PASSWORD });
  const routers = await twoRouters(t, server);
  const { logins, starts, completions, enter, stop } = load(routers);
  const times: number[] = [];
  await pause(500);
  for (let round = 0; round < 2; round++) {
    enter('changing');
    await server.kill();
    enter('down');
    await pause(700);
    enter('changing');
    await server.start();
    times.push(await recovery(routers));
    enter('up');
    await pause(300);
    enter('changing');
    server.hang();
    enter('hung');
    await pause(1_800);
    enter('changing');
    server.resume();
    times.push(await recovery(routers));
    enter('up');
    await pause(300);
  }
  await stop();
  t.same([...starts.keys()], ['302'], 'every login could start');
  t.same([...completions.keys()].sort(), ['down 503', 'hung 503', 'up 302'], 'and none was accepted without its claim');
  for (const ms of times) t.ok(ms < 2_000, `it recovered in ${Math.round(ms)} ms`);

  for (let index = 0; index < logins.length; index += 20) {
    const some = logins.slice(index, index + 20);
    for (const router of routers) {
      const again = await Promise.all(some.map((login) => login.complete(router)));
      for (const [at, { status }] of again.entries()) {
        const login = some[at];
        if (login && status === 302) login.successes++;
        if (login && login.successes > 1) t.fail('a replay was accepted');
      }
    }
  }
  const [first] = routers;
  t.match(
    first.lines.find((line) => line.includes('"status":503') || line.includes('store_unavailable')),
    /"reason":"store_unavailable"/,
  );
  for (const { lines } of routers) t.notOk(lines.some((line) => line.includes(PASSWORD)));
  t.comment(
    `${logins.length} logins, ${JSON.stringify(Object.fromEntries(completions))}, recovered in ${times.map(Math.round)} ms`,
  );
});
