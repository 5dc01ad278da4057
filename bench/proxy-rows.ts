/** What carrying a request costs, beside other proxies: every figure with its first target and its aim. */
import type { ProxyContest } from './proxy-contest.ts';
import { type Row, row } from './row.ts';
import { timesLibrary, timesNginx } from './yardsticks.ts';

/** A figure whose yardstick is not there has no line. */
export function tabulateProxies(contest: ProxyContest): Row[] {
  const over = (figure: string, value: number | undefined, first: number, aim: number): Row[] =>
    value === undefined ? [] : [row(figure, '×', value, first, aim)];
  const library = timesLibrary(contest, 'wayhome', 'get_1k');
  const nginx = timesNginx(contest, 'wayhome', 'get_1k');
  const small = timesNginx(contest, 'wayhome', 'echo_1k');
  const large = timesNginx(contest, 'wayhome', 'echo_100k');
  return [
    ...over('proxied 1 KB GET ÷ the fastest library proxy that behaves', library, 0.75, 0.6),
    ...over('proxied 1 KB GET ÷ nginx', nginx, 2.5, 2.0),
    ...over('upgraded bytes ÷ nginx, 1 KB messages', small, 1.5, 1.1),
    ...over('upgraded bytes ÷ nginx, 100 KB messages', large, 1.5, 1.1),
  ];
}
