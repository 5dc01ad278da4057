/** Ten thousand environments: what they cost at the start hop, at start-up and in `check`. */

import { routerLaunch } from './contest.ts';
import { ratio } from './figures.ts';
import { type Load, load } from './load.ts';
import { startLogin } from './login.ts';
import type { Servers } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

export const MANY = 10_000;
const FEW = 10;

export type Crowd = {
  /** CPU of the start hop with 10,000 environments ÷ with 10. */
  readonly startHop: number;
  readonly checkMs: number;
  readonly checkPeakMib: number;
  /** From the spawn to the first answer. */
  readonly startUpMs: number;
  readonly startUpPeakMib: number;
};

export async function measureCrowd(servers: Servers, folder: string, rounds: number, round: Load): Promise<Crowd> {
  const launch = routerLaunch(folder, 'many', 'memory:', MANY);
  const file = launch.args.at(-1) ?? '';
  const checked = await servers.run({ ...launch, name: 'check', args: ['src/cli/main.ts', 'check', file] });
  const many = await servers.start(launch);
  const startUpMs = performance.now() - many.spawnedAt;
  const startUpPeakMib = (await many.ask('used')).peakMib;
  const few = await servers.start(routerLaunch(folder, 'few', 'memory:', FEW));

  const cpu = { many: [] as number[], few: [] as number[] };
  for (let index = -1; index < rounds; index++) {
    for (const [name, server] of Object.entries({ many, few })) {
      const { cpuMicros } = await load(server, (connection) => startLogin(connection, LOGIN_PATHS.hs256), round);
      if (index >= 0) cpu[name as keyof typeof cpu].push(cpuMicros);
    }
  }
  await Promise.all([many.stop(), few.stop()]);
  return {
    startHop: ratio(cpu.many, cpu.few),
    checkMs: checked.ms,
    checkPeakMib: checked.used.peakMib,
    startUpMs,
    startUpPeakMib,
  };
}
