/** Each login and each token works once, whatever happens at the same time or in between: cases 16 and 17. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Seen } from '../support/browser.ts';
import { alive, denied } from '../support/denied.ts';
import {
  changedRoutes,
  departure,
  environmentToken,
  LOGIN,
  portalToken,
  readyToReturn,
  temporaryFolder,
  type WorldOptions,
} from '../support/world.ts';
import { openAttackWorld, searchForLeaks, startAttackedServe as startServe } from './attack-world.ts';

const AT_ONCE = 100;

/** Exactly one of the answers signs in; the others say why not. */
function oneSucceeded(t: Test, answers: readonly Seen[], status: number): void {
  const successes = answers.filter(({ location }) => location !== '');
  t.equal(successes.length, 1, 'exactly one success');
  t.not(successes[0] && portalToken(successes[0]), '');
  t.equal(answers.filter((seen) => seen.status === status).length, answers.length - 1, 'and every other is refused');
}

const STORES: Record<string, (t: Test) => WorldOptions> = {
  'memory:': () => ({}),
  'sqlite:': (t) => ({ sqlite: join(temporaryFolder(t), 'wayhome.db') }),
};

/** `us` cannot echo a nonce, so that one of its tokens fits several logins. */
const UNBOUND = changedRoutes(({ environments: { us } }) => Object.assign(us?.login ?? {}, { nonce: 'not_echoed' }));

for (const [store, options] of Object.entries(STORES)) {
  t.test(`case 16: of ${AT_ONCE} identical returns at once, one succeeds (${store})`, async (t) => {
    const world = await openAttackWorld(t, options(t));
    for (const how of ['GET', 'POST'] as const) {
      const browser = world.browser();
      const address = await readyToReturn(world, browser, 'us');
      const before = world.lines.length;
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, () => browser.copy().send(address, { method: how })),
      );
      oneSucceeded(t, answers, 410);
      const events = world.events().slice(before);
      t.equal(events.length, AT_ONCE);
      t.equal(events.filter(({ event }) => event === 'login.completed').length, 1);
      t.equal(events.filter(({ reason }) => reason === 'login_already_used').length, AT_ONCE - 1);
    }
    await alive(t, world);
  });

  t.test(`case 16: of ${AT_ONCE} logins that bring the same token at once, one succeeds (${store})`, async (t) => {
    const world = await openAttackWorld(t, { ...options(t), routes: UNBOUND });
    const token = await environmentToken('us', world.now, undefined);
    const ready = await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const browser = world.browser();
        const { redirectUri } = departure(await browser.get(`${LOGIN}&env=us`));
        return () => browser.get(`${redirectUri}&access_token=${token}`);
      }),
    );
    oneSucceeded(t, await Promise.all(ready.map((go) => go())), 401);
    const lost = await Promise.all(ready.map((go) => go()));
    t.same([...new Set(lost.map(({ status }) => status))].sort(), [401, 410], 'and none a second time');
  });

  t.test(
    `a login that was refused is not used up, one that succeeded is, for all of its life (${store})`,
    async (t) => {
      const world = await openAttackWorld(t, options(t));
      const browser = world.browser();
      const address = await readyToReturn(world, browser, 'us');
      const before = browser.copy();
      await denied(t, world, 'a wrong token', 'jwt_invalid_signature', () =>
        browser.get(address.replace(/.{43}$/, 'A'.repeat(43))),
      );
      t.equal((await browser.get(address)).status, 302);
      await denied(t, world, 'in the same browser', 'login_already_used', () => browser.get(address));
      for (const seconds of [0, 59, 60, 599, 600]) {
        const restored = before.copy();
        const { now } = world;
        world.now += seconds;
        const { status } = await restored.get(address);
        t.ok(status === 410 || status === 401, `with its cookies restored, ${seconds} s later`);
        world.now = now;
      }
      world.now += 601;
      await denied(t, world, 'when it is over', 'login_expired', () => before.get(address));
    },
  );
}

/** A routes file for a process of its own; without `seal_keys`, the store keeps the key. */
function routesFile(t: Test): { file: string; database: string } {
  const folder = temporaryFolder(t);
  const database = join(folder, 'data', 'wayhome.db');
  const text = changedRoutes((routes) => {
    Object.assign(routes, { store: `sqlite:${database}` });
    delete routes.seal_keys;
  });
  const file = join(folder, 'routes.yaml');
  writeFileSync(file, text);
  return { file, database };
}

const now = () => Math.floor(Date.now() / 1000);

t.test('case 16: of identical returns to two processes on one file, one succeeds', async (t) => {
  const { file } = routesFile(t);
  const [one, two] = [await startServe(t, file), await startServe(t, file)];
  for (let round = 0; round < 3; round++) {
    const browser = one.browser();
    const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
    const address = `${redirectUri}&access_token=${await environmentToken('us', now(), nonce)}`;
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        browser.copy(() => (index % 2 === 0 ? one.localUrl : two.localUrl)).get(address),
      ),
    );
    oneSucceeded(t, answers, 410);
  }
});

t.test('case 17: a login that succeeded stays used when the process is killed at once and started again', async (t) => {
  const { file, database } = routesFile(t);
  let serving = await startServe(t, file);
  t.equal(statSync(database).mode & 0o777, 0o600, 'nobody else reads the file that holds the seal key');
  for (const how of ['GET', 'POST'] as const) {
    const browser = serving.browser();
    const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
    const address = `${redirectUri}&access_token=${await environmentToken('us', now(), nonce)}`;
    const before = browser.copy(() => serving.localUrl);
    const finished = await browser.send(address, { method: how });
    t.equal(await serving.stop('SIGKILL'), 'SIGKILL');
    t.equal(finished.status, how === 'POST' ? 303 : 302);

    serving = await startServe(t, file);
    const replayed = await before.send(address, { method: how });
    t.match(replayed, { status: 410, location: '' });
    t.match(await serving.heard('login.refused'), { reason: 'login_already_used', reference: replayed.reference });
  }
  t.equal(await serving.stop('SIGTERM'), 0);
});

t.test('a login that left before a restart comes back after it: the store keeps the seal key', async (t) => {
  const { file } = routesFile(t);
  const first = await startServe(t, file);
  const browser = first.browser();
  const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
  await first.stop('SIGKILL');
  const second = await startServe(t, file);
  const moved = browser.copy(() => second.localUrl);
  const seen = await moved.get(`${redirectUri}&access_token=${await environmentToken('us', now(), nonce)}`);
  t.equal(seen.status, 302);
});

searchForLeaks(t);
