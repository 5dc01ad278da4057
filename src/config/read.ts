import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Instant, systemClock } from '../core/time.ts';
import { checkRoutes, type Outcome } from './check.ts';
import type { ListFolder, RealPath } from './include-pattern.ts';
import { LONGEST_FILE } from './parse-yaml.ts';
import type { Problem } from './problem.ts';
import type { ReadFile, Surroundings } from './secrets.ts';

/** Bytes of a secret, key or preset file. */
const LARGEST_BESIDE = 256 * 1024;

/**
 * Reads a routes file and what it names (secrets, keys, presets), and checks all of it. Opens no socket and writes
 * nothing. A file that cannot be read is a problem like any other; only a bug throws.
 */
export async function readRoutes(
  path: string,
  variables: Readonly<Record<string, string | undefined>>,
  options: Pick<Surroundings, 'secrets'> = {},
  now: Instant = systemClock(),
): Promise<Outcome> {
  const refuse = (message: string, remedy: string): Outcome => {
    const problem: Problem = { severity: 'fault', file: path, line: 1, column: 1, path: '', message, remedy };
    return { ok: false, problems: [problem], files: [path], patterns: [] };
  };
  let bytes: Buffer;
  try {
    const found = statSync(path);
    if (!found.isFile()) return refuse('this is not a file', 'Name the routes file itself.');
    if (found.size > LONGEST_FILE) return refuse('the file is too long', 'At most 8 MiB are read.');
    bytes = await readFile(path);
  } catch (error) {
    return refuse(`the file cannot be read (${codeOf(error)})`, 'Name it as argument, or create routes.yaml here.');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('the file is not UTF-8', 'Save it as UTF-8.');
  }
  return checkRoutes({ file: path, text, ...FILES, now, variables, ...options });
}

/** Regular files only: a pipe or a device could hold the process for ever. */
const readBeside: ReadFile = (path) => {
  try {
    const found = statSync(path);
    if (!found.isFile()) return { error: 'not a file' };
    if (found.size > LARGEST_BESIDE) return { error: 'larger than 256 KiB' };
    return readFileSync(path);
  } catch (error) {
    return { error: codeOf(error) };
  }
};

const listFolder: ListFolder = (folder) => {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      link: entry.isSymbolicLink(),
    }));
  } catch (error) {
    return { error: codeOf(error) };
  }
};

const realPath: RealPath = (path) => {
  try {
    return realpathSync.native(path);
  } catch (error) {
    return { error: codeOf(error) };
  }
};

/** The file system, for the part that is pure. */
export const FILES = { readFile: readBeside, listFolder, realPath } as const;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error';
