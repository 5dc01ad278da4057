/** Loaded into every server (`--import`): answers the bench what its process has used, also at its end, and forces a
 * collection. */
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
    process.send?.(used());
  });
  process.on('exit', () => {
    if (process.connected) process.send?.(used());
  });
  // Whatever ended the bench ends its servers.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // The bench may listen for as long as it likes; the server ends when it wants to.
  process.channel?.unref();
}

function used(): Used {
  const { user, system } = process.cpuUsage();
  const { heapUsed, external } = process.memoryUsage();
  return { cpuMicros: user + system, peakMib: process.resourceUsage().maxRSS / 1024, liveBytes: heapUsed + external };
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
}
