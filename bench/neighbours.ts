/** What a portal that signs with RSA costs the portal beside it: its signatures are made by another thread. */
import { routerLaunch } from './contest.ts';
import type { Effort } from './effort.ts';
import { ratio } from './figures.ts';
import { load } from './load.ts';
import { walkLogin } from './login.ts';
import { type Row, row } from './row.ts';
import type { Server, Servers } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

/**
 * Logins a second at each of the two portals: a quiet server, so that nothing else makes anybody wait. All of its threads
 * share one core, the hardest case: whoever signs there stands in the way of whoever signs in.
 */
const PER_SECOND = 100;
const BROWSERS = 16;

/** Milliseconds of each window: so short that one in which the machine stood still can be told from the others. */
const WINDOW_MS = 2_000;

export async function measureNeighbours(servers: Servers, folder: string, { windows }: Effort): Promise<Row[]> {
  const server = await servers.start(routerLaunch(folder, 'neighbours', 'memory:'));
  const { hs256, rsa2048, rsa3072 } = await p99Beside(server, windows);
  await server.stop();
  return [
    row('HS256 p99 beside a PS256 portal ÷ beside an HS256 portal', '×', ratio(rsa2048, hs256), 1.15, 1.05),
    row('the same, the PS256 portal with a key of 3072 bits', '×', ratio(rsa3072, hs256), 1.2, 1.1),
  ];
}

const NEIGHBOURS = { hs256: LOGIN_PATHS.other, rsa2048: LOGIN_PATHS.ps256, rsa3072: LOGIN_PATHS.ps256Long };
type Neighbour = keyof typeof NEIGHBOURS;

/**
 * p99 of an HS256 portal's logins in each window, beside another portal with as many logins that signs one way or the
 * other.
 */
async function p99Beside(server: Server, windows: number): Promise<Record<Neighbour, number[]>> {
  const options = { browsers: BROWSERS, perSecond: PER_SECOND, measuredMs: WINDOW_MS, warmUpMs: 300 };
  const beside = async (name: Neighbour): Promise<number> => {
    const [portal] = await Promise.all(
      [LOGIN_PATHS.hs256, NEIGHBOURS[name]].map((path) =>
        load(server, (connection) => walkLogin(connection, path), options),
      ),
    );
    return portal?.p99 ?? Number.NaN;
  };
  const names = Object.keys(NEIGHBOURS) as Neighbour[];
  const p99: Record<Neighbour, number[]> = { hs256: [], rsa2048: [], rsa3072: [] };
  // The first window of each is for warming up.
  for (let round = 0; round <= windows; round++) {
    // Whoever comes first in a round must not do so in every one.
    for (const name of [...names.slice(round % 3), ...names.slice(0, round % 3)]) {
      const found = await beside(name);
      if (round > 0) p99[name].push(found);
    }
  }
  return p99;
}
