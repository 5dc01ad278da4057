/** Everything that is measured of logins. */
import { CONTESTANTS, type Contestant, holdContest } from './contest.ts';
import { measureCrowd } from './crowd.ts';
import { BROWSERS, type Effort } from './effort.ts';
import { median } from './figures.ts';
import { measureHanging } from './hanging.ts';
import type { Measured } from './load.ts';
import { tabulateLogins } from './login-rows.ts';
import { bytesPerOpenLogin } from './open-logins.ts';
import { measureOutbox } from './outbox.ts';
import type { LoginFigures, Report } from './report.ts';
import type { Servers } from './server.ts';
import { compareStartUp } from './start-up.ts';

export async function measureLogins(
  servers: Servers,
  folder: string,
  effort: Effort,
): Promise<Required<Pick<Report, 'rows' | 'servers'>>> {
  const { rounds, measuredMs, warmUpMs } = effort;
  const round = { browsers: BROWSERS, measuredMs, warmUpMs };
  const startUp = await compareStartUp(servers, folder, effort.startUps);
  const crowd = await measureCrowd(servers, folder, rounds, { ...round, measuredMs: measuredMs / 2 });
  const contest = await holdContest(servers, folder, rounds, round);
  const peaksMib = {} as Record<Contestant, number>;
  for (const name of CONTESTANTS) peaksMib[name] = (await contest.servers[name].ask('used')).peakMib;
  const perOpenLogin = await bytesPerOpenLogin(contest.servers.wayhome, effort.openLogins);
  await servers.stopAll();
  const hanging = await measureHanging(servers, folder, effort.hangs);
  const outbox = await measureOutbox(servers, folder, effort.pairs);

  const medians = (name: Contestant): LoginFigures => {
    const of = (figure: keyof Measured) => median(contest.rounds[name].map((measured) => measured[figure]));
    return {
      cpuMicros: of('cpuMicros'),
      p50: of('p50'),
      p99: of('p99'),
      perSecond: of('perSecond'),
      peakMib: peaksMib[name],
    };
  };
  return {
    rows: tabulateLogins({
      contest,
      startUp,
      crowd,
      bytesPerOpenLogin: perOpenLogin,
      hanging,
      outbox,
      peaksMib,
    }),
    servers: Object.fromEntries(CONTESTANTS.map((name) => [name, medians(name)])) as Record<Contestant, LoginFigures>,
  };
}
