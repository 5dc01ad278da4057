import { randomBytes } from 'node:crypto';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { Instant } from '../core/time.ts';
import type { ListFolder, RealPath } from './include-pattern.ts';
import type { Path } from './problem.ts';
import { type NamedUse, namedUses, type Reference } from './secret-uses.ts';
import type { Survey } from './survey.ts';

/** What the pure part is given instead of a file system: the content, or a word that says why not (`ENOENT`). */
export type ReadFile = (path: string) => Buffer | { readonly error: string };

export type Surroundings = {
  /** The name of the routes file; other paths are relative to its folder. */
  readonly file: string;
  readonly readFile: ReadFile;
  /** For `include`. */
  readonly listFolder: ListFolder;
  readonly realPath: RealPath;
  /** The process's environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** When the file is checked: what was planned may be over. */
  readonly now: Instant;
  /**
   * `not_needed`: no secret or key is read or judged, and random bytes stand in their places. For questions about
   * the routes alone; what is opened from them can sign nothing and verify nothing. The password of the store is read
   * where it is there, since what the store recorded may be asked for. Default `needed`.
   */
  readonly secrets?: 'needed' | 'not_needed';
};

/** One of them, and what was found there. */
export type SecretUse = NamedUse & {
  /** Absent when it could not be read; that has been reported. */
  readonly value?: Buffer;
};

/**
 * Finds and reads everything that is named by `{ env }` or `{ file }`, and reports what is not there. `fileOf` tells the
 * file that holds what is at a path; the paths that it names are relative to it.
 */
export function readSecrets(survey: Survey, surroundings: Surroundings, fileOf: (path: Path) => string): SecretUse[] {
  const named = namedUses(survey);
  const needed = surroundings.secrets !== 'not_needed';
  return named.map((use) => {
    if (!needed && use.kind !== 'store_password') return use;
    const found = readReference(use.reference, fileOf(use.path), surroundings);
    if (Buffer.isBuffer(found)) return { ...use, value: found };
    if (found && needed) survey.report.fault([...use.path, found.key], found.message, found.remedy);
    return use;
  });
}

/** What was found, by the `{ env }` or `{ file }` of the tree that names it; the checked tree is filled from it. */
export type Secrets = ReadonlyMap<object, Buffer>;

export function secretsOf(uses: readonly SecretUse[]): Secrets {
  const secrets = new Map<object, Buffer>();
  for (const { reference, value } of uses) if (value) secrets.set(reference, value);
  return secrets;
}

/** For `secrets: 'not_needed'`: what nobody knows, in the form of a seal key. */
export const standIns = (uses: readonly SecretUse[]): Secrets =>
  new Map(uses.map(({ reference, value }) => [reference, value ?? Buffer.from(randomBytes(48).toString('base64url'))]));

/** A path of the routes file, relative to its folder, as the process can open it. */
export const besideFile = (file: string, path: string): string =>
  isAbsolute(path) ? normalize(path) : join(dirname(file), path);

type NotFound = { readonly key: 'env' | 'file'; readonly message: string; readonly remedy: string };

function readReference(
  { env, file }: Reference,
  relativeTo: string,
  surroundings: Surroundings,
): Buffer | NotFound | undefined {
  if (env !== undefined) {
    const value = Object.hasOwn(surroundings.variables, env) ? surroundings.variables[env] : undefined;
    if (value) return Buffer.from(value);
    const said = SPEAKABLE.test(env) ? `the environment variable ${env}` : 'this environment variable';
    return {
      key: 'env',
      message: `${said} is ${value === '' ? 'empty' : 'not set'}`,
      remedy: 'Set it where the router is started.',
    };
  }
  if (file === undefined) return undefined;
  const content = surroundings.readFile(besideFile(relativeTo, file));
  if (!Buffer.isBuffer(content)) {
    const remedy = 'The path is relative to the file that names it, and the router’s user must be able to read it.';
    return { key: 'file', message: `the file cannot be read (${content.error})`, remedy };
  }
  const value = withoutNewline(content);
  return value.length > 0
    ? value
    : { key: 'file', message: 'the file is empty', remedy: 'Write into it what it is named for.' };
}

/** What looks like the name of a variable; anything else may be the secret itself, written in the wrong place. */
const SPEAKABLE = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;

/** Editors end a file with one line break, which is not part of the secret. */
function withoutNewline(content: Buffer): Buffer {
  if (content.at(-1) !== 0x0a) return content;
  return content.subarray(0, content.at(-2) === 0x0d ? -2 : -1);
}
