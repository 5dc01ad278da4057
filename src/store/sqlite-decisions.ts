import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { openRecorder } from './recorder.ts';
import type { Store } from './store.ts';

const SCHEMA = 'CREATE TABLE IF NOT EXISTS decisions (id INTEGER PRIMARY KEY, decision TEXT NOT NULL) STRICT';

/** Decisions over the limit that one commit deletes: a limit that was lowered is reached bit by bit. */
const MOST_DELETED = 5_000;
const PAGE = 1_000;

type Connection = { readonly db: DatabaseSync; readonly add: StatementSync; readonly trim: StatementSync };

/**
 * The recorded decisions of a `sqlite:` store: a ring in a table of the same file.
 *
 * They have a connection of their own, opened with the first of them, because they may be lost and logins may
 * not wait: it gives up at once where the file is locked, and does not sync what it commits.
 */
export function openDecisions(path: string): Pick<Store, 'record' | 'recorded'> & { close(): void } {
  let connection: Connection | undefined;

  const connect = (): Connection => {
    const db = new DatabaseSync(path, { timeout: 0 });
    try {
      db.exec('PRAGMA synchronous=NORMAL');
      db.exec(SCHEMA);
      const add = db.prepare('INSERT INTO decisions (decision) VALUES (?)');
      const trim = db.prepare(
        'DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE id <= (SELECT max(id) FROM decisions) - ? LIMIT ?)',
      );
      return { db, add, trim };
    } catch (error) {
      db.close();
      throw error;
    }
  };
  const write = (decisions: readonly string[], keep: number) => {
    connection ??= connect();
    const { db, add, trim } = connection;
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const decision of decisions) add.run(decision);
      trim.run(keep, MOST_DELETED);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  const { record, flush } = openRecorder(write);
  return {
    record,
    async *recorded() {
      flush();
      yield* readDecisions(path);
    },
    close: () => {
      flush();
      connection?.db.close();
      connection = undefined;
    },
  };
}

/** The decisions in a database file, oldest first, read without changing it. Throws where it is no database. */
export async function* readDecisions(path: string): AsyncGenerator<string> {
  if (!existsSync(path)) return;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    if (!db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'decisions'").get()) return;
    // In pages: a long read would hold up the checkpoints of a router that is running.
    const page = db.prepare('SELECT id, decision FROM decisions WHERE id > ? ORDER BY id LIMIT ?');
    for (let last = 0, size = PAGE; size === PAGE; ) {
      const rows = page.all(last, PAGE);
      size = rows.length;
      last = Number(rows.at(-1)?.id ?? last);
      for (const { decision } of rows) yield String(decision);
    }
  } finally {
    db.close();
  }
}
