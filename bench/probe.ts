/** Loaded into every server (`--import`): answers the bench what its process has used, and forces a collection. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export type Question = 'used' | 'collect';

export type Used = {
  /** User and system time of the whole process, all threads. Microseconds. */
  readonly cpuMicros: number;
  /** The most memory that was resident at any time. MiB. */
  readonly peakMib: number;
  /** Live bytes: V8's heap and what it holds outside. Exact only after `collect`. */
  readonly liveBytes: number;
};

if (process.send) {
  process.on('message', (question: Question) => {
    if (question === 'collect') collect();
    const { user, system } = process.cpuUsage();
    const { heapUsed, external } = process.memoryUsage();
    const peakMib = process.resourceUsage().maxRSS / 1024;
    process.send?.({ cpuMicros: user + system, peakMib, liveBytes: heapUsed + external } satisfies Used);
  });
  // The bench may listen for as long as it likes; the server ends when it wants to.
  process.channel?.unref();
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
}
