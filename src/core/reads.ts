import { type AddressRange, rangesOf } from './address-range.ts';
import type { Routes } from './routes.ts';
import type { Condition } from './rule.ts';
import { NEVER_KEPT } from './withhold.ts';

/** What discovery looks at under one routes file: what a decision's record has to hold, and no more. */
export type Reads = {
  /** Parameters of the login URL, and which of them may stand in the portal's return address, too. */
  readonly query: ReadonlySet<string>;
  readonly returnQuery: ReadonlySet<string>;
  /** Lower-case names; those of which nothing is kept are left out. */
  readonly headers: ReadonlySet<string>;
  /** Present where a rule looks at the host: those that rules name. */
  readonly hosts?: ReadonlySet<string>;
  /** The preferred language alone, of the header. */
  readonly language: boolean;
  /** Present where a rule looks at the client's address: every block that some rule tells apart. */
  readonly ranges?: readonly AddressRange[];
  /** Present where a step remembers. Seconds: every `for`, and a day, are whole multiples of it. */
  readonly ageUnit?: number;
  /** What rules compare headers and parameters with. */
  readonly named: ReadonlySet<string>;
  readonly byAppOrigin: Routes['discovery']['byAppOrigin'];
  readonly environments: Routes['environments'];
};

const DAY = 86_400;

/** Worked out once, when the routes are read. */
export function readsOf({
  discovery: { steps, byAppOrigin },
  environments,
}: Pick<Routes, 'discovery' | 'environments'>): Reads {
  const query = new Set<string>();
  const returnQuery = new Set<string>();
  const headers = new Set<string>();
  const named = new Set<string>();
  const hosts = new Set<string>();
  const ranges: AddressRange[] = [];
  let [language, clientIp] = [false, false];
  let ageUnit: number | undefined;

  const addHint = (param: string) => {
    query.add(param);
    returnQuery.add(param);
  };
  const addCondition = (when: Condition): void => {
    if (when.header && !NEVER_KEPT.test(when.header.name)) headers.add(when.header.name);
    if (when.query) query.add(when.query.name);
    for (const value of [...(when.header?.in ?? []), ...(when.query?.in ?? [])]) named.add(value);
    for (const name of when.host ?? []) hosts.add(name);
    language ||= when.language !== undefined;
    clientIp ||= when.clientIp !== undefined;
    if (when.clientIp) ranges.push(...rangesOf(when.clientIp));
    for (const nested of [...(when.all ?? []), ...(when.any ?? []), ...(when.not ? [when.not] : [])])
      addCondition(nested);
  };
  for (const step of steps) {
    if (step.by === 'hint') step.params.forEach(addHint);
    else if (step.by === 'login_hint') addHint('login_hint');
    else if (step.by === 'source') for (const name of ['referer', 'origin']) headers.add(name);
    else if (step.by === 'remembered') ageUnit = greatestDivisor(step.forSeconds, ageUnit ?? DAY);
    else if (step.by === 'rule') addCondition(step.when);
  }
  return {
    query,
    returnQuery,
    headers,
    language,
    named,
    byAppOrigin,
    environments,
    ...(hosts.size > 0 && { hosts }),
    ...(clientIp && { ranges }),
    ...(ageUnit !== undefined && { ageUnit }),
  };
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
