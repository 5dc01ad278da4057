/** What carrying a request costs, beside other proxies: every figure with its first target and its aim. */
import { ratio } from './figures.ts';
import { BEHAVING, type ProxyName } from './proxies.ts';
import type { Errand, ProxyContest } from './proxy-contest.ts';
import { type Row, row } from './row.ts';

export function tabulateProxies({ rounds }: ProxyContest): Row[] {
  const cpu = (name: ProxyName, errand: Errand) => rounds.get(name)?.[errand].map(({ cpuMicros }) => cpuMicros) ?? [];
  const fastest = (errand: Errand) =>
    cpu('wayhome', errand).map((_, round) => Math.min(...BEHAVING.map((name) => cpu(name, errand)[round] ?? Infinity)));
  const over = (errand: Errand, under: readonly number[]) => ratio(cpu('wayhome', errand), under);
  const library = 'the fastest library proxy that behaves';
  const rows = [
    row(`proxied 1 KB GET ÷ ${library}`, '×', over('get_1k', fastest('get_1k')), 0.75, 0.6),
    row(`proxied 100 KB GET ÷ ${library}`, '×', over('get_100k', fastest('get_100k')), 0.75, 0.6),
  ];
  if (!rounds.has('nginx')) return rows;
  return [
    ...rows,
    row('proxied 1 KB GET ÷ nginx', '×', over('get_1k', cpu('nginx', 'get_1k')), 2.5, 2.0),
    row('upgraded bytes ÷ nginx, 1 KB messages', '×', over('echo_1k', cpu('nginx', 'echo_1k')), 1.5, 1.1),
    row('upgraded bytes ÷ nginx, 100 KB messages', '×', over('echo_100k', cpu('nginx', 'echo_100k')), 1.5, 1.1),
  ];
}
