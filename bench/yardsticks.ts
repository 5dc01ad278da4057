/** What a proxy's CPU is held against: nginx, and the fastest library proxy that behaves, in the same rounds. */
import { ratio } from './figures.ts';
import { BEHAVING, type ProxyName } from './proxies.ts';
import type { Errand, ProxyContest } from './proxy-contest.ts';

/** `undefined` where one of the two was not there, or was not sent on that errand. */
export function timesNginx(contest: ProxyContest, name: ProxyName, errand: Errand): number | undefined {
  return times(cpuMicros(contest, name, errand), cpuMicros(contest, 'nginx', errand));
}

/** The same; the fastest is chosen round by round. */
export function timesLibrary(contest: ProxyContest, name: ProxyName, errand: Errand): number | undefined {
  const libraries = BEHAVING.map((library) => cpuMicros(contest, library, errand));
  const fastest = libraries[0]?.map((_, round) => Math.min(...libraries.map((each) => each[round] ?? Infinity)));
  return times(cpuMicros(contest, name, errand), fastest ?? []);
}

const cpuMicros = ({ rounds }: ProxyContest, name: ProxyName, errand: Errand): readonly number[] =>
  rounds.get(name)?.[errand].map((measured) => measured.cpuMicros) ?? [];

const times = (over: readonly number[], under: readonly number[]): number | undefined =>
  over.length > 0 && under.length > 0 ? ratio(over, under) : undefined;
