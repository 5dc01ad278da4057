/** Everything that is measured of proxied requests. */
import { BROWSERS, type Effort } from './effort.ts';
import { median } from './figures.ts';
import type { Measured } from './load.ts';
import { ERRAND_BYTES, ERRANDS, type Errand, holdProxyContest } from './proxy-contest.ts';
import { tabulateProxies } from './proxy-rows.ts';
import type { ErrandFigures, ProxyFigures, Report } from './report.ts';
import type { Servers } from './server.ts';
import { timesLibrary, timesNginx } from './yardsticks.ts';

export async function measureProxies(
  servers: Servers,
  folder: string,
  { rounds, measuredMs, warmUpMs }: Effort,
): Promise<Required<Pick<Report, 'rows' | 'proxies' | 'leftOut'>>> {
  const options = { browsers: BROWSERS, measuredMs: measuredMs / 2, warmUpMs };
  const contest = await holdProxyContest(servers, folder, rounds, options);
  const proxies: Record<string, ProxyFigures> = {};
  for (const [name, measured] of contest.rounds) {
    const went = ERRANDS.filter((errand) => measured[errand].length > 0);
    const figures = Object.fromEntries(
      went.map((errand) => {
        const nginx = timesNginx(contest, name, errand);
        const library = timesLibrary(contest, name, errand);
        const ratios = { ...(nginx !== undefined && { nginx }), ...(library !== undefined && { library }) };
        return [errand, { ...medians(errand, measured[errand]), times: ratios }];
      }),
    );
    proxies[name] = { ...figures, peakMib: contest.peaksMib.get(name) ?? Number.NaN };
  }
  return { rows: tabulateProxies(contest), proxies, leftOut: contest.leftOut };
}

function medians(errand: Errand, rounds: readonly Measured[]): Omit<ErrandFigures, 'times'> {
  const of = (figure: keyof Measured) => median(rounds.map((measured) => measured[figure]));
  const cpuMicros = of('cpuMicros');
  return {
    cpuMicros,
    cpuMicrosPerMb: (cpuMicros / ERRAND_BYTES[errand]) * 1e6,
    perSecond: of('perSecond'),
    p50: of('p50'),
    p99: of('p99'),
  };
}
