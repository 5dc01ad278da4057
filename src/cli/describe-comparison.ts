import type { Comparison, Move } from '../core/comparison.ts';
import type { TrailStep } from '../core/discovery.ts';
import type { Decided, DecisionRecord, Values } from '../core/record.ts';

export type Compared = Comparison & {
  /** Lines that are no recorded decisions. */
  readonly unreadable: number;
  /** What the records cannot show, see core/blind-spots.ts. */
  readonly blindSpots: readonly string[];
};

/** A comparison as text for people, a line each. What came from outside is printed without control characters. */
export function describeComparison(compared: Compared): string[] {
  const { decisions, days, moved, moves, unjudged, drifted, unreadable, blindSpots } = compared;
  const [first, last] = days ?? ['', ''];
  const lines = [`${count(decisions, 'decision')} of ${first === last ? first : `${first} to ${last}`}`];
  lines.push(moved === 0 ? 'None would move.' : `${moved.toLocaleString('en')} would move:`);
  for (const move of moves) lines.push('', ...describeMove(move));
  if (unjudged.size + drifted + unreadable + blindSpots.length > 0) lines.push('');
  for (const [what, amount] of unjudged)
    lines.push(`Not judged: ${count(amount, 'decision')}, because ${what} was not recorded.`);
  if (drifted > 0) {
    lines.push(`${count(drifted, 'decision')} came out otherwise when recorded: the old file has changed since.`);
  }
  if (unreadable > 0) lines.push(`${count(unreadable, 'line')} could not be read as a recorded decision.`);
  for (const spot of blindSpots) lines.push(`Careful: ${spot}.`);
  return lines.map((line) => line.replace(UNPRINTABLE, '\ufffd'));
}

/** The same as one JSON document. */
export function comparisonDocument({ days, unjudged, blindSpots, ...rest }: Compared): object {
  const [first, last] = days ?? [null, null];
  return {
    ok: rest.moved === 0,
    first_day: first,
    last_day: last,
    ...rest,
    unjudged: [...unjudged].map(([lacks, decisions]) => ({ lacks, decisions })),
    blind_spots: blindSpots,
  };
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const count = (amount: number, what: string): string =>
  `${amount.toLocaleString('en')} ${what}${amount === 1 ? '' : 's'}`;

function describeMove({ from, to, parting, count: amount, examples }: Move): string[] {
  const { step, was, is } = parting;
  return [
    `${amount.toLocaleString('en').padStart(8)}  ${place(from)} → ${place(to)}`,
    `          because of ${cause(to)}; it was ${cause(from)}`,
    `          first difference at step ${step}: ${said(was)} → ${said(is)}`,
    ...examples.map((example) => `          e.g. ${describeRecord(example)}`),
  ];
}

function place({ environment, page }: Decided): string {
  if (environment) return environment;
  return page ? `the ${page} page` : 'a refusal';
}

const cause = ({ by, reason }: Decided): string => (by ? `${by} (${reason})` : reason);

const said = (step: TrailStep | undefined): string =>
  step ? `${step.by} ${step.outcome} (${step.reason})` : 'no such step';

function describeRecord(record: DecisionRecord): string {
  const { day, portal, host, language, client, remembered, choice, email, ask, tried } = record;
  const facts = [
    ...pairs(record.query),
    ...pairs(record.return_query, 'return '),
    ...pairs(record.headers),
    host && `host ${host}`,
    language && `language ${language}`,
    client && `client ${client}`,
    remembered && `remembered ${remembered.environment} for ${Math.ceil(remembered.age / 86_400)} d`,
    choice !== undefined && `chose ${choice}`,
    email !== undefined && `typed ${email}`,
    ask && `asked for the ${ask} page`,
    tried && `tried ${tried.join(', ')}`,
  ];
  return `${day} ${portal}: ${facts.filter(Boolean).join(', ') || 'nothing to go by'}`;
}

const pairs = (values: Values, prefix = ''): string[] =>
  Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [`${prefix}${name}=${value}`]));
