import type { DatabaseSync } from 'node:sqlite';

export type Commits = {
  /**
   * Does the work in one transaction with all other work of this turn of the event loop, since what a commit costs is
   * its fsync. Nobody is answered before that commit; where it fails, nothing of the batch was done and all throw.
   */
  share<T>(work: () => T): Promise<T>;
  /**
   * As `share`, without an fsync: it outlives the process, and may be undone where the machine loses its power. Where
   * much of it comes, it waits a moment for more, since most of it changes the same pages.
   */
  shareLightly<T>(work: () => T): Promise<T>;
  /** Does the work in a transaction of its own, before it returns. */
  alone<T>(work: () => T): T;
  /** Commits what waits. */
  flush(): void;
};

type Waiting = {
  readonly work: () => unknown;
  readonly lightly: boolean;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
};

/** Milliseconds between two tries at a file that another process is writing. */
const RETRY_MS = 10;

export type CommitsOptions = {
  /**
   * Milliseconds for which shared work is tried again where another process holds the file, beyond the connection's own
   * timeout; the event loop goes on meanwhile.
   */
  readonly patience?: number;
  /** Milliseconds between two commits of light work alone. */
  readonly apart?: number;
};

/** The transactions of one connection to a database. */
export function openCommits(db: DatabaseSync, { patience = 0, apart = 0 }: CommitsOptions = {}): Commits {
  let waiting: Waiting[] = [];
  let synced = true;
  let committedAt = Number.NEGATIVE_INFINITY;
  let later: NodeJS.Timeout | undefined;
  let soon = false;
  /** When what waits has failed, if the file is busy until then. */
  let until: number | undefined;

  const sync = (wanted: boolean) => {
    if (wanted === synced) return;
    db.exec(`PRAGMA synchronous=${wanted ? 'FULL' : 'NORMAL'}`);
    synced = wanted;
  };
  const transact = <T>(work: () => T): T => {
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
  const commit = () => {
    clearTimeout(later);
    later = undefined;
    soon = false;
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    until ??= performance.now() + patience;
    try {
      sync(batch.some(({ lightly }) => !lightly));
      const results = transact(() => batch.map(({ work }) => work()));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as never);
    } catch (error) {
      if (isBusy(error) && performance.now() < until) {
        waiting = batch;
        later = setTimeout(commit, RETRY_MS);
        return;
      }
      for (const { reject } of batch) reject(error);
    }
    until = undefined;
    committedAt = performance.now();
  };
  const enqueue = <T>(work: () => T, lightly: boolean): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.push({ work, lightly, resolve, reject });
      // What comes while the file is busy goes with the next try.
      if (soon || until !== undefined) return;
      const wait = lightly ? committedAt + apart - performance.now() : 0;
      if (wait > 0) later ??= setTimeout(commit, wait);
      else {
        soon = true;
        setImmediate(commit);
      }
    });
  return {
    share: (work) => enqueue(work, false),
    shareLightly: (work) => enqueue(work, true),
    alone(work) {
      sync(true);
      return transact(work);
    },
    flush() {
      until = 0;
      commit();
      until = undefined;
    },
  };
}

/** SQLITE_BUSY and its extended codes. https://sqlite.org/rescode.html#busy */
const isBusy = (error: unknown): boolean => (Number((error as { errcode?: unknown }).errcode) & 0xff) === 5;
