import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAccess, RedisAddress } from './redis-address.ts';
import { judgeKeeping } from './redis-keeping.ts';
import { noticeScripts } from './redis-notice-scripts.ts';
import { PREFIX, scripts } from './redis-scripts.ts';

type ScriptName = keyof typeof SCRIPTS;

export type RedisConnection = {
  readonly client: Redis | Cluster;
  readonly warnings: readonly string[];
  /** Runs a script that changes nothing that may not be lost. Throws when Redis does not answer in time. */
  run(script: ScriptName, ...args: (string | number)[]): Promise<unknown>;
  /** Runs a script; with `replicas`, throws unless so many have what it changed. */
  change(script: ScriptName, ...args: (string | number)[]): Promise<unknown>;
  close(): Promise<void>;
};

const SCRIPTS = { ...scripts, ...noticeScripts };

/** No login waits longer for an answer; one that comes later is not accepted any more. Milliseconds. */
const ANSWER_MS = 500;

/** A connection on which nothing comes back for so long is given up. Milliseconds. */
const SILENT_MS = 1_000;

/** How long a server may take to be there when a router starts. Milliseconds. */
const OPEN_MS = 5_000;

/** How long replicas may take. Milliseconds, below `ANSWER_MS`. */
const REPLICAS_MS = 400;

/** Recovery takes no longer than this and a handshake. Milliseconds. */
const retryStrategy = (attempt: number): number => Math.min(50 * attempt, 500);

/** Everything that fails does so at once: what was not answered is not sent again, and nothing waits for better times. */
const common = ({ username, password }: RedisAccess, tls: boolean) =>
  ({
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    maxLoadingRetryTime: 250,
    commandTimeout: ANSWER_MS,
    connectTimeout: 1_000,
    socketTimeout: SILENT_MS,
    // A server that became a replica: the name leads to another one by now.
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    protocol: 2,
    connectionName: 'wayhome',
    disableClientInfo: true,
  }) satisfies RedisOptions;

/** Connects. Throws when Redis cannot be reached, or may throw away what the store has promised to keep. */
export async function openRedis(address: RedisAddress, access: RedisAccess): Promise<RedisConnection> {
  const client = address.kind === 'cluster' ? openCluster(address, access) : openServer(address, access);
  const warnings = new Set<string>();
  try {
    await ready(client);
    for (const node of client instanceof Cluster ? client.nodes('master') : [client])
      for (const warning of judgeKeeping(await node.info())) warnings.add(warning);
  } catch (error) {
    client.disconnect();
    throw error;
  }
  const call = (target: object, name: ScriptName, args: readonly (string | number)[]) =>
    (target as Record<string, (...args: unknown[]) => unknown>)[commandOf(name)]?.call(target, PREFIX, ...args);

  const run: RedisConnection['run'] = async (name, ...args) => call(client, name, args);
  return {
    client,
    warnings: [...warnings],
    run,
    async change(name, ...args) {
      const { replicas } = access;
      if (replicas === undefined) return run(name, ...args);
      const batch = client.pipeline();
      call(batch, name, args);
      const [made, waited] = (await batch.wait(replicas, REPLICAS_MS).exec()) ?? [];
      for (const failed of [made?.[0], waited?.[0]]) if (failed) throw failed;
      if (Number(waited?.[1]) < replicas) throw new Error(`fewer than ${replicas} replicas have the change`);
      return made?.[1];
    },
    async close() {
      await client.quit().catch(() => {});
      // What watches the Sentinels has connections of its own.
      client.disconnect();
    },
  };
}

/** What waiting does not change. */
const DENIED = /^(?:WRONGPASS|NOAUTH|NOPERM)/;

/** Waits for a server that is just starting, too. From here on every request throws on its own account. */
async function ready(client: Redis | Cluster): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const connected = new Promise<void>((resolve, reject) => {
    let latest = new Error('it does not answer');
    timer = setTimeout(() => reject(latest), OPEN_MS);
    client.on('error', (error: Error) => {
      latest = error;
      if (DENIED.test(error.message)) reject(error);
    });
    client.once('ready', resolve);
    client.connect().catch(() => {});
  });
  await connected.finally(() => clearTimeout(timer));
}

const commandOf = (name: string): string => `wayhome:${name}`;

const definitions = (): Record<string, { lua: string; numberOfKeys: number }> =>
  Object.fromEntries(Object.entries(SCRIPTS).map(([name, lua]) => [commandOf(name), { lua, numberOfKeys: 1 }]));

function openServer({ kind, tls, hosts, master, database }: RedisAddress, access: RedisAccess): Redis {
  const options = {
    ...common(access, tls),
    db: database,
    lazyConnect: true,
    retryStrategy,
    scripts: definitions(),
  };
  if (kind === 'single') return new Redis({ ...options, ...hosts[0] });
  return new Redis({
    ...options,
    sentinels: [...hosts],
    ...(master !== undefined && { name: master }),
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: ANSWER_MS,
    failoverDetector: true,
  });
}

function openCluster({ tls, hosts }: RedisAddress, access: RedisAccess): Cluster {
  return new Cluster([...hosts], {
    redisOptions: common(access, tls),
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryStrategy,
    // A claim that may have been made is not made again.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: 1_000,
    slotsRefreshInterval: 1_000,
    scripts: definitions(),
  });
}
