/** What a portal that signs with RSA costs the portal beside it: its signatures are made by other threads. */
import { ratio } from './figures.ts';
import { load } from './load.ts';
import { walkLogin } from './login.ts';
import type { Server } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

/**
 * Logins a second at each of the two portals: a quiet server, so that nothing else makes anybody wait. The load sleeps
 * between them, so that the threads that sign have a core: where a machine has but two, it would take the second one.
 */
const PER_SECOND = 100;
const BROWSERS = 16;

export type Neighbours = {
  /** p99 of the HS256 portal's logins beside a busy PS256 portal ÷ beside an equally busy HS256 portal, by its key. */
  readonly besideRsa2048: number;
  readonly besideRsa3072: number;
};

/** The same HS256 portal, with the same number of logins at a second portal that signs one way or the other. */
export async function compareNeighbours(server: Server, rounds: number, measuredMs: number): Promise<Neighbours> {
  const options = { browsers: BROWSERS, perSecond: PER_SECOND, measuredMs, warmUpMs: 300, sleeps: true };
  const beside = async (path: string): Promise<number> => {
    const [portal] = await Promise.all(
      [LOGIN_PATHS.hs256, path].map((own) => load(server, (connection) => walkLogin(connection, own), options)),
    );
    return portal?.p99 ?? Number.NaN;
  };
  const hs256 = { path: LOGIN_PATHS.other, p99: [] as number[] };
  const rsa2048 = { path: LOGIN_PATHS.ps256, p99: [] as number[] };
  const rsa3072 = { path: LOGIN_PATHS.ps256Long, p99: [] as number[] };
  const neighbours = [hs256, rsa2048, rsa3072];
  for (let round = 0; round < rounds; round++) {
    // Whoever comes first in a round must not do so in every one.
    for (let turn = 0; turn < neighbours.length; turn++) {
      const neighbour = neighbours[(round + turn) % neighbours.length];
      if (neighbour) neighbour.p99[round] = await beside(neighbour.path);
    }
  }
  return { besideRsa2048: ratio(rsa2048.p99, hs256.p99), besideRsa3072: ratio(rsa3072.p99, hs256.p99) };
}
