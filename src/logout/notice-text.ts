import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import type { Visit } from '../core/visit.ts';
import type { Sealer } from '../keys/keys.ts';
import type { NewNotice } from '../store/notices.ts';
import { GIVE_UP_AFTER } from './schedule.ts';
import type { Gone } from './token.ts';

/** What the store keeps about an ended visit until its environment knows. */
export type EndedVisit = Gone & {
  readonly portal: PortalName;
  readonly environment: EnvironmentName;
  readonly endedAt: Instant;
};

const PURPOSE = 'logout-notice';

/**
 * A visit that ended → the notice of it. Its id is the visit's: who signs out twice with the same cookie ends the visit
 * once. The person's name is sealed.
 */
export function writeNotice(
  run: string,
  visit: Visit,
  by: NewNotice['by'],
  sealer: Sealer,
  now: Instant,
): NewNotice & { readonly lane: EnvironmentName } {
  const { portal, environment, subject, sid } = visit;
  const id = `${environment}.${visit.id ?? `${run}.${portal}`}`;
  const text = sealer.seal([PURPOSE, id], JSON.stringify([portal, environment, now, subject, sid]), now);
  return { id, lane: environment, order: id, run, by, text, due: now, giveUpAt: now + GIVE_UP_AFTER };
}

type Written = [PortalName, EnvironmentName, Instant, string | null, string | null];

/** `undefined` when the seal does not open: its key has gone. */
export function readNotice({ id, text }: Pick<NewNotice, 'id' | 'text'>, sealer: Sealer): EndedVisit | undefined {
  const opened = sealer.open([PURPOSE, id], text);
  if (opened === undefined) return undefined;
  const [portal, environment, endedAt, subject, sid] = JSON.parse(opened) as Written;
  return { portal, environment, endedAt, ...(subject !== null && { subject }), ...(sid !== null && { sid }) };
}
