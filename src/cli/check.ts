import { parseArgs, styleText } from 'node:util';
import { describeProblem } from '../config/describe.ts';
import { readRoutes } from '../config/read.ts';
import type { Io } from './io.ts';

const USAGE = `usage: wayhome check [routes.yaml] [--json]

Reports every fault of a routes file, and opens no socket.
Exit status: 0 the file is right, 1 it has faults, 2 wrong usage.
`;

/** `wayhome check`: every problem of the routes file and a summary. Returns the exit status. */
export async function check(args: readonly string[], { stdout, stderr, env }: Io): Promise<0 | 1 | 2> {
  const asked = readArguments(args);
  if (typeof asked === 'string') {
    stderr.write(`wayhome check: ${asked}\n${USAGE}`);
    return 2;
  }
  if (asked.help) {
    stdout.write(USAGE);
    return 0;
  }
  const outcome = await readRoutes(asked.file, env);
  const problems = outcome.ok ? outcome.notices : outcome.problems;
  if (asked.json) {
    stdout.write(`${JSON.stringify({ ok: outcome.ok, file: asked.file, problems }, null, 2)}\n`);
    return outcome.ok ? 0 : 1;
  }
  const paint = (style: 'red' | 'yellow' | 'green', text: string) => styleText(style, text, { stream: stdout });
  for (const problem of problems) {
    stdout.write(`${paint(problem.severity === 'fault' ? 'red' : 'yellow', describeProblem(problem))}\n`);
  }
  const faults = problems.filter(({ severity }) => severity === 'fault').length;
  const counts = `${count(faults, 'fault')}, ${count(problems.length - faults, 'notice')}`;
  stdout.write(
    `${outcome.ok ? paint('green', `${asked.file} is right`) : paint('red', `${asked.file} is refused`)}: ${counts}\n`,
  );
  return outcome.ok ? 0 : 1;
}

type Asked = { readonly file: string; readonly json: boolean; readonly help: boolean };

function readArguments(args: readonly string[]): Asked | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    });
    const [file = './routes.yaml', ...more] = positionals;
    return more.length > 0 ? 'one file at a time' : { file, json: values.json, help: values.help };
  } catch (error) {
    return (error as Error).message;
  }
}

const count = (amount: number, what: string): string => `${amount} ${what}${amount === 1 ? '' : 's'}`;
