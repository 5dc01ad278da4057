import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { REDIS_CLI, REDIS_SERVER } from './counterparts.ts';

type Scope = { teardown(work: () => unknown): void };

/** A real redis-server on a port of its own. It is killed with its test. */
export type RedisServer = {
  readonly port: number;
  readonly address: string;
  /** Starts it again, with what it had written. */
  start(): Promise<void>;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
  /** Stops it in its tracks: connections stay open, and nothing is answered. */
  hang(): void;
  resume(): void;
};

/** Ports that nobody has at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as { port: number }).port);
  }
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** `settings` are words of redis.conf. What it is asked for is on the disk before it answers. */
export async function startRedis(
  t: Scope,
  settings: Readonly<Record<string, string>> = {},
  port?: number,
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'wayhome-redis-'));
  const taken = port ?? (await freePorts(1))[0] ?? 0;
  const words = { port: `${taken}`, bind: '127.0.0.1', dir: folder, save: '', ...DURABLE, ...settings };
  const args = Object.entries(words).flatMap(([word, value]) => [`--${word}`, ...(value ? value.split(' ') : [''])]);
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const start = async () => {
    child = spawn(REDIS_SERVER, args, { stdio: 'ignore' });
    await answers(taken, settings.requirepass);
  };
  t.teardown(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return {
    port: taken,
    address: `redis://127.0.0.1:${taken}`,
    start,
    kill,
    hang: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
  };
}

const DURABLE = { appendonly: 'yes', appendfsync: 'always', 'repl-diskless-sync-delay': '0' };

async function answers(port: number, password?: string): Promise<void> {
  const retryStrategy = (attempt: number) => (attempt < 500 ? 20 : null);
  const client = new Redis({ port, retryStrategy, ...(password !== undefined && { password }) });
  client.on('error', () => {});
  await client.ping();
  client.disconnect();
}

/** Three masters with the slots of a Cluster between them, and as many replicas of each. */
export async function startCluster(t: Scope, replicas = 0): Promise<readonly RedisServer[]> {
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '1000' };
  // A node listens 10,000 ports further up, too.
  const ports = (await freePorts(100)).filter((port) => port < 55_535).slice(0, 3 + 3 * replicas);
  const nodes = await Promise.all(ports.map((port) => startRedis(t, settings, port)));
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const words = ['--cluster', 'create', ...hosts, '--cluster-replicas', `${replicas}`, '--cluster-yes'];
  execFileSync(REDIS_CLI, words, { stdio: 'ignore' });
  for (const { port } of nodes) await agrees(port, 3 * replicas);
  return nodes;
}

/** They tell each other who has which slots, and who replicates whom. */
async function agrees(port: number, replicas: number): Promise<void> {
  const client = new Redis({ port });
  const agreed = async () => {
    const [info, nodes] = [await client.cluster('INFO'), String(await client.cluster('NODES'))];
    return info.includes('cluster_state:ok') && nodes.split('slave').length === replicas + 1;
  };
  while (!(await agreed())) await new Promise((resolve) => setTimeout(resolve, 50));
  client.disconnect();
}

/** Which of them has our keys. */
export async function masterOf(nodes: readonly RedisServer[], key: string): Promise<RedisServer | undefined> {
  const [first] = nodes;
  const client = new Redis({ port: first?.port ?? 0 });
  const slot = await client.cluster('KEYSLOT', key);
  const slots = await client.cluster('SLOTS');
  client.disconnect();
  const node = slots.find(([from, to]) => from <= slot && slot <= to)?.[2];
  return nodes.find(({ port }) => port === node?.[1]);
}

/** Forgets everything, so that a suite finds its store empty. */
export async function emptyRedis(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const client = new Redis({ port });
    await client.flushall();
    client.disconnect();
  }
}

/** One Sentinel that watches a master and takes half a second of silence for its end. */
export async function startSentinel(
  t: Scope,
  port: number,
  name: string,
  master: number,
  replicas: number,
): Promise<{ readonly port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'wayhome-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${master} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(REDIS_SERVER, [file, '--sentinel'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  await answers(port);
  const client = new Redis({ port, enableReadyCheck: false });
  const found = async () => ((await client.call('SENTINEL', 'REPLICAS', name)) as unknown[]).length;
  while ((await found()) < replicas) await new Promise((resolve) => setTimeout(resolve, 50));
  client.disconnect();
  return { port };
}
