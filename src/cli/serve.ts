import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError, type Running, startWayhome } from '../compose.ts';
import type { Io } from './io.ts';

const USAGE = 'usage: wayhome serve [routes.yaml]';

/** A file is written in several steps; it is read once they are over. Milliseconds. */
const SETTLE_MS = 200;

/**
 * `wayhome serve`: takes logins until SIGTERM or SIGINT, which drain. SIGHUP, or a change of the file, reads the
 * routes again. Resolves to the exit code: 0 stopped when asked, 1 not started, 2 usage.
 */
export async function serve(args: readonly string[], io: Io): Promise<number> {
  const file = readFile(args);
  if (file === undefined) {
    io.stderr.write(`${USAGE}\n`);
    return 2;
  }
  let running: Running;
  try {
    running = await startWayhome({ file, variables: io.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
  await untilStopped(running, file);
  await running.close();
  return 0;
}

function readFile(args: readonly string[]): string | undefined {
  try {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
    return positionals.length > 1 ? undefined : (positionals[0] ?? 'routes.yaml');
  } catch {
    return undefined;
  }
}

function untilStopped(running: Running, file: string): Promise<void> {
  let settling: NodeJS.Timeout | undefined;
  const reload = () => {
    clearTimeout(settling);
    settling = setTimeout(() => void running.reload(), SETTLE_MS);
  };
  // The folder is watched, not the file: editors and mounted configuration replace it.
  const watcher = watch(dirname(file), (_event, changed) => {
    if (changed === null || changed === basename(file) || changed === '..data') reload();
  });
  watcher.on('error', () => watcher.close());
  process.on('SIGHUP', reload);
  return new Promise((resolve) => {
    const stop = () => {
      watcher.close();
      clearTimeout(settling);
      resolve();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
}
