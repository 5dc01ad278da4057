import type { DatabaseSync } from 'node:sqlite';

export type Commits = {
  /**
   * Does the work in one transaction with all other work of this turn of the event loop, since what a commit costs is
   * its fsync. Nobody is answered before that commit; where it fails, nothing of the batch was done and all throw.
   */
  share<T>(work: () => T): Promise<T>;
  /** Does the work in a transaction of its own, before it returns. */
  alone<T>(work: () => T): T;
  /** Commits what waits. */
  flush(): void;
};

type Waiting = {
  readonly work: () => unknown;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
};

/** The transactions of one connection to a database. */
export function openCommits(db: DatabaseSync): Commits {
  let waiting: Waiting[] = [];

  const alone = <T>(work: () => T): T => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  const flush = () => {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      const results = alone(() => batch.map(({ work }) => work()));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as never);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  return {
    share: (work) =>
      new Promise((resolve, reject) => {
        if (waiting.push({ work, resolve, reject }) === 1) setImmediate(flush);
      }),
    alone,
    flush,
  };
}
