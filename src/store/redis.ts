import { openRecorder } from './recorder.ts';
import { parseRedisAddress, type RedisAccess } from './redis-address.ts';
import { openRedis, type RedisConnection } from './redis-connection.ts';
import { expiryOf } from './redis-expiry.ts';
import { openHeld } from './redis-held.ts';
import { openNotices } from './redis-notices.ts';
import { PREFIX } from './redis-scripts.ts';
import type { Store } from './store.ts';

const DECISIONS = `${PREFIX}:decisions`;
const PAGE = 1_000;

/**
 * `redis:`: one store for routers on several machines. It is as durable as Redis is set up to be: docs/stores.md.
 * `access` wins over what the address says. Throws when there is no such Redis, or none that can be trusted with claims.
 */
export async function openRedisStore(address: string, access: RedisAccess): Promise<Store> {
  const connection = await connect(address, access);
  const { client, warnings, run, change, close } = connection;
  let writing: Promise<unknown> = Promise.resolve();

  const decisions = openRecorder((batch, keep) => {
    if (client.status !== 'ready') throw new Error('not connected');
    // Lost where this fails: a login does not wait for its record.
    writing = Promise.all([writing, run('record', keep, ...batch)]).catch(() => {});
  });
  return {
    async claim(keys, now) {
      if (keys.length === 0) return 'first';
      const given = keys.flatMap(({ key, until }) => [key, until, expiryOf(until, now)]);
      const taken = keys[Number(await change('claim', now, ...given)) - 1];
      return taken ? { replayed: taken.key } : 'first';
    },
    async keep(name, make) {
      const kept = await client.get(`${PREFIX}:kept:${name}`);
      return kept ?? String(await change('keep', name, make()));
    },
    replace: async (name, old, next) => (await change('replace', name, old, next)) === 1,
    record: decisions.record,
    async *recorded() {
      decisions.flush();
      await writing;
      yield* decisionsIn(connection);
    },
    ...(warnings.length > 0 && { warnings }),
    ...openHeld(connection),
    notices: openNotices(connection),
    // A write, as a claim would: a server can be read that is full, or a replica.
    async ping() {
      await client.set(`${PREFIX}:ping`, '', 'PX', 1_000);
    },
    async close() {
      decisions.flush();
      await writing;
      await close();
    },
  };
}

/** The decisions recorded in a Redis store, oldest first. Throws where there is none. */
export async function* readDecisions(address: string, access: RedisAccess): AsyncGenerator<string> {
  const connection = await connect(address, access);
  try {
    yield* decisionsIn(connection);
  } finally {
    await connection.close();
  }
}

/** In pages, which may miss some while others are recorded. */
async function* decisionsIn({ client }: RedisConnection): AsyncGenerator<string> {
  for (let from = 0, size = PAGE; size === PAGE; from += size) {
    const page = await client.lrange(DECISIONS, from, from + PAGE - 1);
    size = page.length;
    yield* page;
  }
}

async function connect(text: string, access: RedisAccess): Promise<RedisConnection> {
  const address = parseRedisAddress(text);
  if ('problem' in address) throw new Error(`its address ${address.problem}`);
  return openRedis(address, { ...address.access, ...access });
}
