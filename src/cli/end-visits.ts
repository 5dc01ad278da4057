import { sealKeysOf } from '../compose.ts';
import type { CheckedRoutes } from '../config/checked.ts';
import type { EnvironmentName } from '../core/names.ts';
import { CLOCK_SKEW, type Clock } from '../core/time.ts';
import { makeReference } from '../http/state.ts';
import { randomBytes } from '../keys/random.ts';
import { openSealer } from '../keys/seal.ts';
import { openOutbox } from '../logout/outbox.ts';
import { openRecordedVisits } from '../logout/recorded-visits.ts';
import { readVisitKey } from '../logout/recorded-visits-key.ts';
import { planSpread, type Spread, spreadWord } from '../logout/spread.ts';
import type { Gone } from '../logout/token.ts';
import { closeReceivers, openReceivers, receiverSetups } from '../open-receivers.ts';
import { openRelyingParties } from '../open-relying-parties.ts';
import { openOutbound } from '../outbound/client.ts';
import type { Store } from '../store/store.ts';
import { systemAfter } from '../system/after.ts';
import type { Io } from './io.ts';

export type EndAsked = {
  readonly environment: EnvironmentName;
  /** As the environment calls them. */
  readonly gone: Gone;
  /** Only says what would be. */
  readonly dryRun: boolean;
};

/** `run`: by which the log and `wayhome logouts show` know it; absent where nothing was done. */
export type EndedVisits = Spread & { readonly run?: string };

/**
 * Ends visits in the operator's name, as if their environment had said that the person is gone, but that the environment
 * is told, too. Routers that run on this store deliver. Done again after a fault, it goes on where it stopped, and tells
 * nobody twice. Throws what the store throws, and an `Error` where its keys are none of this file's.
 */
export async function endVisits(
  routes: CheckedRoutes,
  store: Store,
  { environment, gone, dryRun }: EndAsked,
  variables: Io['env'],
  clock: Clock,
): Promise<EndedVisits> {
  const now = clock();
  const sealer = openSealer(await sealKeysOf(routes, store), randomBytes);
  const key = await readVisitKey(store, sealer, now);
  if (!key) throw new Error('what the store keeps of visits is sealed with a key that is not in seal_keys');
  const recorded = openRecordedVisits(store, sealer, key);
  const setups = receiverSetups(routes);
  const { fanOut } = routes.logout;
  // A visit begins by its environment's clock.
  const ended = await recorded.meantBy(environment, gone, now + CLOCK_SKEW, now);
  const spread = await planSpread({ recorded, fanOut, canBeTold: (lane) => setups.has(lane) }, ended, 'operator', now);
  if (dryRun || ended.length === 0) return spread;

  const faults: unknown[] = [];
  const fault = (error: unknown) => void faults.push(error);
  const parts = { store, sealer, recorded, random: randomBytes, clock, fault };
  const { provider } = await openRelyingParties(routes, parts);
  const outbound = openOutbound({ variables });
  const opened = await openReceivers(setups, { ...parts, outbound });
  const outbox = openOutbox({
    notices: store.notices,
    sealer,
    clock,
    after: systemAfter,
    chance: Math.random,
    receiverOf: (lane) => opened.receivers.get(lane),
    wanted: () => false,
    settled: () => undefined,
    fault,
    deliverBy: () => ({ poke: () => undefined, stop: async () => undefined }),
  });
  const run = makeReference(randomBytes);
  try {
    await spreadWord({ outbox, ...(provider && { provider }) }, run, spread, now);
    if (faults.length > 0) throw faults[0];
    await recorded.end(spread.over);
  } finally {
    await outbox.close();
    closeReceivers(opened);
    await outbound.close();
  }
  return { ...spread, run };
}
