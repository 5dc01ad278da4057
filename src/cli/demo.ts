import { parseArgs } from 'node:util';
import type { Io } from './io.ts';

// The demo is no part of the product and is not published with it, so its modules are named by address and these
// are the parts of them that the command uses.
type Demo = { readonly guide: string; readonly portal: string; readonly moved: boolean; close(): Promise<void> };
type Walked = { readonly journey: string; readonly ms: number; readonly problem?: string };
type StartDemo = (options: { ports: 'fixed' | 'free'; output: (line: string) => void }) => Promise<Demo>;
type CheckDemo = (demo: Demo, report: (walked: Walked) => void) => Promise<readonly Walked[]>;

const out = ({ stdout }: Io, line: string): unknown => stdout.write(`${line}\n`);
const err = ({ stderr }: Io, line: string): unknown => stderr.write(`${line}\n`);

const USAGE = 'usage: wayhome demo [--check [--json]]';

/** How much of the router's log is shown when a journey fails. Lines. */
const LOG_TAIL = 40;

/**
 * `wayhome demo`: a router, a portal and seven environments on loopback, until SIGINT or SIGTERM. With `--check`,
 * every journey by HTTP instead. Resolves to the exit code: 0 ok, 1 something failed, 2 usage.
 */
export async function demo(args: readonly string[], io: Io): Promise<number> {
  const options = readOptions(args);
  if (!options) {
    err(io, USAGE);
    return 2;
  }
  const parts = await loadDemo();
  if (!parts) {
    err(io, 'The demo is part of the source checkout: clone the repository and run `npm run demo` there.');
    return 1;
  }
  return options.check ? walkJourneys(parts, options.json, io) : runUntilStopped(parts.startDemo, io);
}

function readOptions(args: readonly string[]): { check: boolean; json: boolean } | undefined {
  try {
    const options = { check: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return values.json && !values.check ? undefined : values;
  } catch {
    return undefined;
  }
}

async function loadDemo(): Promise<{ startDemo: StartDemo; checkDemo: CheckDemo } | undefined> {
  const folder = new URL('../../examples/demo/', import.meta.url);
  try {
    const { startDemo } = (await import(new URL('start.ts', folder).href)) as { startDemo: StartDemo };
    const { checkDemo } = (await import(new URL('check.ts', folder).href)) as { checkDemo: CheckDemo };
    return { startDemo, checkDemo };
  } catch (error) {
    const { code, url } = error as { code?: string; url?: string };
    if (code === 'ERR_MODULE_NOT_FOUND' && url?.startsWith(folder.href)) return undefined;
    throw error;
  }
}

async function walkJourneys(
  { startDemo, checkDemo }: { startDemo: StartDemo; checkDemo: CheckDemo },
  json: boolean,
  io: Io,
): Promise<number> {
  const log: string[] = [];
  const running = await startDemo({ ports: 'free', output: (line) => log.push(line) });
  try {
    const walked = await checkDemo(running, (one) => {
      if (!json)
        out(
          io,
          one.problem === undefined
            ? `ok      ${one.journey} (${one.ms} ms)`
            : `FAILED  ${one.journey}: ${one.problem}`,
        );
    });
    const failed = walked.filter(({ problem }) => problem !== undefined).length;
    if (json) out(io, JSON.stringify({ ok: failed === 0, journeys: walked }, undefined, 2));
    else out(io, `${walked.length} journeys, ${failed} failed`);
    if (failed === 0) return 0;
    err(io, `The router’s last ${LOG_TAIL} lines:`);
    for (const line of log.slice(-LOG_TAIL)) err(io, line.trimEnd());
    return 1;
  } finally {
    await running.close();
  }
}

async function runUntilStopped(startDemo: StartDemo, io: Io): Promise<number> {
  const running = await startDemo({ ports: 'fixed', output: (line) => out(io, line.trimEnd()) });
  out(io, '');
  out(io, `  What to click:  ${running.guide}/`);
  out(io, `  The portal:     ${running.portal}/`);
  out(io, '');
  if (running.moved) out(io, '  A port of routes.yaml is taken, so other ones are used.');
  out(io, '  The router is the real one; everybody else in this process stands in for somebody.');
  out(io, '  Ctrl-C stops everything. Below is the router’s log: one line for every outcome.');
  out(io, '');
  await stopSignal();
  await running.close();
  return 0;
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
}
