import { checkAddresses } from './address-rules.ts';
import { checkBranding } from './branding-rules.ts';
import { buildRoutes } from './build-routes.ts';
import { checkCertificates } from './certificate-rules.ts';
import type { CheckedRoutes } from './checked.ts';
import { checkClaims } from './claim-rules.ts';
import { checkDomains } from './domain-rules.ts';
import { includeFiles } from './include.ts';
import { checkKeys } from './key-rules.ts';
import { checkOidc } from './oidc-rules.ts';
import { parseYaml } from './parse-yaml.ts';
import { readPictures } from './picture-rules.ts';
import { checkPortalClaims } from './portal-claim-rules.ts';
import { readPresets } from './preset-rules.ts';
import { type Problem, reportOn, sortProblems } from './problem.ts';
import { checkProxies } from './proxy-rules.ts';
import { checkReceivers } from './receiver-rules.ts';
import { checkOrder, checkReferences } from './reference-rules.ts';
import { checkRelyingParties } from './relying-party-rules.ts';
import { checkReach } from './rule-reach.ts';
import { readSamlProviders } from './saml-rules.ts';
import { type RoutesDraft, type RoutesFile, routesSchema } from './schema.ts';
import { prune, schemaProblems } from './schema-problems.ts';
import { checkOnePurpose, checkSealKeys } from './secret-rules.ts';
import { readSecrets, type Surroundings, secretsOf, standIns } from './secrets.ts';
import { checkSenders } from './sender-rules.ts';
import { checkSessions } from './session-rules.ts';
import { checkSignOut } from './sign-out-rules.ts';
import { checkStore } from './store-rules.ts';
import type { Survey } from './survey.ts';
import { checkTimes } from './time-rules.ts';
import { checkUrls } from './url-rules.ts';

/**
 * `files`: the routes file and every other file that was looked for; `patterns`: those of `include`. On a refusal, too,
 * so that a repair is seen.
 */
export type Outcome =
  | {
      readonly ok: true;
      readonly routes: CheckedRoutes;
      readonly notices: readonly Problem[];
      readonly files: readonly string[];
      readonly patterns: readonly string[];
    }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      readonly files: readonly string[];
      readonly patterns: readonly string[];
    };

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
  // Nothing could be read: that everything is missing would only be noise.
  if (parsed.tree === undefined) {
    return { ok: false, problems: sortProblems(parsed.problems), files: [...files], patterns: [] };
  }
  const { locate, fileOf, patterns, unread, problems: includeProblems } = includeFiles(parsed, surroundings);
  const report = reportOn({ file: given.file, locate });
  const names = {
    portals: keysOf(parsed.tree, 'portals'),
    environments: [...keysOf(parsed.tree, 'environments'), ...unread],
  };
  const faulty = schemaProblems(routesSchema, parsed.tree, report);
  const draft = (prune(parsed.tree, faulty) ?? {}) as RoutesDraft;
  const survey: Survey = { draft, report, names, insecure: draft.insecure_development === true };

  checkProduction(survey, surroundings);
  if (!hasFault(includeProblems)) checkPresence(survey);
  checkStore(survey);
  checkUrls(survey);
  checkAddresses(survey);
  checkReferences(survey);
  checkOrder(survey);
  checkSignOut(survey);
  checkDomains(survey);
  checkTimes(survey, surroundings.now);
  checkSessions(survey);
  checkProxies(survey);
  const uses = readSecrets(survey, surroundings, fileOf);
  const secrets = secretsOf(uses);
  checkOnePurpose(survey, uses);
  checkSealKeys(survey, uses);
  checkOidc(survey, secrets);
  checkRelyingParties(survey, secrets);
  checkReceivers(survey, secrets);
  checkSenders(survey);
  checkCertificates(survey, uses, given.now);
  const samlProviders = readSamlProviders(survey, secrets, given.now);
  const { presets, problems: presetProblems } = readPresets(survey, surroundings);
  checkKeys(survey, secrets, presets);
  checkClaims(survey, presets);
  checkPortalClaims(survey, presets);
  checkReach(survey);
  checkBranding(survey);
  const pictures = readPictures(survey, surroundings, fileOf);

  const problems = sortProblems([...report.problems, ...parsed.problems, ...includeProblems, ...presetProblems]);
  if (hasFault(problems)) {
    return { ok: false, problems, files: [...files], patterns };
  }
  const built = given.secrets === 'not_needed' ? standIns(uses) : secrets;
  const routes = buildRoutes(draft as RoutesFile, {
    file: given.file,
    files: [...files],
    secrets: built,
    presets,
    pictures,
    samlProviders,
  });
  return { ok: true, routes, notices: problems, files: [...files], patterns };
}

function checkProduction({ insecure, report }: Survey, { variables }: Surroundings): void {
  if (!insecure || variables.NODE_ENV !== 'production') return;
  const remedy = 'Remove it; NODE_ENV is production.';
  report.fault(['insecure_development'], 'plain http is not for production', remedy);
}

const hasFault = (problems: readonly Problem[]): boolean => problems.some(({ severity }) => severity === 'fault');

/** Environments stand in the routes file or in included ones; somewhere they have to. */
function checkPresence({ draft, names, report }: Survey): void {
  if (draft.environments || names.environments.length > 0 || report.blamed(['environments'])) return;
  const remedy = 'Write a name and, below it, what the environment needs; or include: environments.d/*.yaml.';
  report.fault(['environments'], 'required, and missing', remedy, 'key');
}

function keysOf(tree: unknown, section: string): string[] {
  const entries = (tree as Readonly<Record<string, unknown>> | null)?.[section];
  return typeof entries === 'object' && entries !== null && !Array.isArray(entries) ? Object.keys(entries) : [];
}
