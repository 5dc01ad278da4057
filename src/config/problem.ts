/**
 * The contract of this room: a routes file becomes a checked tree, or the list of everything that is wrong with
 * it. `config/` owns the words of routes.yaml, their positions and their remedies; it leaves to others what the
 * checked tree is opened into. It opens no socket, and no secret ever stands in a problem.
 */
/** Keys and indexes from the root of a tree. */
export type Path = readonly (string | number)[];

export type Place = { readonly line: number; readonly column: number };

/**
 * Where a value or its key stands; for what is absent, where the nearest mapping that is there has its key.
 * `file` where that is another file than the tree's own.
 */
export type Locate = (path: Path, at?: 'key' | 'value') => Place & { readonly file?: string };

export type Problem = {
  /** A fault makes the file invalid; a notice does not. */
  readonly severity: 'fault' | 'notice';
  readonly file: string;
  /** Both count from 1; a column is one UTF-16 code unit. */
  readonly line: number;
  readonly column: number;
  /** Where in the tree, dotted: `environments.us.login.secret`, `discovery[2].to`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
};

/** Collects the problems of one file. `at: 'key'` points to the key rather than to its value. */
export type Report = {
  readonly problems: Problem[];
  fault(path: Path, message: string, remedy: string, at?: 'key' | 'value'): void;
  notice(path: Path, message: string, remedy: string, at?: 'key' | 'value'): void;
  /** Its absence is explained by a fault elsewhere: it counts as blamed. */
  excuse(path: Path): void;
  /** Whether a fault was reported at this path or at something that holds it. */
  blamed(path: Path): boolean;
};

export function reportOn(source: { readonly file: string; readonly locate: Locate }): Report {
  const problems: Problem[] = [];
  const blamed = new Set<string>();
  const add =
    (severity: Problem['severity']): Report['fault'] =>
    (to, message, remedy, at = 'value') => {
      const path = dotted(to);
      if (severity === 'fault') blamed.add(path);
      problems.push({ severity, file: source.file, ...source.locate(to, at), path, message, remedy });
    };
  return {
    problems,
    fault: add('fault'),
    notice: add('notice'),
    excuse: (path) => void blamed.add(dotted(path)),
    blamed: (path) => path.some((_, index) => blamed.has(dotted(path.slice(0, index + 1)))),
  };
}

const PLAIN_KEY = /^[\w~$:/-]{1,80}$/;

/** `['discovery', 2, 'to']` → `discovery[2].to`; keys with other characters are quoted, long ones are cut. */
export function dotted(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${PLAIN_KEY.test(part) ? part : quoted(part)}`;
  }
  return text;
}

/** A word out of the file as it may stand in a message: quoted, at most 80 characters. */
export const quoted = (word: string): string => JSON.stringify(word.length > 80 ? `${word.slice(0, 79)}…` : word);

/** By file (that of the first problem first), then by position; the same problem at the same place stands once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map((problem) => problem.file))];
  const rank = new Map(files.map((file, index) => [file, index]));
  const sorted = problems.toSorted(
    (a, b) => (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.line - b.line || a.column - b.column,
  );
  const seen = new Set<string>();
  return sorted.filter(({ file, line, column, path, message }) => {
    const same = JSON.stringify([file, line, column, path, message]);
    return !seen.has(same) && seen.add(same);
  });
}
