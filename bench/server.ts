/** A server under test: a child process, pinned, with its log in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cores } from './pinning.ts';
import type { Question, Used } from './probe.ts';

export type Server = {
  readonly name: string;
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly pid: number;
  /** When it was spawned, by `performance.now()`. */
  readonly spawnedAt: number;
  ask(question: Question): Promise<Used>;
  stop(): Promise<void>;
};

/** A server that is no node process: it listens where it is told, and is watched from outside. */
export type Program = {
  readonly name: string;
  readonly command: string;
  /** Keep it in the foreground, and in one process. */
  readonly args: readonly string[];
  readonly port: number;
};

export type Launch = {
  readonly name: string;
  /** Arguments of node. */
  readonly args: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  /** Where it runs; `server` unless set. `load`: it is a part of the load, and what it costs is not the server's. */
  readonly core?: 'server' | 'load';
  /** Started bare, as an operator starts it: nothing can be asked of it. */
  readonly unprobed?: boolean;
};

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROBE = fileURLToPath(new URL('./probe.ts', import.meta.url));

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 1;

/** Starts servers in one folder, on one core, and stops all of them in the end. */
export class Servers {
  readonly #logs: string;
  readonly #cores: Cores | undefined;
  readonly #children = new Set<ChildProcess>();
  #count = 0;

  constructor(folder: string, cores: Cores | undefined) {
    // Apart from the routes files, whose folders the router watches.
    this.#logs = join(folder, 'logs');
    mkdirSync(this.#logs, { recursive: true });
    this.#cores = cores;
  }

  /** Resolves once the server has told its address. Throws with what it wrote when it ends before. */
  async start({ name, args, variables = {}, unprobed = false, core = 'server' }: Launch): Promise<Server> {
    const log = join(this.#logs, `${this.#count++}.log`);
    const spawnedAt = performance.now();
    const child = this.#spawnNode(unprobed ? args : ['--import', PROBE, ...args], variables, log, core);
    const origin = await addressIn(log, child, spawnedAt + START_TIMEOUT_MS);
    return {
      name,
      origin,
      pid: child.pid ?? 0,
      spawnedAt,
      ask: (question) =>
        new Promise((resolve, reject) => {
          child.once('message', (used) => resolve(used as Used));
          child.send(question, (error) => error && reject(error));
        }),
      stop: () => this.#stop(child),
    };
  }

  /** Resolves once the program accepts connections. */
  async startProgram({ name, command, args, port }: Program): Promise<Server> {
    const log = join(this.#logs, `${this.#count++}.log`);
    const spawnedAt = performance.now();
    const child = this.#spawn([command, ...args], {}, log, 'ignore');
    await accepts(port, log, child, spawnedAt + START_TIMEOUT_MS);
    return {
      name,
      origin: `http://127.0.0.1:${port}`,
      pid: child.pid ?? 0,
      spawnedAt,
      ask: async () => usedBy(child.pid ?? 0),
      stop: () => this.#stop(child),
    };
  }

  /** Runs a command of node to its end: how long it took, in milliseconds, and what it used. */
  async run({ name, args, variables = {} }: Launch): Promise<{ readonly ms: number; readonly used: Used }> {
    const log = join(this.#logs, `${this.#count++}.log`);
    const began = performance.now();
    const child = this.#spawnNode(['--import', PROBE, ...args], variables, log);
    const used = new Promise<Used>((resolve) => child.once('message', (message) => resolve(message as Used)));
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`${name} ended with ${code}: ${readFileSync(log, 'utf8')}`);
    return { ms: performance.now() - began, used: await used };
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#children].map((child) => this.#stop(child)));
  }

  /** Nothing outlives the bench, whatever ends it. */
  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #spawnNode(
    args: readonly string[],
    variables: Readonly<Record<string, string>>,
    log: string,
    core: Launch['core'] = 'server',
  ): ChildProcess {
    return this.#spawn([process.execPath, ...args], variables, log, 'ipc', core);
  }

  #spawn(
    words: readonly string[],
    variables: Readonly<Record<string, string>>,
    log: string,
    channel: 'ipc' | 'ignore',
    core: Launch['core'] = 'server',
  ): ChildProcess {
    const pin = this.#cores ? ['taskset', '-c', String(this.#cores[core])] : [];
    const [command = '', ...rest] = [...pin, ...words];
    const output = openSync(log, 'a');
    const env = { PATH: process.env.PATH, NODE_ENV: 'production', ...variables };
    const child = spawn(command, rest, { cwd: ROOT, env, stdio: ['ignore', output, output, channel] });
    closeSync(output);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  async #stop(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}

/** A clock tick of /proc: USER_HZ is 100 on every Linux that node runs on. Microseconds. */
const TICK_MICROS = 10_000;

/** The same as a probe tells, of a process that has none (proc_pid_stat(5), proc_pid_status(5)). */
function usedBy(pid: number): Used {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Counted from behind the name, which may hold anything: utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, peakKib] = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return {
    cpuMicros: (Number(fields[11]) + Number(fields[12])) * TICK_MICROS,
    peakMib: Number(peakKib) / 1024,
    liveBytes: Number.NaN,
  };
}

async function accepts(port: number, log: string, child: ChildProcess, deadline: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const connected = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (connected) return;
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`a server did not start: ${readFileSync(log, 'utf8')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function addressIn(log: string, child: ChildProcess, deadline: number): Promise<string> {
  for (;;) {
    const written = readFileSync(log, 'utf8');
    const [, origin] = / at (http:\/\/127\.0\.0\.1:\d+)/.exec(written) ?? [];
    if (origin !== undefined) return origin;
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`a server did not start: ${written}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
