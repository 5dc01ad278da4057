/** What follows when an environment says that its person is gone: the rest of the sign-out, without the browser. */
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import type { Visit } from '../core/visit.ts';
import type { RecordedVisit } from '../logout/recorded-visits.ts';
import { toldVisits } from '../logout/told-visits.ts';
import type { LogoutNotice } from '../protocols/delegate.ts';
import { endParty } from './end-parties.ts';
import { detailOf } from './logout-audit.ts';
import type { Turn } from './turn.ts';

/**
 * Tells whoever has to know that these visits ended, durably where they are environments, and returns all the visits
 * that are over with them: where `fan_out` is not `origin`, those of the same browsers to the same portals through
 * other environments. They are still to be ended in the store, last of all. Safe to be done again. `partiesKnow`:
 * visits whose relying parties were told. Throws `Refusal` where the store cannot be used.
 */
export async function spreadWord(
  turn: Turn,
  reference: string,
  from: EnvironmentName,
  ended: readonly RecordedVisit[],
  partiesKnow: ReadonlySet<string> = new Set(),
): Promise<readonly RecordedVisit[]> {
  const others = await guarded(besides(turn, from, ended));
  await tellOthers(turn, reference, others);
  const all = [...ended, ...others];
  for (const { id } of all) {
    if (partiesKnow.has(id)) continue;
    const party = await guarded(turn.surface.recorded.partyOf(id, turn.now));
    if (party) await endParty(turn, reference, party);
  }
  return all;
}

async function besides({ surface, live, now }: Turn, from: EnvironmentName, ended: readonly RecordedVisit[]) {
  if (live.logout.fanOut === 'origin') return [];
  const others = new Map<string, RecordedVisit>();
  for (const { browser, portal } of ended)
    for (const other of await surface.recorded.ofBrowser(browser, now))
      if (other.portal === portal && other.environment !== from) others.set(other.id, other);
  return [...others.values()];
}

async function tellOthers({ surface, live, now }: Turn, reference: string, others: readonly RecordedVisit[]) {
  const named = toldVisits('visited', others);
  const tellable = named.filter(({ environment }) => live.receivers.has(environment));
  const kept = await guarded(surface.outbox.tell(reference, tellable, now));
  const record = (reason: 'notice_kept' | 'leg_skipped', environment: EnvironmentName, detail?: string) =>
    surface.audit.record({ event: 'logout.leg', reason, reference, environment, ...(detail && { detail }) });
  for (const environment of kept) record('notice_kept', environment);
  const left = new Set(others.map(({ environment }) => environment).filter((name) => !kept.includes(name)));
  for (const environment of left) record('leg_skipped', environment, 'it can be told through the browser only');
}

/**
 * The same for a request that came through somebody's browser (SAML): the person's other browsers have visits, too, and
 * this one may have brought none along. `here`: those that it did. How many visits ended; `undefined` where the store
 * cannot say.
 */
export async function endRequested(
  turn: Turn,
  reference: string,
  name: EnvironmentName,
  { subject, issuedAt, concerns }: LogoutNotice,
  here: readonly Visit[],
): Promise<number | undefined> {
  const { surface, live, now } = turn;
  endRecords(turn, here);
  if (live.senders.get(name) !== 'single_logout') return here.length;
  try {
    const found = await surface.recorded.meantBy(name, { subject }, issuedAt, now);
    const meant = found.filter(({ session }) => session !== undefined && concerns(session));
    await surface.recorded.end(
      await spreadWord(turn, reference, name, meant, new Set(here.flatMap(({ id }) => id ?? []))),
    );
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
