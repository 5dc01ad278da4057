import type { CheckedRoutes } from '../../src/config/checked.ts';
import { decide } from '../../src/core/decide.ts';
import type { Facts } from '../../src/core/facts.ts';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { readsOf } from '../../src/core/reads.ts';
import { recordOf } from '../../src/core/record.ts';

/** Noon of 2026-11-30. */
const NOON = Date.UTC(2026, 10, 30, 12) / 1000;
const DAY = 86_400;

/** What a login brings along; everything else about it is noise that no step may be led by. */
type Login = {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly clientIp?: string;
  readonly remembered?: { readonly environment: string; readonly days: number };
  readonly typed?: string;
  readonly choice?: string;
};

export type Kind = { readonly name: string; readonly share: number; readonly login: (random: Random) => Login };

/** Whole numbers below a limit, from a seed: the same day every time (mulberry32). */
export type Random = (below: number) => number;

export function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** A day of logins, decided and recorded as the router does it, and how many there were of each kind. */
export function recordDay(
  { routes }: CheckedRoutes,
  kinds: readonly Kind[],
  amount: number,
): { readonly lines: readonly string[]; readonly counts: ReadonlyMap<string, number> } {
  const random = seeded(20_261_130);
  const portal = 'support' as PortalName;
  const request = { portal, initiated: 'portal', params: {} } as const;
  const reads = readsOf(routes);
  const shares = kinds.flatMap((kind) => Array<Kind>(kind.share).fill(kind));
  const counts = new Map<string, number>();
  const lines: string[] = [];
  while (lines.length < amount) {
    const kind = shares[random(shares.length)];
    if (!kind) throw new Error('no kinds');
    const facts = factsOf(kind.login(random), random);
    const now = NOON + random(DAY / 2);
    const decision = decide(routes, { about: 'start', request, facts }, now);
    if (decision.do === 'hand_back') throw new Error('not at a start');
    lines.push(JSON.stringify(recordOf(reads, portal, facts, decision, now)));
    counts.set(kind.name, (counts.get(kind.name) ?? 0) + 1);
  }
  return { lines, counts };
}

function factsOf({ query = {}, headers = {}, clientIp, remembered, typed, choice }: Login, random: Random): Facts {
  const all: Readonly<Record<string, string>> = {
    'user-agent': `Browser/${random(1_000)}`,
    cookie: `a=${random(1_000_000)}`,
    ...headers,
  };
  const visit = remembered && {
    portal: 'support' as PortalName,
    environment: remembered.environment as EnvironmentName,
    at: NOON - remembered.days * DAY,
    appUrl: 'https://app.test/',
  };
  return {
    query: (name) => (Object.hasOwn(query, name) ? query[name] : undefined),
    returnQuery: (name) => (name === 'state' ? `${random(1_000_000)}` : undefined),
    header: (name) => (Object.hasOwn(all, name) ? all[name] : undefined),
    host: 'login.acme.com',
    clientIp: clientIp ?? `198.51.${random(256)}.${random(256)}`,
    visits: visit ? [visit] : [],
    unfinished: [],
    ...(typed !== undefined && { typedEmail: typed }),
    ...(choice !== undefined && { choice }),
  };
}
