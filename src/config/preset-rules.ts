import type { PortalName } from '../core/names.ts';
import { parseDuration } from '../core/time.ts';
import { checkPreset } from '../portals/check-preset.ts';
import { checkSettings } from '../portals/check-settings.ts';
import { type ClaimNames, checkClaimNames, renameClaims } from '../portals/claim-names.ts';
import { builtInPreset, builtInPresetNames } from '../portals/load.ts';
import type { PortalProblem } from '../portals/portal-problem.ts';
import { type PortalPreset, presetSchema } from '../portals/preset.ts';
import { didYouMean, listed, nearestAmong } from './nearest.ts';
import { parseYaml } from './parse-yaml.ts';
import { type Path, type Problem, quoted, reportOn } from './problem.ts';
import type { PortalDraft } from './schema.ts';
import { schemaProblems } from './schema-problems.ts';
import { besideFile, type Surroundings } from './secrets.ts';
import { portalsOf, type Survey } from './survey.ts';

export type PresetFindings = {
  /** By portal; a portal whose preset could not be read is absent. */
  readonly presets: ReadonlyMap<PortalName, PortalPreset>;
  /** Of the preset files, with their own positions. */
  readonly problems: readonly Problem[];
};

/** Finds the preset of every portal, built in or in a file, and holds the portal's settings against it. */
export function readPresets(survey: Survey, surroundings: Surroundings): PresetFindings {
  const { report } = survey;
  const presets = new Map<PortalName, PortalPreset>();
  const problems: Problem[] = [];
  const read = new Map<string, PortalPreset | undefined>();
  const names = builtInPresetNames();
  const nearest = nearestAmong(names);

  const find = (word: string, path: Path): PortalPreset | undefined => {
    if (!isFile(word)) {
      if (!names.includes(word)) {
        const remedy = `${didYouMean(nearest(word))}Built in: ${listed(names)}; or write a path to a preset file (./own.yaml).`;
        report.fault(path, `there is no preset ${quoted(word)}`, remedy);
        return undefined;
      }
      return builtInPreset(word);
    }
    const file = besideFile(surroundings.file, word);
    const content = surroundings.readFile(file);
    if (Buffer.isBuffer(content)) {
      const outcome = checkPresetFile(file, content.toString('utf8'));
      problems.push(...outcome.problems);
      return outcome.preset;
    }
    report.fault(path, `the preset file cannot be read (${content.error})`, 'The path is relative to the routes file.');
    return undefined;
  };

  for (const { name, path, entry } of portalsOf(survey)) {
    const { preset: word } = entry;
    if (word === undefined) continue;
    if (!read.has(word)) read.set(word, find(word, [...path, 'preset']));
    else if (!read.get(word))
      report.fault([...path, 'preset'], 'this preset cannot be used', 'See the problem reported above.');
    const preset = read.get(word);
    if (!preset) continue;
    const names = writtenNames(entry);
    presets.set(name as PortalName, Object.keys(names).length === 0 ? preset : renameClaims(preset, names));
    checkPortal(survey, path, entry, preset);
    reportOf(survey, path, checkClaimNames(preset, names));
  }
  return { presets, problems };
}

/** Text of a preset file → the preset, or every problem of it at its own place. */
export function checkPresetFile(file: string, text: string): { preset?: PortalPreset; problems: readonly Problem[] } {
  const parsed = parseYaml(file, text);
  const report = reportOn(parsed);
  schemaProblems(presetSchema, parsed.tree, report);
  const malformed = [...parsed.problems, ...report.problems];
  if (malformed.length > 0) return { problems: malformed };
  const preset = presetSchema.parse(parsed.tree);
  for (const { path, message } of checkPreset(preset))
    report.fault(path, message, 'Compare it with a built-in preset.');
  return report.problems.length > 0 ? { problems: report.problems } : { preset, problems: [] };
}

const isFile = (word: string): boolean => word.includes('/') || /\.ya?ml$/.test(word);

function checkPortal({ report }: Survey, path: Path, portal: PortalDraft, preset: PortalPreset): void {
  const known = Object.keys(preset.config);
  const nearest = nearestAmong(known);
  const settings: Record<string, string> = {};
  for (const [key, value] of Object.entries(portal.settings ?? {})) {
    if (Object.hasOwn(preset.config, key) && value !== undefined) settings[key] = value;
    else {
      const meant = nearest(key);
      if (meant !== undefined && !Object.hasOwn(portal.settings ?? {}, meant))
        report.excuse([...path, 'settings', meant]);
      const remedy = `${didYouMean(meant)}${preset.title} has: ${listed(known) || 'none'}.`;
      report.fault([...path, 'settings', key], 'unknown setting', remedy, 'key');
    }
  }
  const { signing, token_lifetime: lifetime, delivery, allow_redirects: redirects = [] } = portal;
  const problems = checkSettings(preset, {
    settings,
    allowRedirects: redirects.map((url) => url ?? ''),
    tokenLifetime: (lifetime === undefined ? undefined : parseDuration(lifetime)) ?? preset.token.lifetime.default,
    ...(signing?.algorithm !== undefined && { algorithm: signing.algorithm, hasPrivateKey: !!signing.private_key }),
    ...(delivery && {
      delivery: {
        ...(delivery.mode !== undefined && { mode: delivery.mode }),
        ...(delivery.param !== undefined && { param: delivery.param }),
        ...(delivery.unsolicited_param !== undefined && { unsolicitedParam: delivery.unsolicited_param }),
      },
    }),
  });
  reportOf({ report }, path, problems);
}

function reportOf({ report }: Pick<Survey, 'report'>, path: Path, problems: readonly PortalProblem[]): void {
  for (const problem of problems) {
    const at = [...path, ...problem.path];
    // A value that is wrong for a reason of its own was reported with that reason.
    if (!report.blamed(at)) report.fault(at, problem.message, REMEDIES[String(problem.path[0])] ?? '');
  }
}

const writtenNames = ({ claims = {} }: PortalDraft): ClaimNames =>
  Object.fromEntries(Object.entries(claims).flatMap(([name, said]) => (said === undefined ? [] : [[name, said]])));

const REMEDIES: Readonly<Record<string, string>> = {
  settings: 'Compare it with the portal’s own settings page.',
  allow_redirects: 'Write origin and path, as the portal sends them.',
  token_lifetime: 'Shorten it, or remove the key to take the preset’s own.',
  signing: 'Choose one of these.',
  claims: 'docs/portals.md has the claims of every preset.',
  delivery: 'Remove the key to take the preset’s own.',
};
