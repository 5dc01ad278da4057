import type { CheckedRoutes } from '../config/checked.ts';
import { printable } from '../config/describe.ts';
import type { TrailStep } from '../core/discovery.ts';
import { REASONS } from '../core/reason.ts';
import { STEP_SENTENCES } from '../core/step-sentence.ts';
import type { Explanation, NoLogin } from './explain-request.ts';

/** An explanation as text for people: what every step saw and said, the outcome, and what comes next. */
export function describeExplanation(explanation: Explanation | NoLogin, { portals, routes }: CheckedRoutes): string {
  if ('error' in explanation) return explanation.message;
  const { portal, environment, reason, detail, trail, next } = explanation;
  const title = (portal && portals.get(portal)?.settings.portal.title) ?? '';
  const rows: (readonly [what: string, text: string])[] = [];
  if (portal) rows.push(['portal', named(portal, title)]);
  for (const [index, step] of trail.entries()) rows.push([`${index + 1}. ${step.by}`, describeStep(step)]);
  if (environment) rows.push(['environment', named(environment, routes.environments.get(environment)?.title ?? '')]);
  rows.push(['reason', `${reason}${detail === undefined ? '' : ` (${detail})`}`]);
  if (next.do === 'refuse') rows.push(['remedy', remedyOf(reason)]);
  rows.push(['next', describeNext(next)]);
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, text]) => printable(`${what.padEnd(width)}  ${text}`)).join('\n');
}

const named = (name: string, title: string): string => (title === '' || title === name ? name : `${name} (${title})`);

function describeStep({ outcome, reason, saw }: TrailStep): string {
  const sentence = STEP_SENTENCES[reason];
  return `${outcome.padEnd('answered'.length)}  ${sentence}${saw === '' ? '' : `: ${saw}`}`;
}

const remedyOf = (reason: Explanation['reason']): string =>
  Object.hasOwn(REASONS, reason) ? REASONS[reason as keyof typeof REASONS].remedy : '';

function describeNext(next: Explanation['next']): string {
  switch (next.do) {
    case 'depart':
      return `the browser goes to ${next.to}`;
    case 'ask':
      return `the person sees the ${next.to} page`;
    case 'refuse':
      return `the person sees a refusal, with status ${next.status}`;
  }
}
