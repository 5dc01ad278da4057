import { execFile } from 'node:child_process';
import { constants, platform, setPriority } from 'node:os';

/**
 * Lets a process run only where no other wants to. On Linux that is SCHED_IDLE (sched(7)), which everything else
 * preempts at once; the lowest priority of the ordinary ones would still finish its turn of some milliseconds first. What
 * cannot be had is done without.
 */
export function leaveCoresToOthers(pid: number | undefined): void {
  if (pid === undefined) return;
  const lowest = () => {
    try {
      setPriority(pid, constants.priority.PRIORITY_LOW);
    } catch {
      // It has ended, or may not be changed.
    }
  };
  if (platform() === 'linux') execFile('chrt', ['-a', '-i', '-p', '0', String(pid)], (error) => error && lowest());
  else lowest();
}
