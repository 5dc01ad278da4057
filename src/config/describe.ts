import type { Problem } from './problem.ts';

// Control, format and line-separating characters: a key in the file may hold terminal sequences.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** One problem in one line: `routes.yaml:12:5 environments.us.login.secrt: unknown key. Did you mean "secret"?` */
export function describeProblem({ severity, file, line, column, path, message, remedy }: Problem): string {
  const what = `${path === '' ? '' : `${path}: `}${severity === 'notice' ? 'notice: ' : ''}${message}.`;
  return printable(`${file}:${line}:${column} ${what}${remedy === '' ? '' : ` ${remedy}`}`);
}

/** Text from outside as it may stand on a terminal. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, '\ufffd');

/** Problems as text for people, a line each, without a last newline. */
export const describeProblems = (problems: readonly Problem[]): string => problems.map(describeProblem).join('\n');
