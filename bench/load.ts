/** Load on one server: a number of browsers at once, each with a connection of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.ts';
import { percentile } from './figures.ts';
import type { Server } from './server.ts';

/** What every browser does again and again. */
export type Walk<C = Connection> = (connection: C) => Promise<void>;

export type Load = {
  readonly browsers: number;
  /** How long is measured, after `warmUpMs` that are not. */
  readonly measuredMs: number;
  readonly warmUpMs: number;
  /** Walks a second of all browsers together; as many as go when absent. */
  readonly perSecond?: number;
};

export type Measured = {
  readonly walks: number;
  readonly perSecond: number;
  /** User and system time of the server for one walk. Microseconds. */
  readonly cpuMicros: number;
  /** Of one walk, as its browser saw it. Milliseconds. */
  readonly p50: number;
  readonly p99: number;
};

export const load = (server: Server, walk: Walk, options: Load): Promise<Measured> =>
  loadOver(() => Connection.open(server.origin), server, walk, options);

/** The same over connections of any kind. */
export async function loadOver<C extends { close(): void }>(
  open: () => Promise<C>,
  server: Server,
  walk: Walk<C>,
  options: Load,
): Promise<Measured> {
  const { browsers, measuredMs, warmUpMs, perSecond } = options;
  const connections = await Promise.all(Array.from({ length: browsers }, open));
  const pauseMs = perSecond === undefined ? 0 : (browsers / perSecond) * 1000;
  const durations: number[] = [];
  let measuring = false;
  let over = false;
  const browse = async (connection: C) => {
    if (pauseMs > 0) await sleep(Math.random() * pauseMs);
    while (!over) {
      const began = performance.now();
      await walk(connection);
      const took = performance.now() - began;
      if (measuring) durations.push(took);
      // Spread out, so that browsers do not fall into step.
      if (pauseMs > 0) await sleep(Math.max(0, (0.5 + Math.random()) * pauseMs - took));
    }
  };
  const browsing = Promise.all(connections.map(browse));
  stayAwake(() => over);
  // Rejects as soon as one walk does.
  const elapse = (ms: number) => Promise.race([sleep(ms), browsing]);

  await elapse(warmUpMs);
  const before = await server.ask('used');
  const began = performance.now();
  measuring = true;
  await elapse(measuredMs);
  measuring = false;
  const seconds = (performance.now() - began) / 1000;
  const after = await server.ask('used');
  over = true;
  await browsing;
  for (const connection of connections) connection.close();

  const walks = durations.length;
  return {
    walks,
    perSecond: walks / seconds,
    cpuMicros: (after.cpuMicros - before.cpuMicros) / walks,
    p50: percentile(durations, 0.5),
    p99: percentile(durations, 0.99),
  };
}

/**
 * Keeps this process from sleeping while it waits. To wake a sleeping core costs the one that writes to it, by far
 * the most on a virtual machine, so a server would be charged for the idleness of its load.
 */
function stayAwake(until: () => boolean): void {
  const turn = () => {
    if (!until()) setImmediate(turn);
  };
  setImmediate(turn);
}

/** That many walks, as fast as they go. */
export async function walkTimes(server: Server, walk: Walk, times: number, browsers: number): Promise<void> {
  let left = times;
  const browse = async () => {
    const connection = await Connection.open(server.origin);
    while (left-- > 0) await walk(connection);
    connection.close();
  };
  await Promise.all(Array.from({ length: browsers }, browse));
}
