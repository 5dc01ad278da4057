import { checkRequest } from './check-request.ts';
import { checkResponses } from './check-response.ts';
import { checkSentence, checkTemplate, checkUrlTemplate } from './check-template.ts';
import { checkToken } from './check-token.ts';
import { checkTraded } from './check-traded.ts';
import type { Path, PortalProblem, Report } from './portal-problem.ts';
import { LOGIN_ORIGIN, type PortalPreset, type SettingRule } from './preset.ts';
import { allClaims } from './preset-token.ts';
import { parseTemplate } from './template.ts';

/** What the schema cannot say: that the parts of a preset fit together. Every fault at once. */
export function checkPreset(preset: PortalPreset): PortalProblem[] {
  const problems: PortalProblem[] = [];
  const report: Report = (path, message) => problems.push({ path, message });
  checkConfig(preset, report);
  checkRequest(preset, report);
  checkToken(preset, report);
  checkResponses(preset, report);
  checkTraded(preset, report);
  checkRest(preset, report);
  for (const [index, pointer] of (preset.unverified ?? []).entries()) {
    if (!pointsAtSomething(preset, pointer))
      report(['unverified', index], `${pointer} points at nothing in this preset`);
  }
  return problems;
}

function checkConfig(preset: PortalPreset, report: Report): void {
  for (const [name, rule] of Object.entries(preset.config)) {
    const path = ['config', name];
    if (name === LOGIN_ORIGIN) report(path, `${LOGIN_ORIGIN} is filled in by the router`);
    if (rule.pattern === undefined && rule.kind !== 'url') report(path, 'needs a pattern, or kind: url');
    if (rule.required && rule.default !== undefined) report([...path, 'default'], 'a required setting has no default');
    if (rule.default !== undefined) checkDefault(preset, rule, [...path, 'default'], report);
  }
}

function checkDefault(preset: PortalPreset, { kind, default: text = '' }: SettingRule, path: Path, report: Report) {
  if (kind === 'url') checkUrlTemplate(preset, text, path, report, 'config only');
  else checkTemplate(preset, text, path, report, 'config only');
  const names = (parseTemplate(text) ?? []).flatMap((part) => (typeof part === 'string' ? [] : [part.name]));
  const open = names.find((name) => !preset.config[name]?.required);
  if (open !== undefined) report(path, `${open} may itself be absent; a default names required settings only`);
}

function checkRest(preset: PortalPreset, report: Report): void {
  for (const [index, sentence] of (preset.setup ?? []).entries())
    checkSentence(preset, sentence, ['setup', index], report);
  // What is empty for a guest has to be an object that is there for everybody.
  if (preset.guest && !allClaims(preset.token).some(({ rule }) => rule.claims && rule.required))
    report(['guest'], 'needs a required claim with claims: what is an empty object for a guest');
  const { end_session_endpoint: end, post_logout_redirect_param: param } = preset.logout ?? {};
  if (end !== undefined) checkUrlTemplate(preset, end, ['logout', 'end_session_endpoint'], report, 'config only');
  if (param !== undefined && end === undefined)
    report(['logout', 'post_logout_redirect_param'], 'needs end_session_endpoint');
}

/** RFC 6901 §4; a name that a key of `unsolicited` inherits still has to be written there. */
function pointsAtSomething(preset: PortalPreset, pointer: string): boolean {
  let value: unknown = preset;
  for (const step of pointer.slice(1).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return true;
}
