/** What a portal that signs with RSA costs the portal beside it. */
import { median, ratio } from './figures.ts';
import { load } from './load.ts';
import { walkLogin } from './login.ts';
import type { Server } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

/** Logins a second at each of the two portals: a quiet server, so that nothing else makes anybody wait. */
const PER_SECOND = 150;
const BROWSERS = 16;

export type Neighbours = {
  /** p99 of the HS256 portal's logins beside a busy PS256 portal, and beside an equally busy HS256 portal. Milliseconds. */
  readonly besidePs256: number;
  readonly besideHs256: number;
  readonly ratio: number;
};

/** The same HS256 portal, with the same number of logins at a second portal that signs one way or the other. */
export async function compareNeighbours(server: Server, rounds: number, measuredMs: number): Promise<Neighbours> {
  const options = { browsers: BROWSERS, perSecond: PER_SECOND, measuredMs, warmUpMs: 300 };
  const beside = async (path: string): Promise<number> => {
    const [portal] = await Promise.all(
      [LOGIN_PATHS.hs256, path].map((own) => load(server, (connection) => walkLogin(connection, own), options)),
    );
    return portal?.p99 ?? Number.NaN;
  };
  const besidePs256: number[] = [];
  const besideHs256: number[] = [];
  for (let round = 0; round < rounds; round++) {
    besideHs256.push(await beside(LOGIN_PATHS.other));
    besidePs256.push(await beside(LOGIN_PATHS.ps256));
  }
  return {
    besidePs256: median(besidePs256),
    besideHs256: median(besideHs256),
    ratio: ratio(besidePs256, besideHs256),
  };
}
