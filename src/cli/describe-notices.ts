import { printable } from '../config/describe.ts';
import { isoTime } from '../logout/notice-document.ts';
import type { Notice, Notices } from '../store/notices.ts';

/** One line each, in columns. */
export function describeNotices(notices: readonly Notice[]): string[] {
  if (notices.length === 0) return ['none'];
  const rows = notices.map(({ changedAt, state, lane, attempts, run, id, receipt = '' }) => [
    isoTime(changedAt),
    state,
    lane,
    `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
    `run ${run}`,
    id,
    receipt,
  ]);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => printable(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).trimEnd());
}

/** All that is known of one. */
export function describeNotice({ id, lane, by, state, attempts, due, giveUpAt, changedAt, receipt }: Notice): string[] {
  const open = state === 'waiting' || state === 'taken';
  const next = by === 'push' ? `tried again at ${isoTime(due)}` : 'waits to be fetched';
  return [
    `${lane}: ${state} since ${isoTime(changedAt)}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
    ...(receipt === undefined ? [] : [`  at last: ${printable(receipt)}`]),
    ...(open ? [`  ${next}, given up at ${isoTime(giveUpAt)}`] : []),
    `  id ${id}`,
  ];
}

/** How many there are in all. */
export function describeCounts(counts: Awaited<ReturnType<Notices['counts']>>): string[] {
  const all = new Map<string, number>();
  for (const { state, count } of counts) all.set(state, (all.get(state) ?? 0) + count);
  return [[...all].map(([state, count]) => `${count} ${state}`).join(', ')].filter((line) => line !== '');
}
