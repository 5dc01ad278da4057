/**
 * `npm run bench -- [--quick] [--json]`: the router against its peers, in ratios that were measured side by
 * side. It starts and stops every server itself. It is no test: a missed target is a line of the table, and the
 * exit code is 0 all the same (2 for a wrong option).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTESTANTS, type Contestant, holdContest } from './contest.ts';
import { measureCrowd } from './crowd.ts';
import { median } from './figures.ts';
import type { Measured } from './load.ts';
import { compareNeighbours } from './neighbours.ts';
import { bytesPerOpenLogin } from './open-logins.ts';
import { type Cores, pinLoad } from './pinning.ts';
import { print } from './print.ts';
import { type Row, tabulate } from './rows.ts';
import { Servers } from './server.ts';
import { compareStartUp } from './start-up.ts';

export type Report = {
  readonly rows: readonly Row[];
  /** Medians over the rounds. */
  readonly servers: Readonly<Record<Contestant, Omit<Measured, 'walks'> & { readonly peakMib: number }>>;
  readonly machine: {
    readonly node: string;
    readonly cpu: string;
    readonly cores: Cores | undefined;
    readonly rounds: number;
  };
  /** ISO 8601. */
  readonly at: string;
  readonly seconds: number;
};

/** How much is measured: a figure of `--quick` tells whether something broke, not what may be quoted. */
const FULL = { rounds: 5, measuredMs: 2_000, warmUpMs: 250, openLogins: 50_000, startUps: 7 };
const QUICK = { rounds: 2, measuredMs: 700, warmUpMs: 150, openLogins: 10_000, startUps: 3 };

async function bench(effort: typeof FULL): Promise<Report> {
  const { rounds, measuredMs, warmUpMs } = effort;
  const began = performance.now();
  const cores = pinLoad();
  const folder = mkdtempSync(join(tmpdir(), 'wayhome-bench-'));
  const servers = new Servers(folder, cores);
  process.once('exit', () => {
    servers.killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

  const round = { browsers: 32, measuredMs, warmUpMs };
  const startUp = await compareStartUp(servers, folder, effort.startUps);
  const crowd = await measureCrowd(servers, folder, rounds, { ...round, measuredMs: measuredMs / 2 });
  const contest = await holdContest(servers, folder, rounds, round);
  const peaks = {} as Record<Contestant, number>;
  for (const name of CONTESTANTS) peaks[name] = (await contest.servers[name].ask('used')).peakMib;
  const neighbours = await compareNeighbours(contest.servers.wayhome, rounds, measuredMs);
  const perOpenLogin = await bytesPerOpenLogin(contest.servers.wayhome, effort.openLogins);
  await servers.stopAll();

  const rows = tabulate({
    contest,
    neighbours,
    startUp,
    crowd,
    bytesPerOpenLogin: perOpenLogin,
    peaksMib: peaks,
  });
  const medians = (name: Contestant) => {
    const of = (figure: keyof Measured) => median(contest.rounds[name].map((measured) => measured[figure]));
    return {
      cpuMicros: of('cpuMicros'),
      p50: of('p50'),
      p99: of('p99'),
      perSecond: of('perSecond'),
      peakMib: peaks[name],
    };
  };
  return {
    rows,
    servers: Object.fromEntries(CONTESTANTS.map((name) => [name, medians(name)])) as Report['servers'],
    machine: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown processor', cores, rounds },
    at: new Date().toISOString(),
    seconds: (performance.now() - began) / 1000,
  };
}

function readOptions(): { readonly json?: boolean; readonly quick?: boolean } | undefined {
  try {
    return parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' } } }).values;
  } catch {
    return undefined;
  }
}

const options = readOptions();
if (options) {
  const report = await bench(options.quick ? QUICK : FULL);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : print(report));
} else {
  process.stderr.write('usage: npm run bench -- [--quick] [--json]\n');
  process.exitCode = 2;
}
