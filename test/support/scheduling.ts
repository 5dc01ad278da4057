/** What the system says of processes and threads. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** sched(7). */
export const SCHED_IDLE = 5;

/** Whether this system can let something run only where nobody else wants to. */
export function canYield(): boolean {
  try {
    execFileSync('chrt', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What proc_pid_stat(5) has of a process or thread; `undefined` once it has gone. */
export function processStat(id: number): { readonly state: string; readonly policy: number } | undefined {
  const stat = readProc(`${id}/stat`);
  // Counted from behind the name, which may hold anything: the state is field 3, the policy field 41.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return stat === '' ? undefined : { state: fields[0] ?? '', policy: Number(fields[38]) };
}

/** A file below /proc; nothing where that is not there. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
