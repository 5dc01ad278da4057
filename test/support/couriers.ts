import { readFileSync } from 'node:fs';
import type { Serving } from './process.ts';

/** The processes that deliver for a router (proc_pid_task(5)). */
export function couriersOf({ process: { pid } }: Pick<Serving, 'process'>): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim();
  const pids = children.split(' ').filter(Boolean).map(Number);
  return pids.filter((child) => read(`/proc/${child}/cmdline`).includes('courier'));
}

/** What proc_pid_stat(5) has of a process; `undefined` once it has gone. */
export function processStat(pid: number): { readonly state: string; readonly policy: number } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // Counted from behind the name, which may hold anything: the state is field 3, the policy field 41.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return stat === '' ? undefined : { state: fields[0] ?? '', policy: Number(fields[38]) };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
