/**
 * `npm run bench -- [logins] [neighbours] [proxy] [--quick] [--json]`: the router against its peers, in ratios that were
 * measured side by side; all groups unless some are named. It starts and stops every server itself. It is no test: a
 * missed target is a line of the table, and the exit code is 0 all the same (2 for a wrong word).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Effort, FULL, QUICK } from './effort.ts';
import { measureLogins } from './logins.ts';
import { measureNeighbours } from './neighbours.ts';
import { pinLoad } from './pinning.ts';
import { print } from './print.ts';
import { measureProxies } from './proxying.ts';
import type { Report } from './report.ts';
import { Servers } from './server.ts';

const GROUPS = ['logins', 'neighbours', 'proxy'] as const;
type Group = (typeof GROUPS)[number];

type Options = { readonly groups: readonly Group[]; readonly json: boolean; readonly effort: Effort };

async function bench({ groups, effort }: Options): Promise<Report> {
  const began = performance.now();
  const cores = pinLoad();
  const folder = mkdtempSync(join(tmpdir(), 'wayhome-bench-'));
  const servers = new Servers(folder, cores);
  process.once('exit', () => {
    servers.killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

  const logins = groups.includes('logins') ? await measureLogins(servers, folder, effort) : undefined;
  const neighbours = groups.includes('neighbours') ? await measureNeighbours(servers, folder, effort) : [];
  const proxying = groups.includes('proxy') ? await measureProxies(servers, folder, effort) : undefined;
  return {
    rows: [...(logins?.rows ?? []), ...neighbours, ...(proxying?.rows ?? [])],
    ...(logins && { servers: logins.servers }),
    ...(proxying && { proxies: proxying.proxies }),
    leftOut: proxying?.leftOut ?? [],
    machine: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown processor', cores },
    rounds: effort.rounds,
    windows: effort.windows,
    at: new Date().toISOString(),
    seconds: (performance.now() - began) / 1000,
  };
}

function readOptions(): Options | undefined {
  try {
    const flags = { json: { type: 'boolean' }, quick: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ options: flags, allowPositionals: true });
    const groups = GROUPS.filter((group) => positionals.includes(group));
    if (groups.length < new Set(positionals).size) return undefined;
    return {
      groups: groups.length > 0 ? groups : GROUPS,
      json: values.json === true,
      effort: values.quick ? QUICK : FULL,
    };
  } catch {
    return undefined;
  }
}

const options = readOptions();
if (options) {
  const report = await bench(options);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : print(report));
} else {
  process.stderr.write('usage: npm run bench -- [logins] [neighbours] [proxy] [--quick] [--json]\n');
  process.exitCode = 2;
}
