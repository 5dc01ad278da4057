import { openMemoryStore } from './memory.ts';
import type { RedisAccess } from './redis-address.ts';
import type { Store } from './store.ts';

/**
 * `sqlite:<absolute path>`, `memory:` or a Redis address (redis-address.ts); what else a routes file may name was
 * refused when it was checked. What a store needs is loaded with it. Throws where it cannot be opened.
 */
export async function openStore(address: string, access: RedisAccess = {}): Promise<Store> {
  if (address === 'memory:') return openMemoryStore();
  if (address.startsWith('sqlite:')) {
    const { openSqliteStore } = await import('./sqlite.ts');
    return openSqliteStore(address.slice('sqlite:'.length));
  }
  const { openRedisStore } = await import('./redis.ts');
  return openRedisStore(address, access);
}

/**
 * The decisions recorded in a store, oldest first, read without changing it; `memory:` has none for another process.
 * Throws where there is something else than a store.
 */
export async function* readRecorded(address: string, access: RedisAccess = {}): AsyncGenerator<string> {
  if (address === 'memory:') return;
  if (address.startsWith('sqlite:')) {
    const { readDecisions } = await import('./sqlite-decisions.ts');
    yield* readDecisions(address.slice('sqlite:'.length));
    return;
  }
  const { readDecisions } = await import('./redis.ts');
  yield* readDecisions(address, access);
}
