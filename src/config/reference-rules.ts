import { didYouMean, listed, nearestAmong } from './nearest.ts';
import { type Path, quoted } from './problem.ts';
import { conditionsIn, valuesOf } from './rule-values.ts';
import { portalsOf, type Survey } from './survey.ts';

/** Names that stand for a portal or an environment belong to one; the order of `discovery` makes sense. */
export function checkReferences(survey: Survey): void {
  const { draft, report } = survey;
  const refer = (what: string, known: readonly string[]) => {
    const names = new Set(known);
    const nearest = nearestAmong(known);
    return (path: Path, name: string | undefined) => {
      // Where the whole section is missing, that has been said.
      if (name === undefined || names.size === 0 || names.has(name)) return;
      const remedy = `${didYouMean(nearest(name))}There are: ${listed(known)}.`;
      report.fault(path, `there is no ${what} ${quoted(name)}`, remedy);
    };
  };
  const environment = refer('environment', survey.names.environments);
  const portal = refer('portal', survey.names.portals);

  for (const { path, entry } of portalsOf(survey)) {
    for (const [index, name] of (entry.environments ?? []).entries())
      environment([...path, 'environments', index], name);
  }
  for (const [index, step] of (draft.discovery ?? []).entries()) {
    if (step?.by === 'default') environment(['discovery', index, 'to'], step.to);
    if (step?.by !== 'rule') continue;
    environment(['discovery', index, 'to'], step.to);
    for (const { path: at, when } of conditionsIn(step.when, ['discovery', index, 'when']))
      for (const { path, value } of valuesOf(when.portal, [...at, 'portal'])) portal(path, value);
  }
}

/**
 * A list at whose end nobody is asked, or that would ask on a page that it does not have. What comes too late in it,
 * rule-reach.ts says.
 */
export function checkOrder({ draft, report }: Survey): void {
  const steps = draft.discovery ?? [];
  const asks = steps.some(
    (step) => step?.by === undefined || step.by === 'email' || step.by === 'picker' || step.by === 'default',
  );
  if (steps.length > 0 && !asks) {
    const remedy = 'End the list with picker, email or default.';
    report.notice(['discovery'], 'a person whom no step recognises is refused', remedy, 'key');
  }
  if (steps.some((step) => step?.by === undefined || step.by === 'picker')) return;
  for (const [index, step] of steps.entries()) {
    if (step?.by !== 'remembered' || !step.confirm) continue;
    const remedy = 'Add a step by: picker, on whose page the person is asked; or remove confirm.';
    report.fault(['discovery', index, 'confirm'], 'there is no picker to ask on', remedy);
  }
}
