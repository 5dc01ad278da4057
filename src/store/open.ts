import { openMemoryStore } from './memory.ts';
import type { Store } from './store.ts';

/** `sqlite:<absolute path>` or `memory:`; what else a routes file may name was refused when it was checked. */
export async function openStore(address: string): Promise<Store> {
  if (address === 'memory:') return openMemoryStore();
  const { openSqliteStore } = await import('./sqlite.ts');
  return openSqliteStore(address.slice('sqlite:'.length));
}
