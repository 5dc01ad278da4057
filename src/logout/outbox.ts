/**
 * Telling parties behind the person's back that visits ended, durably: what `tell` returns of is kept by the store, and
 * is told, or fetched, or a dead letter in the end. Whoever ends visits calls it: a sign-out in a browser, or an
 * environment.
 */
import type { Instant } from '../core/time.ts';
import type { Visit } from '../core/visit.ts';
import type { PartySession } from '../provider/provider.ts';
import type { NewNotice, Notice, Notices, Outcome, Taken } from '../store/notices.ts';
import type { After } from '../system/after.ts';
import { type Delivery, type DeliveryParts, openDelivery } from './delivery.ts';
import { type Feed, openFeed } from './feed.ts';
import { type Lane, partyLane } from './lane.ts';
import { readNotice, writeNotice, writePartyNotice } from './notice-text.ts';
import { type PushParts, push } from './push.ts';
import type { Receiver } from './receiver.ts';

export type Outbox = {
  /**
   * Keeps the news that these visits and sessions ended, for each of their environments and relying parties that can be
   * told, and begins to tell it. All of it is durable before it returns; the same visit may be told of again, and is once.
   * Returns who will be told. Throws what the store throws; nobody is told then.
   */
  tell(
    run: string,
    visits: readonly Visit[],
    now: Instant,
    sessions?: readonly PartySession[],
  ): Promise<readonly Lane[]>;

  /**
   * How far the notices of a run have come, once each that we have to bring was tried, or after so many milliseconds.
   * Throws what the store throws.
   */
  progress(run: string, withinMs: number): Promise<readonly Notice[]>;

  /** For parties that fetch. */
  readonly feed: Feed;
  /** A notice as it is told: a logout token for its party. `undefined` where it cannot be read any more. */
  tokenFor(notice: Notice, receiver: Receiver, now: Instant): Promise<string | undefined>;

  /** The routes have changed, or something was posted by others: looks what is due. */
  poke(): void;
  /** Finishes what is under way; nothing is begun any more. */
  close(): Promise<void>;
};

export type OutboxParts = Omit<PushParts, 'fault'> & {
  readonly notices: Notices;
  readonly after: After;
  /** Whether there is anybody who could be told; without, the store is left alone. */
  readonly wanted: () => boolean;
  /** Hears what an attempt came to; `visit` where it could be read. */
  readonly settled: (notice: Taken, outcome: Outcome, visit: Pick<Visit, 'portal'> | undefined) => void;
  readonly fault: (error: unknown) => void;
  /** Who delivers; this process unless given. */
  readonly deliverBy?: (hears: Pick<DeliveryParts, 'settled' | 'fault'>) => Pick<Delivery, 'poke' | 'stop'>;
};

/** Notices of a run that are looked at. */
const MOST_OF_RUN = 100;

/** Milliseconds between two looks at a run whose notices another router may have taken. */
const LOOK_MS = 250;

export function openOutbox(parts: OutboxParts): Outbox {
  const { notices, sealer, clock, after, wanted, receiverOf, settled, fault } = parts;
  const listeners = new Map<string, Set<() => void>>();
  const feed = openFeed(notices, clock, after);
  const hears: Pick<DeliveryParts, 'settled' | 'fault'> = {
    settled(notice, outcome) {
      settled(notice, outcome, readNotice(notice, sealer));
      for (const hear of [...(listeners.get(notice.run) ?? [])]) hear();
    },
    fault,
  };
  const deliverHere = () => openDelivery({ ...hears, notices, clock, after, push: (notice) => push(notice, parts) });
  const delivery = parts.deliverBy?.(hears) ?? deliverHere();

  /** Until something of the run was settled here, or the time is over. */
  const change = (run: string, ms: number) =>
    new Promise<void>((resolve) => {
      const hearing = listeners.get(run) ?? new Set();
      listeners.set(run, hearing);
      const hear = () => {
        cancel();
        hearing.delete(hear);
        if (hearing.size === 0 && listeners.get(run) === hearing) listeners.delete(run);
        resolve();
      };
      const cancel = after(ms, hear);
      hearing.add(hear);
    });

  return {
    async tell(run, visits, now, sessions = []) {
      const ofVisits = visits.flatMap((visit) => {
        const by = receiverOf(visit.environment)?.by;
        return by ? [writeNotice(run, visit, by, sealer, now)] : [];
      });
      const ofSessions = sessions.flatMap((session) => {
        const by = receiverOf(partyLane(session.portal))?.by;
        return by ? [writePartyNotice(run, session, by, sealer, now)] : [];
      });
      const posted = [...ofVisits, ...ofSessions];
      if (posted.length === 0) return [];
      await notices.post(posted, now);
      delivery.poke();
      for (const { lane, by } of posted) if (by === 'pull') feed.wake(lane);
      return [...new Set(posted.map(({ lane }) => lane))];
    },

    async progress(run, withinMs) {
      const until = performance.now() + withinMs;
      for (;;) {
        const found = await notices.list({ run }, MOST_OF_RUN);
        const left = until - performance.now();
        if (left <= 0 || !found.some(isUntried)) return found;
        await change(run, Math.min(left, LOOK_MS));
      }
    },

    feed,
    async tokenFor(notice, receiver, now) {
      const ended = readNotice(notice, sealer);
      return ended && receiver.mint(ended, ended.endedAt, now);
    },

    poke() {
      if (wanted()) delivery.poke();
    },
    async close() {
      feed.close();
      await delivery.stop();
    },
  };
}

const isUntried = ({ by, state, attempts }: Pick<NewNotice, 'by'> & Pick<Notice, 'state' | 'attempts'>): boolean =>
  by === 'push' && attempts === 0 && (state === 'waiting' || state === 'taken');
