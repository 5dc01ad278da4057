/**
 * The record of one routing decision: what discovery looked at, reduced to what routing needs, and what it came
 * to. It is made so that discovery, asked again with the same routes, answers the same, and so that it says of
 * no person who they are: an email is its domain, an address its block, a page its app, a time its day.
 */
import { preferredLanguages } from './accept-language.ts';
import { coarsen, describeRange, firstAddress, isSplitBy, parseRange } from './address-range.ts';
import type { Decision } from './decide.ts';
import { type StepReason, type TrailStep, UNFINISHED_AFTER, wasLeftUnfinished } from './discovery.ts';
import { parseEmail } from './email.ts';
import type { Facts, Lookup } from './facts.ts';
import type { EnvironmentName, PortalName } from './names.ts';
import type { Reads } from './reads.ts';
import type { Reason } from './reason.ts';
import { CLOCK_SKEW, type Instant } from './time.ts';
import { latestVisit } from './visit.ts';
import { restore, WITHHELD, withhold } from './withhold.ts';

/** By name; `null`: looked for and absent. A name that is not here was not looked for. */
export type Values = Readonly<Record<string, string | null>>;

export type DecisionRecord = {
  readonly version: 1;
  /** `2026-11-30`, UTC. */
  readonly day: string;
  readonly portal: PortalName;
  readonly query: Values;
  readonly return_query: Values;
  readonly headers: Values;
  readonly host?: string;
  /** The preferred one; `null`: none was said. */
  readonly language?: string | null;
  /** A CIDR; `null`: the address could not be read. */
  readonly client?: string | null;
  /** `null`: this browser has no visit to the portal. */
  readonly remembered?: Remembered | null;
  /** What the person said on our pages; `email` is `@` and a domain. */
  readonly choice?: string;
  readonly email?: string;
  readonly ask?: 'email' | 'picker';
  readonly tried?: readonly EnvironmentName[];
  readonly decided: Decided;
};

/** `age`: seconds, rounded up to days where every `remembered` step counts in days. */
export type Remembered = { readonly environment: EnvironmentName; readonly age: number; readonly unfinished?: true };

export type Decided = {
  /** Where the login went; neither for a refusal. */
  readonly environment?: EnvironmentName;
  readonly page?: 'email' | 'picker';
  /** The step that answered or asked; absent where there was none. */
  readonly by?: TrailStep['by'];
  readonly reason: StepReason | Reason;
};

/** The decisions that are made at the start of a login. */
export type RoutingDecision =
  | Pick<Decision & { do: 'depart' }, 'do' | 'environment' | 'reason' | 'trail'>
  | Pick<Decision & { do: 'ask' }, 'do' | 'page' | 'reason' | 'trail'>
  | Pick<Decision & { do: 'refuse' }, 'do' | 'reason' | 'trail'>;

const DAY = 86_400;

/** What is kept of a decision; `reads` are those of the routes that it was made by. */
export function recordOf(
  reads: Reads,
  portal: PortalName,
  facts: Facts,
  decision: RoutingDecision,
  now: Instant,
): DecisionRecord {
  const { choice, typedEmail, ask, tried } = facts;
  const remembered = reads.ageUnit === undefined ? undefined : rememberedIn(facts, reads.ageUnit, now);
  const language = reads.language ? (preferredLanguages(facts.header('accept-language'))[0] ?? null) : undefined;
  return {
    version: 1,
    day: new Date(now * 1000).toISOString().slice(0, 10),
    portal,
    query: keep(reads.query, facts.query, (value) => withhold(value, reads.named)),
    return_query: keep(reads.returnQuery, facts.returnQuery, (value) => withhold(value, reads.named)),
    headers: keep(reads.headers, facts.header, (value, name) =>
      name === 'referer' || name === 'origin' ? appOf(value, reads) : withhold(value, reads.named),
    ),
    ...(reads.hosts && { host: reads.hosts.has(facts.host) ? facts.host : withhold(facts.host, reads.named) }),
    ...(language !== undefined && { language: language && withhold(language, reads.named) }),
    ...(reads.ranges && { client: clientBlock(facts.clientIp, reads.ranges) }),
    ...(remembered !== undefined && { remembered }),
    ...(choice !== undefined && { choice: reads.environments.has(choice as EnvironmentName) ? choice : WITHHELD }),
    ...(typedEmail !== undefined && { email: domainOf(typedEmail) }),
    ...(ask && { ask }),
    ...(tried && tried.length > 0 && { tried }),
    decided: decidedIn(decision),
  };
}

/**
 * The facts of a recorded decision, as discovery may look at them again at `now`. `missing` hears what discovery
 * asked for and the record does not hold; it is then told that the fact is absent, which may be wrong.
 */
export function factsOf(record: DecisionRecord, reads: Reads, now: Instant, missing: (what: string) => void): Facts {
  const { remembered, choice, email, ask, tried } = record;
  const lookup =
    (values: Values, what: string): Lookup =>
    (name) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) missing(`${what} ${name}`);
      return typeof value === 'string' ? restore(value) : undefined;
    };
  const headers = lookup(record.headers, 'header');
  return {
    query: lookup(record.query, 'parameter'),
    returnQuery: lookup(record.return_query, 'parameter of the return address'),
    header: (name) =>
      name === 'accept-language' && !Object.hasOwn(record.headers, name) && record.language !== undefined
        ? (record.language ?? undefined)
        : headers(name),
    get host() {
      if (record.host === undefined) missing('host');
      return record.host ?? '';
    },
    get clientIp() {
      if (record.client === undefined) missing('client_ip');
      const block = parseRange(record.client ?? '');
      if (block && isSplitBy(block, reads.ranges ?? [])) missing(`client_ip within /${block.prefix}`);
      return block ? firstAddress(block) : '';
    },
    get visits() {
      if (remembered === undefined) missing('the remembered environment');
      if (!remembered) return [];
      return [{ portal: record.portal, environment: remembered.environment, at: now - remembered.age, appUrl: '' }];
    },
    unfinished: remembered?.unfinished ? [{ environment: remembered.environment, at: now - UNFINISHED_AFTER }] : [],
    ...(choice !== undefined && { choice }),
    ...(email !== undefined && { typedEmail: restore(email) }),
    ...(ask && { ask }),
    ...(tried && { tried }),
  };
}

const keep = (names: ReadonlySet<string>, lookup: Lookup, reduce: (value: string, name: string) => string): Values =>
  Object.fromEntries(
    [...names].map((name) => {
      const value = lookup(name);
      return [name, value === undefined ? null : reduce(value, name)];
    }),
  );

/** A page, as far as an `app_url` names it: its origin, and the path that the app and the page share. */
function appOf(page: string, { byAppOrigin, named }: Reads): string {
  if (page === '' || (named.has(page) && withhold(page, named) === page)) return page;
  if (!URL.canParse(page)) return WITHHELD;
  const { origin, pathname } = new URL(page);
  const app = byAppOrigin.get(origin)?.find(({ path }) => pathname.startsWith(path));
  const reduced = `${origin}${app?.path ?? '/'}`;
  // Another page than the one that a rule names must not become it; a fragment changes neither origin nor path.
  return named.has(reduced) ? `${reduced}#` : reduced;
}

function clientBlock(address: string, ranges: NonNullable<Reads['ranges']>): string | null {
  const block = coarsen(address, ranges);
  return block ? describeRange(block) : null;
}

function rememberedIn({ visits, unfinished }: Facts, unit: number, now: Instant): Remembered | null {
  const visit = latestVisit(visits);
  if (!visit) return null;
  const { environment, at } = visit;
  const left = wasLeftUnfinished(visit, unfinished, now);
  // What lies ahead by more than clocks may differ was no memory, and stays none.
  const age = now - at < -CLOCK_SKEW ? -CLOCK_SKEW - 1 : Math.ceil(Math.max(0, now - at) / unit) * unit;
  return { environment, age, ...(left && { unfinished: true }) };
}

const domainOf = (typed: string): string => {
  const email = parseEmail(typed.trim());
  return email ? `@${email.domain}` : WITHHELD;
};

export function decidedIn(decision: RoutingDecision): Decided {
  const by = decision.trail.at(-1)?.by;
  const { reason } = decision;
  return {
    ...(decision.do === 'depart' && { environment: decision.environment.name }),
    ...(decision.do === 'ask' && { page: decision.page }),
    ...(by && decision.do !== 'refuse' && { by }),
    reason,
  };
}

/** When a decision is replayed: at noon of its day, so a plan (`from`, `until`) of that very day may judge otherwise. */
export const momentOf = ({ day }: DecisionRecord): Instant => Date.parse(day) / 1000 + DAY / 2;
