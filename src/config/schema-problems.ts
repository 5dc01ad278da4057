import { z } from 'zod';
import { didYouMean, listed, nearestAmong } from './nearest.ts';
import { dotted, type Path, quoted, type Report } from './problem.ts';
import { schemaIssues } from './schema-issues.ts';
import { type AnySchema, type Keys, keysAt } from './schema-keys.ts';

/** Schemas inside which even keys are not repeated in messages: what stands there may be a secret in the wrong place. */
export const unspeakable = z.registry<{ readonly why: string }>();

/** What a value must be and what to write instead, for `error` in a schema: read again by `schemaProblems`. */
export const says = (message: string, remedy: string): string => `${message}\n${remedy}`;

/**
 * Reports everything in a tree that does not fit its schema, with its place, the nearest known word and a remedy,
 * and returns the paths that have to leave the tree so that the rest of it fits, see `prune`.
 * Values of the file are repeated only where a fixed set of words is expected.
 */
export function schemaProblems(schema: AnySchema, tree: unknown, report: Report): Path[] {
  const issues = schemaIssues(schema, tree);
  const faulty: Path[] = [];
  /** Mappings that hold an unknown key. */
  const mistyped = new Set<string>();

  const judge = (issue: z.core.$ZodIssue, base: Path): void => {
    const path = [...base, ...(issue.path as Path)];
    if (issue.code === 'unrecognized_keys') {
      faulty.push(...issue.keys.map((key) => [...path, key]));
      mistyped.add(dotted(path));
      reportUnknownKeys(report, path, issue.keys, keysAt(schema, path, tree, unspeakable), valueAt(tree, path));
      return;
    }
    const inner = issue.code === 'invalid_union' ? likelyBranch(issue.errors) : undefined;
    if (inner) {
      for (const error of inOrder(inner)) judge(error, path);
      return;
    }
    faulty.push(path);
    // What is wrong as a whole is wrong because of the key that was just reported.
    if (issue.code === 'custom' && mistyped.has(dotted(path))) {
      report.excuse(path);
      return;
    }
    reportValue(report, path, issue, valueAt(tree, path));
  };

  for (const issue of inOrder(issues)) judge(issue, []);
  return faulty;
}

/** Unknown keys first: a mistyped key is one fault, not a missing key beside it. */
function inOrder(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const rank = ({ code }: z.core.$ZodIssue) => (code === 'unrecognized_keys' ? 0 : 1);
  return issues.toSorted((a, b) => rank(a) - rank(b));
}

function reportUnknownKeys(
  report: Report,
  path: Path,
  keys: readonly string[],
  { known, secret }: Keys,
  mapping: unknown,
): void {
  const nearest = nearestAmong(known);
  for (const key of keys) {
    const meant = nearest(key);
    if (meant !== undefined && !Object.hasOwn(mapping as object, meant)) report.excuse([...path, meant]);
    const remedy = `${didYouMean(meant)}${known.length === 0 ? 'Remove it.' : `Known keys: ${listed(known)}.`}`;
    // A slip of the pen can be named; anything else may be the secret itself.
    if (secret && meant === undefined) report.fault(path, 'holds an unknown key', remedy, 'key');
    else report.fault([...path, key], 'unknown key', remedy, 'key');
  }
}

function reportValue(report: Report, path: Path, issue: z.core.$ZodIssue, value: unknown): void {
  const words = expectedWords(issue);
  if (issue.code === 'invalid_key') {
    report.fault(path, ...split(issue.issues[0]?.message ?? 'this key cannot be used here'), 'key');
  } else if (words) {
    const meant = typeof value === 'string' ? nearestAmong(words)(value) : undefined;
    const remedy = `${didYouMean(meant)}${words.length === 1 ? 'Known' : 'One of'}: ${listed(words)}.`;
    if (value === undefined) reportMissing(report, path, remedy);
    else if (typeof value !== 'string') report.fault(path, `expected a word, found ${kindOf(value)}`, remedy);
    else report.fault(path, `${quoted(value)} is not known here`, remedy);
  } else if (value === undefined) {
    const [, remedy] = split(issue.message);
    reportMissing(report, path, remedy || `Write ${expectation(issue)}.`);
  } else if (issue.code === 'invalid_type' && !issue.message.includes('\n')) {
    report.fault(path, `expected ${expectation(issue)}, found ${kindOf(value)}`, hint(issue.expected, value));
  } else {
    report.fault(path, ...split(issue.message));
  }
}

function reportMissing(report: Report, path: Path, remedy: string): void {
  if (!report.blamed(path)) report.fault(path, 'required, and missing', remedy, 'key');
}

/** The branch of a union that takes this kind of value: it knows best what is wrong with it. */
function likelyBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const wrongKind = ({ path, code }: z.core.$ZodIssue) =>
    path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
  const fitting = branches.filter((issues) => !issues.some(wrongKind));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function expectedWords(issue: z.core.$ZodIssue): readonly string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code !== 'invalid_union' || issue.discriminator === undefined) return undefined;
  return 'options' in issue ? (issue.options as readonly unknown[]).map(String) : [];
}

/** Takes faulty values out of a tree, in place; lists keep their indexes. What remains fits the schema as far as it goes. */
export function prune(tree: unknown, faulty: readonly Path[]): unknown {
  for (const path of faulty) {
    const last = path.at(-1);
    if (last === undefined) return undefined;
    const container = valueAt(tree, path.slice(0, -1));
    if (Array.isArray(container)) container[Number(last)] = undefined;
    else if (typeof container === 'object' && container !== null) delete (container as Record<string, unknown>)[last];
  }
  return tree;
}

const valueAt = (tree: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, part) => (value as Record<string | number, unknown> | null | undefined)?.[part], tree);

function split(message: string): [message: string, remedy: string] {
  const [first = '', ...rest] = message.split('\n');
  return [first, rest.join(' ')];
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
};

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? issue.expected;
  return split(issue.message)[0];
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return KINDS[typeof value] ?? typeof value;
}

function hint(expected: string, value: unknown): string {
  if (value === null) return 'Write a value, or remove the key.';
  if (expected === 'string' && typeof value !== 'object') return 'Put quotes round it.';
  if (expected === 'array') return 'Write it in square brackets: [a, b].';
  if (expected === 'object' || expected === 'record') return 'Write keys with values: { key: value }.';
  return `Write ${KINDS[expected] ?? expected}.`;
}
