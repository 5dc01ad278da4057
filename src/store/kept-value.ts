import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/**
 * A value that a router's sqlite store keeps (`Store.keep`), read by another process without leaving a trace: no
 * file is made, and nothing in one is changed. `undefined` when there is no such database or value. Throws where the
 * file is no store, or may not be read.
 */
export function readKeptValue(path: string, name: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const url = pathToFileURL(resolve(path));
  // Without a write-ahead log nobody has the database open, and opening it would make one. https://sqlite.org/wal.html#readonly
  if (!existsSync(`${path}-wal`)) url.searchParams.set('immutable', '1');
  const db = new DatabaseSync(url, { readOnly: true, timeout: 1_000 });
  try {
    const value = db.prepare('SELECT value FROM kept WHERE name = ?').get(name)?.value;
    return typeof value === 'string' ? value : undefined;
  } finally {
    db.close();
  }
}
