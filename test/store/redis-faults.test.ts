import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { openStore } from '../../src/store/open.ts';
import type { RedisAccess } from '../../src/store/redis-address.ts';
import type { Store } from '../../src/store/store.ts';
import { NOW } from '../conformance/store.ts';
import { AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from '../outbound/private-authority.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { freePorts, masterOf, startCluster, startRedis, startSentinel } from '../support/redis.ts';
import { temporaryFolder } from '../support/world.ts';
import { keepsItsPromises } from './redis-promises.ts';

const skip = without(counterparts.redis);

const claim = (store: Store, key: string) => store.claim([{ key, until: NOW + 60 }], NOW);
const open = async (t: Test, address: string, access?: RedisAccess) => {
  const store = await openStore(address, access);
  t.teardown(() => store.close());
  return store;
};

/** How long it takes to be refused. Milliseconds. */
async function refusedAfter(t: Test, store: Store, key: string): Promise<number> {
  const began = performance.now();
  await t.rejects(claim(store, key));
  return performance.now() - began;
}

/** How long it takes until a claim is answered again. Milliseconds. */
async function recoversAfter(store: Store): Promise<number> {
  const began = performance.now();
  for (let attempt = 0; ; attempt++) {
    const claimed = await claim(store, `attempt ${attempt} at ${began}`).catch(() => undefined);
    if (claimed === 'first') return performance.now() - began;
    await pause(10);
  }
}

t.test('a server that was killed fails at once, and what was claimed stays claimed', { skip }, async (t) => {
  const server = await startRedis(t);
  const store = await open(t, server.address);
  t.equal(await claim(store, 'a'), 'first');
  await store.notices.post(
    [{ id: 'n', lane: 'l', order: 'o', run: 'r', by: 'push', text: '', due: NOW, giveUpAt: NOW + 9 }],
    NOW,
  );
  const underWay = Array.from({ length: 50 }, (_, index) => claim(store, `under way ${index}`).catch(() => undefined));
  await server.kill();
  await Promise.all(underWay);
  for (const key of ['a', 'b']) t.ok((await refusedAfter(t, store, key)) < 50);
  await t.rejects(store.ping());
  await t.rejects(store.held('x', NOW));
  await t.rejects(store.notices.take({ most: 1, perLane: 1, lease: 9 }, NOW));
  await server.start();
  t.ok((await recoversAfter(store)) < 2_000);
  t.same(await claim(store, 'a'), { replayed: 'a' });
  t.equal((await store.notices.list({}, 9)).length, 1);
  t.equal(await claim(store, 'b'), 'first', 'what was refused while it was down had not been taken');
});

t.test('a server that hangs holds up nobody for long', { skip }, async (t) => {
  const server = await startRedis(t);
  const store = await open(t, server.address);
  await claim(store, 'a');
  server.hang();
  const waits = await Promise.all(['b', 'c', 'd'].map((key) => refusedAfter(t, store, key)));
  t.ok(Math.max(...waits) < 600, `${Math.max(...waits)} ms`);
  for (let round = 0; round < 4; round++) t.ok((await refusedAfter(t, store, 'e')) < 600);
  server.resume();
  t.ok((await recoversAfter(store)) < 2_000);
  t.same(await claim(store, 'a'), { replayed: 'a' });
});

t.test('a server that forgot the scripts, or the connection, is told again', { skip }, async (t) => {
  const server = await startRedis(t);
  const store = await open(t, server.address);
  await claim(store, 'a');
  const beside = new Redis({ port: server.port });
  await beside.script('FLUSH');
  t.same(await claim(store, 'a'), { replayed: 'a' });
  await beside.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  t.ok((await recoversAfter(store)) < 2_000);
  beside.disconnect();
});

t.test('what is over is forgotten by Redis itself, later than by any router', { skip }, async (t) => {
  const server = await startRedis(t);
  const store = await open(t, server.address);
  const beside = new Redis({ port: server.port });
  t.teardown(() => beside.disconnect());
  const day = 86_400;
  const cases = [
    ['a minute', NOW + 60, 60],
    ['over already', NOW - 5_000, 1],
    ['far away', NOW + 4_000 * day, 400 * day],
    ['no instant', 1e300, 400 * day],
  ] as const;
  for (const [title, until, seconds] of cases) {
    await store.claim([{ key: title, until }], NOW);
    await store.hold([{ name: title, value: '', until, groups: [title] }], NOW);
    for (const kind of ['claim', 'held', 'group']) {
      const left = (await beside.pttl(`{wayhome}:${kind}:${title}`)) / 1_000;
      t.ok(left > seconds + 290 && left <= seconds + 300, `${kind} of ${title}: ${left} s`);
    }
  }
  t.same(await store.claim([{ key: 'no instant', until: NOW }], NOW + 9), { replayed: 'no instant' });
});

t.test('a Redis that may evict keys, or does not let us in, is not opened', { skip }, async (t) => {
  const evicting = await startRedis(t, { maxmemory: '100mb', 'maxmemory-policy': 'volatile-lru' });
  await t.rejects(openStore(evicting.address), { message: /evict keys \(maxmemory-policy volatile-lru\)/ });
  const open = await startRedis(t, { 'maxmemory-policy': 'allkeys-lru' });
  await t.resolves(
    openStore(open.address).then((store) => store.close()),
    'without a limit nothing is evicted',
  );
  const guarded = await startRedis(t, { requirepass: 'canary-password' });
  const refused = await openStore(guarded.address, { password: 'wrong' }).catch((error: Error) => error);
  t.match(refused, { message: /WRONGPASS|invalid/ });
  const [nobody] = await freePorts(1);
  await t.rejects(openStore(`redis://127.0.0.1:${nobody}`), { message: /ECONNREFUSED/ });
  const store = await openStore(guarded.address.replace('//', '//:wrong@'), { password: 'canary-password' });
  t.equal(await claim(store, 'a'), 'first', 'what is said beside the address wins');
  await store.close();
});

t.test('a Redis that forgets when it restarts is told of', { skip }, async (t) => {
  const forgetful = await startRedis(t, { appendonly: 'no' });
  t.match((await open(t, forgetful.address)).warnings, [/appendonly off/]);
  const durable = await startRedis(t);
  t.equal((await open(t, durable.address)).warnings, undefined);
});

t.test('with rediss, the server has to prove itself', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const authority = write('ca.pem', AUTHORITY);
  const [port = 0] = await freePorts(1);
  await startRedis(t, {
    'tls-port': `${port}`,
    'tls-cert-file': write('server.pem', SERVER_CERTIFICATE),
    'tls-key-file': write('server.key', SERVER_KEY),
    'tls-ca-cert-file': authority,
    'tls-auth-clients': 'no',
  });
  const module = JSON.stringify(new URL('../../src/store/open.ts', import.meta.url).href);
  const script = `
    const { openStore } = await import(${module});
    const store = await openStore('rediss://127.0.0.1:${port}');
    console.log(await store.claim([{ key: 'a', until: ${NOW} }], ${NOW}));
    await store.close();
  `;
  const run = (env: NodeJS.ProcessEnv) => spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' });
  t.match(run({}), { status: 1, stderr: /unable to verify|self.signed/ });
  t.match(run({ NODE_EXTRA_CA_CERTS: authority }), { status: 0, stdout: 'first\n' });
});

t.test('a user with the rights that docs/stores.md names is enough', { skip }, async (t) => {
  const [rights = ''] = /~\{wayhome\}\* [^`]*/.exec(readFileSync('docs/stores.md', 'utf8')) ?? [];
  const server = await startRedis(t, { user: `wayhome on >secret ${rights}` });
  const address = server.address.replace('//', '//wayhome:secret@');
  const store = await open(t, address, { replicas: 1 });
  await t.rejects(claim(store, 'a'), { message: /fewer than 1 replicas/ }, 'it may wait for them');
  keepsItsPromises(t, address, [server.port]);
});

t.test('with replicas, a change counts once they have it', { skip }, async (t) => {
  const server = await startRedis(t);
  const store = await open(t, server.address, { replicas: 1 });
  await t.rejects(claim(store, 'a'), { message: /fewer than 1 replicas/ });
  await startRedis(t, { replicaof: `127.0.0.1 ${server.port}` });
  t.ok((await recoversAfter(store)) < 5_000);
  t.same(await claim(store, 'a'), { replayed: 'a' }, 'a claim that failed may be taken all the same');
});

/** Claims without end while the master is killed: how many were made, and how long none could be. Milliseconds. */
async function failOver(t: Test, store: Store, kill: () => Promise<void> | undefined): Promise<void> {
  await recoversAfter(store);
  const claimed: string[] = [];
  let stopped = false;
  const load = (async () => {
    for (let index = 0; !stopped; index++) {
      const outcome = await claim(store, `load ${index}`).catch(() => undefined);
      if (outcome === 'first') claimed.push(`load ${index}`);
      await pause(1);
    }
  })();
  while (claimed.length < 200) await pause(1);
  await kill();
  const outage = await recoversAfter(store);
  stopped = true;
  await load;
  t.ok(outage < 5_000, `${Math.round(outage)} ms without a master`);
  const free = [];
  for (const key of claimed) if ((await claim(store, key)) === 'first') free.push(key);
  t.same(free, [], `all of ${claimed.length} claims are there`);
}

t.test('when Sentinels make another server the master, nothing that was claimed is free again', { skip }, async (t) => {
  const [master = 0, second = 0, third = 0, watch = 0] = await freePorts(4);
  const server = await startRedis(t, {}, master);
  for (const port of [second, third]) await startRedis(t, { replicaof: `127.0.0.1 ${master}` }, port);
  const sentinel = await startSentinel(t, watch, 'wayhome', master, 2);
  const store = await open(t, `redis+sentinel://127.0.0.1:${sentinel.port}/wayhome`, { replicas: 1 });
  await failOver(t, store, () => server.kill());
});

t.test('when a Cluster makes another node the master, nothing that was claimed is free again', { skip }, async (t) => {
  const nodes = await startCluster(t, 2);
  const hosts = nodes.slice(0, 4).map(({ port }) => `127.0.0.1:${port}`);
  const store = await open(t, `redis+cluster://${hosts.join()}`, { replicas: 1 });
  const master = await masterOf(nodes, '{wayhome}');
  t.ok(master);
  await failOver(t, store, () => master?.kill());
});
