/**
 * What follows when visits end behind their browsers' backs, whoever ends them: which others are over with them, and who
 * has to know. Deciding changes nothing, and what was decided may be done again.
 */
import type { EnvironmentName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import type { Visit } from '../core/visit.ts';
import type { PartySession, Provider } from '../provider/provider.ts';
import { type Lane, partyLane } from './lane.ts';
import { sessionId } from './notice-text.ts';
import type { Outbox } from './outbox.ts';
import type { RecordedVisit, RecordedVisits } from './recorded-visits.ts';
import { toldVisits } from './told-visits.ts';

export type SpreadParts = {
  readonly recorded: Pick<RecordedVisits, 'ofBrowser' | 'partyOf'>;
  readonly outbox: Pick<Outbox, 'tell'>;
  readonly fanOut: 'origin' | 'visited' | 'all';
  readonly canBeTold: (lane: Lane) => boolean;
  /** Present where some portal is a relying party. */
  readonly provider?: Pick<Provider, 'end'>;
};

export type Spread = {
  /** Every visit that is over: those that were ended, and what hangs on them. */
  readonly over: readonly RecordedVisit[];
  /** Whose environments are told. */
  readonly visits: readonly Visit[];
  /** Whose relying parties are told, where they have an address for it. */
  readonly sessions: readonly PartySession[];
  /** Who will be told, each once. */
  readonly told: readonly Lane[];
  /** Environments that can be told through the browser only, which is not there. */
  readonly untold: readonly EnvironmentName[];
};

/**
 * Where `fan_out` is not `origin`, visits of the same browsers to the same portals through other environments are over,
 * too. `by`: who ended these visits, all of one environment; what the environment itself has ended, it knows already.
 * `sessions`: others at relying parties that end with them. Throws what the store throws.
 */
export async function planSpread(
  parts: Pick<SpreadParts, 'recorded' | 'fanOut' | 'canBeTold'>,
  ended: readonly RecordedVisit[],
  by: 'environment' | 'operator',
  now: Instant,
  sessions: readonly PartySession[] = [],
): Promise<Spread> {
  const others = await besides(parts, ended, now);
  const over = [...ended, ...others];
  const concerned = by === 'environment' ? others : over;
  const visits = toldVisits('visited', concerned).filter(({ environment }) => parts.canBeTold(environment));
  const known = new Map(sessions.map((session) => [sessionId(session), session]));
  for (const { id } of over) {
    const session = await parts.recorded.partyOf(id, now);
    if (session) known.set(sessionId(session), session);
  }
  const lanes = new Set<Lane>(visits.map(({ environment }) => environment));
  for (const { portal } of known.values()) if (parts.canBeTold(partyLane(portal))) lanes.add(partyLane(portal));
  const untold = new Set(concerned.map(({ environment }) => environment).filter((name) => !lanes.has(name)));
  return { over, visits, sessions: [...known.values()], told: [...lanes], untold: [...untold] };
}

async function besides(
  { recorded, fanOut }: Pick<SpreadParts, 'recorded' | 'fanOut'>,
  ended: readonly RecordedVisit[],
  now: Instant,
): Promise<readonly RecordedVisit[]> {
  if (fanOut === 'origin') return [];
  const others = new Map<string, RecordedVisit>();
  for (const { browser, portal, environment } of ended)
    for (const other of await recorded.ofBrowser(browser, now))
      if (other.portal === portal && other.environment !== environment) others.set(other.id, other);
  return [...others.values()];
}

/**
 * Tells whoever has to know, durably, and ends sessions at relying parties. The visits are still to be ended in the
 * store, last of all: until then whoever dies can begin again. Throws what the store throws.
 */
export async function spreadWord(
  { outbox, provider }: Pick<SpreadParts, 'outbox' | 'provider'>,
  reference: string,
  { visits, sessions }: Spread,
  now: Instant,
): Promise<void> {
  await outbox.tell(reference, visits, now, sessions);
  for (const session of sessions) await provider?.end(session);
}
