import { execFile } from 'node:child_process';
import { constants, platform, setPriority } from 'node:os';

/**
 * Lets a process, or one thread by its ID (gettid(2)), run only where no other wants to. On Linux that is SCHED_IDLE
 * (sched(7)), which everything else preempts at once; the lowest priority of the ordinary ones would still finish its turn
 * of some milliseconds first. What cannot be had is done without.
 */
export function leaveCoresToOthers(id: number | undefined, which: 'process' | 'thread'): void {
  if (id === undefined) return;
  const lowest = () => {
    try {
      setPriority(id, constants.priority.PRIORITY_LOW);
    } catch {
      // It has ended, or may not be changed.
    }
  };
  const all = which === 'process' ? ['-a'] : [];
  if (platform() === 'linux') execFile('chrt', [...all, '-i', '-p', '0', String(id)], (error) => error && lowest());
  else if (which === 'process') lowest();
}
