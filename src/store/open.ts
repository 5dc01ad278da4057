import { openMemoryStore } from './memory.ts';
import type { Store } from './store.ts';

/** `sqlite:<absolute path>` or `memory:`; what else a routes file may name was refused when it was checked. */
export async function openStore(address: string): Promise<Store> {
  if (address === 'memory:') return openMemoryStore();
  const { openSqliteStore } = await import('./sqlite.ts');
  return openSqliteStore(address.slice('sqlite:'.length));
}

/**
 * The decisions recorded in a store, oldest first, read without changing it; `memory:` has none for another process.
 * Throws where there is something else than a store.
 */
export async function* readRecorded(address: string): AsyncGenerator<string> {
  if (address === 'memory:') return;
  const { readDecisions } = await import('./sqlite-decisions.ts');
  yield* readDecisions(address.slice('sqlite:'.length));
}
