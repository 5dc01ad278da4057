/** From the spawn of a process to its first answer. */
import { Connection } from './connection.ts';
import { routerLaunch } from './contest.ts';
import { median, ratio } from './figures.ts';
import { startPath } from './login.ts';
import type { Launch, Servers } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

export type StartUp = { readonly wayhomeMs: number; readonly bareMs: number; readonly ratio: number };

export async function compareStartUp(servers: Servers, folder: string, rounds: number): Promise<StartUp> {
  const launches = {
    bare: { name: 'bare', args: ['bench/peers/bare.mjs'] },
    wayhome: routerLaunch(folder, 'start-up', 'memory:'),
  };
  const taken = { bare: [] as number[], wayhome: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    for (const [name, launch] of Object.entries(launches)) {
      const ms = await timeToFirstAnswer(servers, launch);
      if (round >= 0) taken[name as keyof typeof taken].push(ms);
    }
  }
  return { wayhomeMs: median(taken.wayhome), bareMs: median(taken.bare), ratio: ratio(taken.wayhome, taken.bare) };
}

async function timeToFirstAnswer(servers: Servers, launch: Launch): Promise<number> {
  const server = await servers.start({ ...launch, unprobed: true });
  const connection = await Connection.open(server.origin);
  const { status } = await connection.get(startPath(LOGIN_PATHS.hs256));
  const ms = performance.now() - server.spawnedAt;
  connection.close();
  await server.stop();
  if (status !== 302) throw new Error(`${launch.name} answered ${status}`);
  return ms;
}
