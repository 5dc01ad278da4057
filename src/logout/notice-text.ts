import { createHash } from 'node:crypto';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import type { Visit } from '../core/visit.ts';
import type { Sealer } from '../keys/keys.ts';
import type { PartySession } from '../provider/provider.ts';
import type { NewNotice } from '../store/notices.ts';
import { type Lane, partyLane } from './lane.ts';
import { GIVE_UP_AFTER } from './schedule.ts';
import type { Gone } from './token.ts';

/** What the store keeps about a visit that ended, or a session at a relying party, until its party knows. */
export type EndedVisit = Gone & {
  readonly portal: PortalName;
  /** That the person came through. */
  readonly environment: EnvironmentName;
  readonly endedAt: Instant;
};

const PURPOSE = 'logout-notice';

type NoticeFor = NewNotice & { readonly lane: Lane };

/**
 * A visit that ended → the notice of it for its environment. Its id is the visit's: who signs out twice with the same
 * cookie ends the visit once. The person's name is sealed.
 */
export function writeNotice(run: string, visit: Visit, by: NewNotice['by'], sealer: Sealer, now: Instant): NoticeFor {
  const { portal, environment, subject, sid } = visit;
  const id = visit.id ?? `${run}.${portal}`;
  return write(environment, id, run, by, { portal, environment, subject, sid }, sealer, now);
}

/**
 * A session at a relying party that ended → the notice of it for that portal. Its id is the session's, whoever ends it
 * and however often; what the portal knows it by does not stand in it.
 */
export function writePartyNotice(
  run: string,
  session: PartySession,
  by: NewNotice['by'],
  sealer: Sealer,
  now: Instant,
): NoticeFor {
  return write(partyLane(session.portal), sessionId(session), run, by, session, sealer, now);
}

/**
 * One name for a session at a relying party, in whatever way it was found. With the time: should the provider be unable
 * to forget a session that ended, the person goes on with it when they sign in again, and that ends anew.
 */
export const sessionId = ({ portal, sid, grant, at }: PartySession): string =>
  createHash('sha256')
    .update(JSON.stringify([portal, sid, grant, at]))
    .digest('base64url')
    .slice(0, 22);

type Ended = Pick<Visit, 'portal' | 'environment'> & {
  readonly subject: string | undefined;
  readonly sid: string | undefined;
};

function write(
  lane: Lane,
  session: string,
  run: string,
  by: NewNotice['by'],
  { portal, environment, subject, sid }: Ended,
  sealer: Sealer,
  now: Instant,
): NoticeFor {
  const id = `${lane}.${session}`;
  const text = sealer.seal([PURPOSE, id], JSON.stringify([portal, environment, now, subject, sid]), now);
  return { id, lane, order: id, run, by, text, due: now, giveUpAt: now + GIVE_UP_AFTER };
}

type Written = [PortalName, EnvironmentName, Instant, string | null, string | null];

/** `undefined` when the seal does not open: its key has gone. */
export function readNotice({ id, text }: Pick<NewNotice, 'id' | 'text'>, sealer: Sealer): EndedVisit | undefined {
  const opened = sealer.open([PURPOSE, id], text);
  if (opened === undefined) return undefined;
  const [portal, environment, endedAt, subject, sid] = JSON.parse(opened) as Written;
  return { portal, environment, endedAt, ...(subject !== null && { subject }), ...(sid !== null && { sid }) };
}
