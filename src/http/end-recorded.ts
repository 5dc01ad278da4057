/** What follows when an environment says that its person is gone: the rest of the sign-out, without the browser. */
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import type { Visit } from '../core/visit.ts';
import { type Lane, ownerOf } from '../logout/lane.ts';
import type { RecordedVisit } from '../logout/recorded-visits.ts';
import { planSpread, type SpreadParts, spreadWord } from '../logout/spread.ts';
import type { LogoutNotice } from '../protocols/delegate.ts';
import type { PartySession } from '../provider/provider.ts';
import { detailOf } from './logout-audit.ts';
import type { Turn } from './turn.ts';

/**
 * Tells whoever has to know that an environment has ended these visits, durably, and returns all the visits that are over
 * with them; see logout/spread.ts. They are still to be ended in the store, last of all. `sessions`: others at relying
 * parties that end with them. Throws `Refusal` where the store cannot be used.
 */
export async function spreadWordOf(
  { surface, live, now }: Turn,
  reference: string,
  ended: readonly RecordedVisit[],
  sessions: readonly PartySession[] = [],
): Promise<readonly RecordedVisit[]> {
  const { recorded, outbox } = surface;
  const parts: SpreadParts = {
    recorded,
    outbox,
    fanOut: live.logout.fanOut,
    canBeTold: (lane) => live.receivers.has(lane),
    ...(live.provider && { provider: live.provider }),
  };
  const spread = await guarded(planSpread(parts, ended, 'environment', now, sessions));
  await guarded(spreadWord(parts, reference, spread, now));
  const record = (reason: 'notice_kept' | 'leg_skipped', lane: Lane, detail?: string) =>
    surface.audit.record({ event: 'logout.leg', reason, reference, ...ownerOf(lane), ...(detail && { detail }) });
  for (const lane of spread.told) record('notice_kept', lane);
  for (const name of spread.untold) record('leg_skipped', name, 'it can be told through the browser only');
  return spread.over;
}

/**
 * The same for a request that came through somebody's browser (SAML): the person's other browsers have visits, too, and
 * this one may have brought none along. `here`: those that it did; `sessions`: those at relying parties that it did. How
 * many visits ended; `undefined` where the store cannot say, or not everybody will be told.
 */
export async function endRequested(
  turn: Turn,
  reference: string,
  name: EnvironmentName,
  { subject, issuedAt, concerns }: LogoutNotice,
  here: readonly Visit[],
  sessions: readonly PartySession[],
): Promise<number | undefined> {
  const { surface, live, now } = turn;
  endRecords(turn, here);
  try {
    const receives = live.senders.get(name) === 'single_logout';
    const found = receives ? await surface.recorded.meantBy(name, { subject }, issuedAt, now) : [];
    const meant = found.filter(({ session }) => session !== undefined && concerns(session));
    await surface.recorded.end(await spreadWordOf(turn, reference, meant, sessions));
    return new Set([...meant, ...here].map(({ id }) => id)).size;
  } catch (error) {
    const detail = detailOf(error).slice(0, 200);
    surface.audit.record({ event: 'logout.leg', reason: 'leg_failed', reference, environment: name, detail });
    return undefined;
  }
}

/**
 * This browser's own sign-out: nobody has to end these visits any more. It holds up nobody, nor does a store that is
 * away.
 */
export function endRecords({ surface }: Turn, visits: readonly Visit[]): void {
  const recorded = visits.filter(({ browser }) => browser !== undefined);
  surface.recorded.end(recorded).catch((error: unknown) => surface.audit.fault('visits', error));
}

/** Without the store nothing is answered that would sound like a yes. */
export async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('store_unavailable', error instanceof Error ? error.message : undefined);
  }
}
