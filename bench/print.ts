import type { ErrandFigures, Report } from './report.ts';
import type { Row } from './row.ts';

/** The report for people: the table of targets, then what every server measured. */
export function print({ rows, servers, proxies, leftOut, machine, rounds, windows, seconds }: Report): string {
  const targets = [
    ['figure', 'measured', 'first', 'aim', 'reached'],
    ...rows.map((row) => [row.figure, show(row, row.measured), most(row, row.first), most(row, row.aim), row.reached]),
  ];
  const { node, cpu, cores } = machine;
  const pinned = cores ? `server on core ${cores.server}, load on core ${cores.load}` : 'not pinned';
  return [
    table(targets),
    '',
    ...(servers ? [table(loginLines(servers)), ''] : []),
    ...(proxies ? [table(proxyLines(proxies)), ''] : []),
    ...leftOut.map((line) => `left out: ${line}`),
    `node ${node}, ${cpu}, ${pinned}; medians of ${rounds} interleaved rounds, of ${windows} with each neighbour; ${seconds.toFixed(0)} s.`,
    'Only ratios of one run can be compared; absolute figures drift with the machine.',
    '',
  ].join('\n');
}

const loginLines = (servers: NonNullable<Report['servers']>): string[][] => [
  ['login', 'CPU µs', 'p50 ms', 'p99 ms', 'logins/s', 'peak MiB'],
  ...Object.entries(servers).map(([name, { cpuMicros, p50, p99, perSecond, peakMib }]) => [
    name,
    cpuMicros.toFixed(0),
    p50.toFixed(2),
    p99.toFixed(2),
    perSecond.toFixed(0),
    peakMib.toFixed(0),
  ]),
];

function proxyLines(proxies: NonNullable<Report['proxies']>): string[][] {
  const get = (figures: ErrandFigures | undefined) => [
    figures?.cpuMicros.toFixed(1) ?? '',
    figures?.times.nginx?.toFixed(2) ?? '',
    figures?.times.library?.toFixed(2) ?? '',
  ];
  const echo = (figures: ErrandFigures | undefined) => [
    figures?.cpuMicrosPerMb.toFixed(0) ?? '',
    figures?.times.nginx?.toFixed(2) ?? '',
  ];
  return [
    [
      'proxied',
      ...['1 KB µs', '÷ nginx', '÷ library', '100 KB µs', '÷ nginx', '÷ library'],
      ...['echo 1 KB µs/MB', '÷ nginx', 'echo 100 KB µs/MB', '÷ nginx', 'peak MiB'],
    ],
    ...Object.entries(proxies).map(([name, { get_1k, get_100k, echo_1k, echo_100k, peakMib }]) => [
      name,
      ...get(get_1k),
      ...get(get_100k),
      ...echo(echo_1k),
      ...echo(echo_100k),
      peakMib.toFixed(0),
    ]),
  ];
}

const show = ({ unit }: Row, value: number): string => {
  const number = Number.isInteger(value) ? String(value) : value.toFixed(2);
  return unit === '×' ? `${number} ×` : `${number} ${unit}`;
};

const most = (row: Row, value: number): string => `≤ ${show(row, Math.round(value * 100) / 100)}`;

/** Columns as wide as their widest cell; the first one to the left, numbers to the right. */
function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const [head = '', ...rest] = lines.map((line) => line.map(pad).join('  ').trimEnd());
  return [head, '─'.repeat(head.length), ...rest].join('\n');
}
