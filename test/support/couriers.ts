import type { Serving } from './process.ts';
import { readProc } from './scheduling.ts';

/** The processes that deliver for a router (proc_pid_task(5)). */
export function couriersOf({ process: { pid } }: Pick<Serving, 'process'>): number[] {
  const children = readProc(`${pid}/task/${pid}/children`).trim();
  const pids = children.split(' ').filter(Boolean).map(Number);
  return pids.filter((child) => readProc(`${child}/cmdline`).includes('courier'));
}
