/** How long a decision may wait for others, and how many wait at the most; more are dropped. */
const GATHER_MS = 1_000;
const MOST_WAITING = 2_000;

/** A full batch is written at once: this many take about a millisecond. */
const BATCH = 256;

export type Recorder = {
  record(decision: string, keep: number): void;
  /** Writes what waits. */
  flush(): void;
};

/**
 * Gathers decisions and hands them to `write` in batches. A batch that could not be written waits for the next
 * one, and what comes in while the waiting room is full is dropped: a login never waits for its record.
 */
export function openRecorder(write: (decisions: readonly string[], keep: number) => void): Recorder {
  let waiting: string[] = [];
  let latestKeep = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    try {
      write(batch, latestKeep);
    } catch {
      // Busy, full or gone: a record is worth no more than another attempt.
      waiting = batch;
    }
  };
  const record = (decision: string, keep: number) => {
    latestKeep = keep;
    timer ??= setTimeout(flush, GATHER_MS).unref();
    if (waiting.length >= MOST_WAITING) return;
    waiting.push(decision);
    if (waiting.length === BATCH) setImmediate(flush);
  };
  return { record, flush };
}
