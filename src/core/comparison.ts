/**
 * Two routes files, asked about the same recorded decisions: which logins would go elsewhere, and why. Pure;
 * where the records come from and how the answer is shown is left to others.
 */
import { discover, type TrailStep } from './discovery.ts';
import { type Reads, readsOf } from './reads.ts';
import { type Decided, type DecisionRecord, decidedIn, factsOf, momentOf, type RoutingDecision } from './record.ts';
import type { Routes } from './routes.ts';

/** Logins that would move from the same to the same place, for the same reason. */
export type Move = {
  readonly from: Decided;
  readonly to: Decided;
  /** Where the two trails part: the first step that saw, answered or was something else. Counts from 1. */
  readonly parting: { readonly step: number; readonly was?: TrailStep; readonly is?: TrailStep };
  readonly count: number;
  readonly examples: readonly DecisionRecord[];
};

export type Comparison = {
  readonly decisions: number;
  /** Those of them whose records hold all that discovery asked for. */
  readonly judged: number;
  /** First and last day; absent where nothing was compared. */
  readonly days?: readonly [string, string];
  readonly moved: number;
  /** Those of most logins first. */
  readonly moves: readonly Move[];
  /** What discovery asked for and the records do not hold → how many could not be judged for it. */
  readonly unjudged: ReadonlyMap<string, number>;
  /** Decisions that the old file answers otherwise than was recorded: it has changed since. */
  readonly drifted: number;
};

const EXAMPLES = 3;

type Side = { readonly routes: Routes; readonly reads: Reads };

/** Takes the records one by one, so that they need not all be in memory. */
export function openComparison(
  oldRoutes: Routes,
  newRoutes: Routes,
): { add(record: DecisionRecord): void; result(): Comparison } {
  const before: Side = { routes: oldRoutes, reads: readsOf(oldRoutes) };
  const after: Side = { routes: newRoutes, reads: readsOf(newRoutes) };
  const moves = new Map<string, Move & { count: number; examples: DecisionRecord[] }>();
  const unjudged = new Map<string, number>();
  let [decisions, judged, moved, drifted] = [0, 0, 0, 0];
  let [first, last] = ['', ''];

  const add = (record: DecisionRecord): void => {
    decisions += 1;
    if (first === '' || record.day < first) first = record.day;
    if (record.day > last) last = record.day;
    const lacking = new Set<string>();
    const was = replay(before, record, lacking);
    const is = replay(after, record, lacking);
    for (const what of lacking) unjudged.set(what, (unjudged.get(what) ?? 0) + 1);
    if (lacking.size > 0) return;
    judged += 1;
    const [from, to] = [decidedIn(was), decidedIn(is)];
    if (!isSame(from, record.decided)) drifted += 1;
    if (isSamePlace(from, to)) return;
    moved += 1;
    const parting = whereTheyPart(was, is);
    const key = JSON.stringify([from, to, parting.step, parting.was?.by, parting.is?.by]);
    const known = moves.get(key);
    if (!known) moves.set(key, { from, to, parting, count: 1, examples: [record] });
    else {
      known.count += 1;
      if (known.examples.length < EXAMPLES) known.examples.push(record);
    }
  };

  const result = (): Comparison => ({
    decisions,
    judged,
    ...(decisions > 0 && { days: [first, last] as const }),
    moved,
    moves: [...moves.values()].sort((a, b) => b.count - a.count),
    unjudged,
    drifted,
  });
  return { add, result };
}

/** What `decide` does at a start, without what only a page needs: the list of a fleet's environments is long. */
function replay({ routes, reads }: Side, record: DecisionRecord, lacking: Set<string>): RoutingDecision {
  const portal = routes.portals.get(record.portal);
  if (!portal) return { do: 'refuse', reason: 'portal_unknown', trail: [] };
  const now = momentOf(record);
  const facts = factsOf(record, reads, now, (what) => lacking.add(what));
  const found = discover(routes.discovery, routes.environments, portal, facts, now);
  if (found.outcome === 'answered') return { do: 'depart', ...found };
  return found.outcome === 'asked'
    ? { do: 'ask', ...found }
    : { do: 'refuse', reason: 'environment_not_found', trail: found.trail };
}

const isSamePlace = (a: Decided, b: Decided): boolean =>
  a.environment === b.environment && a.page === b.page && (a.environment || a.page ? true : a.reason === b.reason);

const isSame = (a: Decided, b: Decided): boolean => isSamePlace(a, b) && a.reason === b.reason && a.by === b.by;

function whereTheyPart({ trail: was }: RoutingDecision, { trail: is }: RoutingDecision): Move['parting'] {
  const longest = Math.max(was.length, is.length);
  let index = 0;
  while (index < longest - 1 && isSameStep(was[index], is[index])) index += 1;
  const [left, right] = [was[index], is[index]];
  return { step: index + 1, ...(left && { was: left }), ...(right && { is: right }) };
}

const isSameStep = (a: TrailStep | undefined, b: TrailStep | undefined): boolean =>
  a?.by === b?.by && a?.outcome === b?.outcome && a?.reason === b?.reason;
