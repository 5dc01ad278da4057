import { parseArgs } from 'node:util';
import { ConfigError, type Running, startWayhome } from '../compose.ts';
import { watchedFolders } from '../config/watched.ts';
import type { Io } from './io.ts';
import { lean } from './lean.ts';
import { watchRoutes } from './watch-routes.ts';

const USAGE = 'usage: wayhome serve [routes.yaml]';

/**
 * `wayhome serve`: takes logins until SIGTERM or SIGINT, which drain. SIGHUP, or a change of the file or
 * of one that it names, reads the routes again. Resolves to the exit code: 0 stopped when asked, 1 not started, 2 usage.
 */
export async function serve(args: readonly string[], io: Io): Promise<number> {
  const file = readFile(args);
  if (file === undefined) {
    io.stderr.write(`${USAGE}\n`);
    return 2;
  }
  let running: Running;
  try {
    running = await lean(() => startWayhome({ file, variables: io.env, courier: true }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
  await untilStopped(running);
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

function untilStopped(running: Running): Promise<void> {
  const watching = watchRoutes(async () => {
    await running.reload();
    watching.follow(watchedFolders(running.reads()));
  });
  watching.follow(watchedFolders(running.reads()));
  process.on('SIGHUP', watching.nudge);
  return new Promise((resolve) => {
    const stop = () => {
      watching.close();
      resolve();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
}
