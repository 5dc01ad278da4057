import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { checkPreset } from './check-preset.ts';
import type { PortalProblem } from './portal-problem.ts';
import { type PortalPreset, presetSchema } from './preset.ts';

export type PresetOutcome =
  | { readonly ok: true; readonly preset: PortalPreset }
  | { readonly ok: false; readonly problems: readonly PortalProblem[] };

const PRESETS = new URL('./presets/', import.meta.url);
const ENDING = '.yaml';

// They come with the code and change no sooner: read once.
let names: readonly string[] | undefined;
const opened = new Map<string, PortalPreset>();

/** Names of the presets that come with the router, sorted. Reads the folder. */
export function builtInPresetNames(): readonly string[] {
  names ??= readdirSync(PRESETS)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();
  return names;
}

/** A preset that comes with the router; `undefined` for an unknown name. Reads its file. */
export function builtInPreset(name: string): PortalPreset | undefined {
  if (!builtInPresetNames().includes(name)) return undefined;
  const known = opened.get(name);
  if (known) return known;
  const outcome = parsePreset(parse(readFileSync(new URL(`${name}${ENDING}`, PRESETS), 'utf8')));
  if (outcome.ok) {
    opened.set(name, outcome.preset);
    return outcome.preset;
  }
  const faults = outcome.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`built-in preset ${name}\n${faults.join('\n')}`);
}

/** A preset from the tree of a file (YAML or JSON, already parsed), or every fault of it. */
export function parsePreset(tree: unknown): PresetOutcome {
  const parsed = presetSchema.safeParse(tree);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap((issue) => describe(issue)) };
  const problems = checkPreset(parsed.data);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, preset: parsed.data };
}

type Issue = z.core.$ZodIssue;

/** A union is described by the branch that came furthest. */
function describe(issue: Issue, base: readonly (string | number)[] = []): PortalProblem[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'is not part of a preset' }));
  }
  if (issue.code === 'invalid_union') {
    const depth = (branch: readonly Issue[]) => Math.max(0, ...branch.map((inner) => inner.path.length));
    const [furthest] = issue.errors.toSorted((one, other) => depth(other) - depth(one));
    if (furthest && depth(furthest) > 0) return furthest.flatMap((inner) => describe(inner, path));
  }
  if (issue.code === 'invalid_key') return [{ path, message: issue.issues[0]?.message ?? issue.message }];
  return [{ path, message: issue.message }];
}
