/** Rules that can never answer, and steps that come too late because earlier ones answer first. */
import { listed } from './nearest.ts';
import { atPortals, type Box, intersection, openSpace, outside, type Region, regionOf } from './rule-region.ts';
import type { RoutesFile } from './schema.ts';
import type { Survey } from './survey.ts';

/** Comparisons of a step with an earlier one, in one file; steps beyond that are not judged. */
const MOST_COMPARISONS = 200_000;

type Step = RoutesFile['discovery'][number];
type Answering = Extract<Step, { to: string }>;

/** What one step before always answers, whoever asks. */
type Taken = { readonly index: number; readonly box: Box };

/**
 * Reports, as notices, a rule whose parts contradict each other, a rule or default whose environment no portal in
 * question offers, and a step to which earlier rules and defaults leave nothing. What is reported is so; not all that
 * is so is found. A file with faults is not judged: what is missing could change the answer.
 */
export function checkReach({ draft, report }: Pick<Survey, 'draft' | 'report'>): void {
  if (report.problems.some(({ severity }) => severity === 'fault')) return;
  const file = draft as RoutesFile;
  const conditions = file.discovery.flatMap((step) => (step.by === 'rule' ? [step.when] : []));
  const space = openSpace(conditions, Object.keys(file.portals));
  const offering = offeringIn(file);
  const taken: Taken[] = [];
  let comparisons = 0;

  /** What is left of a region, and the steps that took the rest. */
  const leftOf = (region: Region): { left: Region; takers: ReadonlySet<number> } | undefined => {
    let left = region;
    const takers = new Set<number>();
    for (const { index, box } of taken) {
      comparisons += left.length;
      if (left.length === 0 || comparisons > MOST_COMPARISONS) break;
      const next = outside(space, left, box);
      if (!next) return undefined;
      if (next.length !== left.length || next.some((one, place) => one !== left[place])) takers.add(index);
      left = next;
    }
    return { left, takers };
  };

  for (const [index, step] of file.discovery.entries()) {
    const path = ['discovery', index];
    // The person can come to these by asking for them, past every other step.
    if (step.by === 'email' || step.by === 'picker') continue;
    const holds = step.by === 'rule' ? regionOf(space, step.when) : atPortals(space, Object.keys(file.portals));
    if (!holds) continue;
    if (holds.length === 0) {
      const remedy = 'All parts of one mapping have to hold. Put alternatives under any: [ … ].';
      report.notice([...path, 'when'], 'this rule never holds: its parts contradict each other', remedy, 'key');
      continue;
    }
    const answers = 'to' in step ? intersection([holds, atPortals(space, offering(step.to))]) : holds;
    if (answers?.length === 0) {
      const whom = step.by === 'rule' ? 'no portal that this rule can match' : 'no portal';
      const remedy = `Add ${'to' in step ? step.to : ''} to the environments of a portal, or remove the step.`;
      report.notice([...path, 'to'], `${whom} offers this environment, so the step is passed over`, remedy);
      continue;
    }
    const found = answers && leftOf(answers);
    if (found?.left.length === 0) {
      const before = listed([...found.takers].map((taker) => `discovery[${taker}]`));
      const remedy = `${before} does. Put this step higher, or remove it: as it stands, it is read only after an environment could not sign somebody in.`;
      report.notice(path, 'whenever this step could answer, an earlier one answers first', remedy);
    } else if (answers && 'to' in step && alwaysAdmits(file, step)) {
      taken.push(...answers.map((box) => ({ index, box })));
    }
  }
}

/** Tells the portals that offer an environment. */
function offeringIn({ portals }: RoutesFile): (environment: string) => string[] {
  const lists = Object.entries(portals).map(([name, { environments }]) => ({
    name,
    only: environments && new Set(environments),
  }));
  return (environment) => lists.flatMap(({ name, only }) => (!only || only.has(environment) ? [name] : []));
}

/** Words by which an environment is not offered, or not all the time. */
const PASSED_OVER = ['disabled', 'from', 'until'];

/** Whether a step that comes to its environment always answers with it. */
function alwaysAdmits({ environments }: RoutesFile, { to }: Answering): boolean {
  const environment = environments?.[to];
  return environment !== undefined && !PASSED_OVER.some((word) => word in environment);
}
