import { checkAddresses } from './address-rules.ts';
import { buildRoutes } from './build-routes.ts';
import type { CheckedRoutes } from './checked.ts';
import { checkClaims } from './claim-rules.ts';
import { checkDomains } from './domain-rules.ts';
import { checkKeys } from './key-rules.ts';
import { checkNotYet } from './not-yet.ts';
import { parseYaml } from './parse-yaml.ts';
import { readPresets } from './preset-rules.ts';
import { type Problem, reportOn, sortProblems } from './problem.ts';
import { checkOrder, checkReferences, checkSignOut } from './reference-rules.ts';
import { type RoutesDraft, type RoutesFile, routesSchema } from './schema.ts';
import { prune, schemaProblems } from './schema-problems.ts';
import { checkOnePurpose, checkSealKeys } from './secret-rules.ts';
import { readSecrets, type Surroundings, secretsByPath } from './secrets.ts';
import type { Survey } from './survey.ts';
import { checkUrls } from './url-rules.ts';

/** `files`: the routes file and every other file that was looked for; on a refusal too, so that a repair is seen. */
export type Outcome =
  | {
      readonly ok: true;
      readonly routes: CheckedRoutes;
      readonly notices: readonly Problem[];
      readonly files: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly files: readonly string[] };

/**
 * Text of a routes file → the checked tree, or every problem of it, sorted by place. Never throws.
 *
 * What does not fit the schema is reported and taken out; the rules between values then look at all that is left,
 * so one run finds faults of every kind.
 */
export function checkRoutes({ text, ...given }: Surroundings & { readonly text: string }): Outcome {
  const files = new Set([given.file]);
  const surroundings: Surroundings = {
    ...given,
    readFile(path) {
      files.add(path);
      return given.readFile(path);
    },
  };
  const parsed = parseYaml(given.file, text);
  const report = reportOn(parsed);
  const refuse = (more: readonly Problem[]): Outcome => {
    return { ok: false, problems: sortProblems([...report.problems, ...more]), files: [...files] };
  };
  // Nothing could be read: that everything is missing would only be noise.
  if (parsed.tree === undefined) return refuse(parsed.problems);

  const names = { portals: keysOf(parsed.tree, 'portals'), environments: keysOf(parsed.tree, 'environments') };
  const faulty = schemaProblems(routesSchema, parsed.tree, report);
  const draft = (prune(parsed.tree, faulty) ?? {}) as RoutesDraft;
  const survey: Survey = { draft, report, names, insecure: draft.insecure_development === true };

  checkProduction(survey, surroundings);
  checkNotYet(survey);
  checkUrls(survey);
  checkAddresses(survey);
  checkReferences(survey);
  checkOrder(survey);
  checkSignOut(survey);
  checkDomains(survey);
  const uses = readSecrets(survey, surroundings);
  const secrets = secretsByPath(uses);
  checkOnePurpose(survey, uses);
  checkSealKeys(survey, uses);
  checkKeys(survey, secrets);
  const { presets, problems: presetProblems } = readPresets(survey, surroundings);
  checkClaims(survey, presets);

  const problems = sortProblems([...report.problems, ...parsed.problems, ...presetProblems]);
  if (problems.some(({ severity }) => severity === 'fault')) return { ok: false, problems, files: [...files] };
  const routes = buildRoutes(draft as RoutesFile, { file: given.file, files: [...files], secrets, presets });
  return { ok: true, routes, notices: problems, files: [...files] };
}

function checkProduction({ insecure, report }: Survey, { variables }: Surroundings): void {
  if (!insecure || variables.NODE_ENV !== 'production') return;
  const remedy = 'Remove it; NODE_ENV is production.';
  report.fault(['insecure_development'], 'plain http is not for production', remedy);
}

function keysOf(tree: unknown, section: string): string[] {
  const entries = (tree as Readonly<Record<string, unknown>> | null)?.[section];
  return typeof entries === 'object' && entries !== null && !Array.isArray(entries) ? Object.keys(entries) : [];
}
