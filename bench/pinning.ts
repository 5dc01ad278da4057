/** Servers on one core, the load on another: a server is then never slowed down by what measures it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The cores that the two sides have; `undefined` where there are not two, or no `taskset`. */
export type Cores = { readonly server: number; readonly load: number };

/** Pins this process, which makes the load, and answers where servers go. */
export function pinLoad(): Cores | undefined {
  try {
    const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    const [server, load] = list.split(',').flatMap(expand);
    if (server === undefined || load === undefined) return undefined;
    execFileSync('taskset', ['-acp', String(load), String(process.pid)], { stdio: 'ignore' });
    return { server, load };
  } catch {
    return undefined;
  }
}

/** `0-3` → 0, 1, 2, 3. */
function expand(range: string): number[] {
  const [first = 0, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
