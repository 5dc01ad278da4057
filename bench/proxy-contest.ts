/** The proxies against each other: pages of two sizes, and bytes through an upgraded connection. */
import { Connection } from './connection.ts';
import { type Load, loadOver, type Measured } from './load.ts';
import { type ProxyName, startProxies, UPGRADING } from './proxies.ts';
import type { Server, Servers } from './server.ts';
import { Tunnel } from './tunnel.ts';
import { HOST, openUpstream, PAGES, type Page } from './upstream.ts';

/** A page is a GET of that many bytes; an echo is a message of that many bytes, there and back. */
export const ERRANDS = ['get_1k', 'get_100k', 'echo_1k', 'echo_100k'] as const;
export type Errand = (typeof ERRANDS)[number];

/** Bytes of a page or of a message. */
export const ERRAND_BYTES: Readonly<Record<Errand, number>> = {
  get_1k: PAGES['/1k'].length,
  get_100k: PAGES['/100k'].length,
  echo_1k: PAGES['/1k'].length,
  echo_100k: PAGES['/100k'].length,
};

/** Those that need an upgraded connection; not every proxy is tried with them. */
const UPGRADED: ReadonlySet<Errand> = new Set(['echo_1k', 'echo_100k']);

export type ProxyContest = {
  /** One entry a round for each errand that it is tried with. */
  readonly rounds: ReadonlyMap<ProxyName, Readonly<Record<Errand, readonly Measured[]>>>;
  /** The most that each server had resident. */
  readonly peaksMib: ReadonlyMap<ProxyName, number>;
  readonly leftOut: readonly string[];
};

type Run = (server: Server, options: Load) => Promise<Measured>;

const RUN: Readonly<Record<Errand, Run>> = {
  get_1k: fetching('/1k'),
  get_100k: fetching('/100k'),
  echo_1k: echoing(PAGES['/1k']),
  echo_100k: echoing(PAGES['/100k']),
};

/** Starts everybody, warms them up, and sends them on each errand in turn, round after round. */
export async function holdProxyContest(
  servers: Servers,
  folder: string,
  rounds: number,
  options: Load,
): Promise<ProxyContest> {
  const upstream = await openUpstream();
  const { servers: proxies, leftOut } = await startProxies(servers, folder, upstream.port);
  const measured = new Map(
    [...proxies.keys()].map((name) => [
      name,
      { get_1k: [], get_100k: [], echo_1k: [], echo_100k: [] } as Record<Errand, Measured[]>,
    ]),
  );
  for (const errand of ERRANDS) {
    for (let round = -1; round < rounds; round++) {
      for (const [name, server] of proxies) {
        if (UPGRADED.has(errand) && !UPGRADING.includes(name)) continue;
        console.error(errand, name);
        const figures = await RUN[errand](server, options);
        if (round >= 0) measured.get(name)?.[errand].push(figures);
      }
    }
  }
  const peaksMib = new Map<ProxyName, number>();
  for (const [name, server] of proxies) {
    peaksMib.set(name, (await server.ask('used')).peakMib);
    await server.stop();
  }
  upstream.close();
  return { rounds: measured, peaksMib, leftOut };
}

function fetching(page: Page): Run {
  const walk = async (connection: Connection) => {
    const { status, length } = await connection.get(page);
    if (status !== 200 || length !== PAGES[page].length) throw new Error(`no page: ${status}, ${length} bytes`);
  };
  return (server, options) => loadOver(() => Connection.open(server.origin, HOST), server, walk, options);
}

function echoing(message: Buffer): Run {
  return (server, options) =>
    loadOver(
      () => Tunnel.open(server.origin, HOST),
      server,
      (tunnel) => tunnel.echo(message),
      options,
    );
}
