/** What a login costs: every figure with its first target and its aim. */
import type { Contest, Contestant } from './contest.ts';
import { type Crowd, MANY } from './crowd.ts';
import { ratio } from './figures.ts';
import { HANGING, type Hanging } from './hanging.ts';
import type { Measured } from './load.ts';
import { type Outbox, WAITING } from './outbox.ts';
import { type Row, row } from './row.ts';
import type { StartUp } from './start-up.ts';

export type LoginResults = {
  readonly contest: Contest;
  readonly startUp: StartUp;
  readonly crowd: Crowd;
  readonly bytesPerOpenLogin: number;
  readonly hanging: Hanging;
  readonly outbox: Outbox;
  /** The most that each server of the contest had resident. */
  readonly peaksMib: Readonly<Record<Contestant, number>>;
};

/** Live bytes that come and go by themselves; a login that was kept would be several hundred. */
const NOISE_BYTES = 64;

export function tabulateLogins(results: LoginResults): Row[] {
  const { contest, startUp, crowd, bytesPerOpenLogin, hanging, outbox, peaksMib } = results;
  const of = (name: Contestant, figure: keyof Measured) => contest.rounds[name].map((round) => round[figure]);
  const cpu = (name: Contestant) => of(name, 'cpuMicros');
  const signature = cpu('bare_rsa').map((micros, round) => micros - (cpu('bare')[round] ?? Number.NaN));
  const rsaBeside = signature.map((micros, round) => micros + (cpu('wayhome')[round] ?? Number.NaN));
  const many = MANY.toLocaleString('en');
  const waiting = WAITING.toLocaleString('en');
  return [
    row(
      'login CPU, HS256 ÷ the Express router (secrets as text)',
      '×',
      ratio(cpu('wayhome'), cpu('express')),
      1 / 3,
      0.2,
    ),
    row(
      'login CPU, HS256 ÷ the best Express (KeyObjects)',
      '×',
      ratio(cpu('wayhome'), cpu('express_prepared')),
      0.75,
      0.45,
    ),
    row('login CPU, HS256 ÷ two bare 302s', '×', ratio(cpu('wayhome'), cpu('bare')), 4, 2.5),
    row(
      'login p99, 32 connections ÷ the Express router',
      '×',
      ratio(of('wayhome', 'p99'), of('express', 'p99')),
      1,
      0.5,
    ),
    row('login CPU, PS256 ÷ (one RSA-2048 signature + HS256)', '×', ratio(cpu('wayhome_ps256'), rsaBeside), 1.15, 1.05),
    row('login CPU, SQLite store ÷ memory store', '×', ratio(cpu('wayhome_sqlite'), cpu('wayhome')), 1.5, 1.2),
    row(`start hop CPU, ${many} environments ÷ 10`, '×', crowd.startHop, 1.1, 1.0),
    row(`check, ${many} environments`, 's', crowd.checkMs / 1000, 2, 1),
    row(`check, ${many} environments, peak memory`, 'MiB', crowd.checkPeakMib, 250, 250),
    row(`start-up, ${many} environments`, 's', crowd.startUpMs / 1000, 2, 1),
    row(`start-up, ${many} environments, peak memory`, 'MiB', crowd.startUpPeakMib, 250, 250),
    row(`p99 of others, ${HANGING.toLocaleString('en')} logins hanging ÷ none`, '×', hanging.ratio, 1.2, 1.05),
    row('the same ÷ as many logins at one that answers', '×', hanging.besideAnswering, 1.2, 1.05),
    row('longest of the logins that hang', 's', hanging.longest / 1000, 10, 5.5),
    row(`p99 of logins, ${waiting} notices of sign-outs being told ÷ none`, '×', outbox.ratio, 1.1, 1.05),
    row(`until ${waiting} notices are delivered`, 's', WAITING / outbox.perSecond, 500, 400),
    row('kept by the server per open login', 'B', withoutNoise(bytesPerOpenLogin), 0, 0),
    row('peak memory under load, SQLite store', 'MiB', peaksMib.wayhome_sqlite, 200, 130),
    row('peak memory under load, memory store with its claims', 'MiB', peaksMib.wayhome, 200, 130),
    row('start to first answer ÷ bare node', '×', startUp.ratio, 4, 2),
  ];
}

const withoutNoise = (bytes: number): number => (bytes < NOISE_BYTES ? 0 : bytes);
