import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Browser, type Exchange } from './browser.ts';
import { ORIGIN, SECRETS } from './world.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** `wayhome serve` in a process of its own. */
export type Serving = {
  readonly process: ChildProcess;
  readonly localUrl: string;
  /** The log so far. */
  readonly lines: string[];
  readonly exchanges: Exchange[];
  readonly variables: Readonly<Record<string, string>>;
  browser(): Browser;
  /** Resolves with the event once its line is there; what was there before counts too, unless `after` lines. */
  heard(event: string, after?: number): Promise<Record<string, unknown>>;
  /** Sends a signal and waits for the end; the exit code, or the signal. */
  stop(signal: NodeJS.Signals): Promise<number | string | null>;
};

/**
 * Starts `wayhome serve` with a routes file and waits until it takes logins. It is killed with its test. `within` is a
 * command that runs another one in its place, such as `ip netns exec …`.
 */
export async function startServe(
  t: { teardown(work: () => unknown): void },
  file: string,
  variables: Readonly<Record<string, string>> = SECRETS,
  within: readonly string[] = [],
): Promise<Serving> {
  const { PATH = '' } = process.env;
  const [command = '', ...args] = [...within, process.execPath, MAIN, 'serve', file];
  const child = spawn(command, args, {
    env: { PATH, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines: string[] = [];
  const exchanges: Exchange[] = [];
  let rest = '';
  let said = '';
  const waiting = new Set<() => void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    for (const look of waiting) look();
  });

  const heard = (event: string, after = 0) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const look = () => {
        const found = lines.slice(after).find((line) => line.includes(`"event":"${event}"`));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(JSON.parse(found) as Record<string, unknown>);
      };
      waiting.add(look);
      look();
      void ended.then(([code]) => reject(new Error(`serve ended with ${code} before ${event}: ${said}`)));
    });

  const { detail } = await heard('router.ready');
  const localUrl = /http:\/\/[\d.]+:\d+$/.exec(String(detail))?.[0] ?? '';
  return {
    process: child,
    localUrl,
    lines,
    exchanges,
    variables,
    heard,
    browser: () =>
      new Browser(
        ORIGIN,
        () => localUrl,
        (exchange) => exchanges.push(exchange),
      ),
    async stop(signal) {
      child.kill(signal);
      const [code, by] = await ended;
      return code ?? by;
    },
  };
}
