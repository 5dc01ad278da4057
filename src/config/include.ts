import { basename, dirname, extname, join, relative } from 'node:path';
import { NAME_PATTERN } from '../core/names.ts';
import { INCLUDE_PATTERN, matchingFiles } from './include-pattern.ts';
import { isMapping, type Mapping, newMapping } from './mapping.ts';
import { type ParsedYaml, parseYaml } from './parse-yaml.ts';
import { dotted, type Locate, type Path, type Problem, quoted } from './problem.ts';
import { besideFile, type Surroundings } from './secrets.ts';

/** A routes file together with what it includes. */
export type Included = {
  /** Where everything stands, whichever file it is in. */
  readonly locate: Locate;
  /** The file that holds what is at a path; paths in it are relative to it. */
  fileOf(path: Path): string;
  readonly problems: readonly Problem[];
  /** Environments whose files hold nothing that can be read: a reference to them is no second fault. */
  readonly unread: readonly string[];
  /** The patterns as paths that the process can open: a file that matches later is wanted, too. */
  readonly patterns: readonly string[];
};

/** A file that holds one environment. `named`: it says its name itself. */
type Source = { readonly parsed: ParsedYaml; readonly named: boolean };

/** Files, and bytes of all of them. */
const MOST_FILES = 50_000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Reads the files that `include` names, one environment each, and puts them below `environments` of the tree: those
 * of the routes file first, the others by pattern and name. From there on they are judged like any other.
 */
export function includeFiles(main: ParsedYaml, surroundings: Surroundings): Included {
  const sources = new Map<string, Source>();
  const problems: Problem[] = [];
  const unread: string[] = [];
  const patterns = patternsOf((main.tree as Mapping | null)?.include);
  let bytes = 0;

  const readFile = (file: string, say: (message: string, remedy: string) => void) => {
    const content = surroundings.readFile(file);
    if (!Buffer.isBuffer(content)) {
      const name = JSON.stringify(relative(dirname(main.file), file));
      say(`${name} cannot be read (${content.error})`, 'An included file is a plain file of YAML.');
      return;
    }
    bytes += content.length;
    const parsed = parseIncluded(file, content);
    problems.push(...parsed.problems);
    const own = takeName(parsed.tree);
    const named = typeof own === 'string';
    const name = named ? own : basename(file, extname(file));
    if (own !== undefined && !named) {
      const remedy = 'Put quotes round it, or remove the key: the name of the file will do.';
      problems.push(faultAt(parsed, ['name'], 'must be a text', remedy));
    }
    plant(name, { parsed, named });
  };

  const plant = (name: string, source: Source) => {
    const { parsed } = source;
    const tree = main.tree as Mapping;
    if (parsed.tree === undefined) unread.push(name);
    // Here, and not with the other names: a schema does not see `__proto__`.
    if (!NAME_PATTERN.test(name)) {
      unread.push(name);
      const remedy = 'Write name: in it, or rename the file: 1 to 63 of these characters, without - at either end.';
      problems.push(faultAt(parsed, namePath(source), `${quoted(name)} must be a name of a-z, 0-9 and -`, remedy));
      return;
    }
    if (tree.environments === undefined) tree.environments = newMapping();
    // Anything but a mapping is the schema's to report.
    if (!isMapping(tree.environments)) return;
    const { environments } = tree;
    const first = sources.get(name);
    if (first || Object.hasOwn(environments, name)) {
      const message = `there are two environments ${quoted(name)}`;
      const there = first?.parsed ?? main;
      const remedy = (other: ParsedYaml) => `Rename or remove one; the other is in ${other.file}.`;
      if (first) problems.push(faultAt(there, namePath(first), message, remedy(parsed)));
      else problems.push(faultAt(there, ['environments', name], message, remedy(parsed), 'key'));
      problems.push(faultAt(parsed, namePath(source), message, remedy(there)));
      return;
    }
    sources.set(name, source);
    if (parsed.tree !== undefined) environments[name] = parsed.tree;
  };

  const seen = new Set([join(main.file)]);
  for (const { path, pattern } of patterns) {
    const say = (severity: Problem['severity'], message: string, remedy: string) => {
      problems.push({ ...faultAt(main, path, message, remedy), severity });
    };
    for (const file of matchingFiles(besideFile(main.file, pattern), surroundings, say)) {
      if (seen.has(file)) continue;
      seen.add(file);
      if (seen.size > MOST_FILES || bytes > MOST_BYTES) {
        say('fault', 'too much is included', `At most ${MOST_FILES} files and 64 MiB are read.`);
        break;
      }
      readFile(file, (message, remedy) => say('fault', message, remedy));
    }
  }

  const sourceOf = ([section, name]: Path): Source | undefined =>
    section === 'environments' && typeof name === 'string' ? sources.get(name) : undefined;
  return {
    locate(path, at) {
      const source = sourceOf(path);
      if (!source) return main.locate(path, at);
      const { parsed } = source;
      const [, , ...inside] = path;
      const place = inside.length === 0 ? parsed.locate(namePath(source)) : parsed.locate(inside, at);
      return { ...place, file: parsed.file };
    },
    fileOf: (path) => sourceOf(path)?.parsed.file ?? main.file,
    problems,
    unread,
    patterns: patterns.map(({ pattern }) => besideFile(main.file, pattern)),
  };
}

/** What stands at `include`, before the schema has judged it: only what can be a pattern. */
function patternsOf(include: unknown): { readonly path: Path; readonly pattern: string }[] {
  const list: readonly unknown[] = Array.isArray(include) ? include : [include];
  return list.flatMap((pattern, index) =>
    typeof pattern === 'string' && INCLUDE_PATTERN.test(pattern)
      ? [{ path: Array.isArray(include) ? ['include', index] : ['include'], pattern }]
      : [],
  );
}

function parseIncluded(file: string, content: Buffer): ParsedYaml {
  let text: string;
  try {
    text = UTF8.decode(content);
  } catch {
    const unreadable: ParsedYaml = { file, tree: undefined, problems: [], locate: () => ({ line: 1, column: 1 }) };
    return { ...unreadable, problems: [faultAt(unreadable, [], 'the file is not UTF-8', 'Save it as UTF-8.')] };
  }
  return parseYaml(file, text);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** `name` belongs to the file and not to the environment, so it leaves the tree. */
function takeName(tree: unknown): unknown {
  if (!isMapping(tree)) return undefined;
  const { name } = tree;
  delete tree.name;
  return name;
}

const namePath = ({ named }: Source): Path => (named ? ['name'] : []);

const faultAt = (
  { file, locate }: ParsedYaml,
  path: Path,
  message: string,
  remedy: string,
  at: 'key' | 'value' = 'value',
): Problem => ({
  severity: 'fault',
  file,
  ...locate(path, at),
  path: dotted(path),
  message,
  remedy,
});
