import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { CheckedRoutes } from '../config/checked.ts';
import { describeProblems } from '../config/describe.ts';
import { readRoutes } from '../config/read.ts';
import { blindSpots } from '../core/blind-spots.ts';
import { openComparison } from '../core/comparison.ts';
import { parseRecord } from '../core/parse-record.ts';
import { readsOf } from '../core/reads.ts';
import { NoDecisions, readDecisionLines } from './decisions.ts';
import { type Compared, comparisonDocument, describeComparison } from './describe-comparison.ts';
import type { Io } from './io.ts';

const USAGE = `usage: wayhome diff old.yaml new.yaml [--decisions file.jsonl] [--json]
       wayhome diff --export old.yaml > file.jsonl

Replays recorded routing decisions against both files: which logins would move, from where to where, and why.
The decisions are those in old.yaml's store (record: { keep: 50000 } in routes.yaml), or in a file that --export
wrote. Secrets need not be set, and nothing is changed.
Exit status: 0 none moves, 1 some move, 2 wrong usage, a faulty file or no decisions.
`;

/** `wayhome diff`: prints which recorded logins would move. Returns the exit status. */
export async function diff(args: readonly string[], io: Io): Promise<0 | 1 | 2> {
  const asked = readArguments(args);
  if (asked === 'help') {
    io.stdout.write(USAGE);
    return 0;
  }
  if (typeof asked === 'string') {
    io.stderr.write(`wayhome diff: ${asked}\n${USAGE}`);
    return 2;
  }
  try {
    const [old, next] = await Promise.all(asked.files.map((file) => readFaultless(file, io)));
    if (!old) return 2;
    if (asked.export) return await exportDecisions(old, io);
    return next ? await compare(old, next, asked, io) : 2;
  } catch (error) {
    if (!(error instanceof NoDecisions)) throw error;
    io.stderr.write(`wayhome diff: ${error.message}\n`);
    return 2;
  }
}

type Asked = {
  readonly files: readonly string[];
  readonly decisions?: string;
  readonly json: boolean;
  readonly export: boolean;
};

function readArguments(args: readonly string[]): Asked | 'help' | string {
  try {
    const { values, positionals: files } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        decisions: { type: 'string' },
        export: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { help, ...asked } = values;
    if (help) return 'help';
    if (asked.export && (files.length !== 1 || asked.json || asked.decisions !== undefined))
      return '--export takes one routes file and nothing else';
    return asked.export || files.length === 2 ? { ...asked, files } : 'two routes files are compared';
  } catch (error) {
    return (error as Error).message;
  }
}

/** The checked file; `undefined` when it has faults, which have then been told. */
async function readFaultless(file: string, { env, stderr }: Io): Promise<CheckedRoutes | undefined> {
  const outcome = await readRoutes(file, env, { secrets: 'not_needed' });
  if (outcome.ok) return outcome.routes;
  stderr.write(`${describeProblems(outcome.problems)}\n`);
  return undefined;
}

async function exportDecisions(routes: CheckedRoutes, { stdout }: Io): Promise<0> {
  const lines = async function* () {
    for await (const line of readDecisionLines(routes)) yield `${line}\n`;
  };
  await pipeline(Readable.from(lines()), stdout, { end: false });
  return 0;
}

async function compare(
  old: CheckedRoutes,
  next: CheckedRoutes,
  { decisions, json }: Asked,
  { stdout }: Io,
): Promise<0 | 1> {
  const comparison = openComparison(old.routes, next.routes);
  let unreadable = 0;
  for await (const line of readDecisionLines(old, decisions)) {
    const record = parseRecord(line);
    if (record) comparison.add(record);
    else unreadable += 1;
  }
  const result = comparison.result();
  if (result.decisions === 0) throw new NoDecisions(`none of the ${unreadable} lines is a recorded decision`);
  const spots = blindSpots(readsOf(old.routes), readsOf(next.routes));
  const compared: Compared = { ...result, unreadable, blindSpots: spots };
  stdout.write(
    json
      ? `${JSON.stringify(comparisonDocument(compared), null, 2)}\n`
      : `${describeComparison(compared).join('\n')}\n`,
  );
  return result.moved === 0 ? 0 : 1;
}
