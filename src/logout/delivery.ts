/**
 * Carries notices out: takes what is due from the store, has it told, and says what became of it, until nothing is
 * left. Any number of routers may do so on one store. Nothing that was posted is lost with a process: what it had taken
 * is due again when its lease ends.
 */
import { CLOCK_SKEW, type Clock } from '../core/time.ts';
import type { Notices, Outcome, Taken } from '../store/notices.ts';
import type { After } from '../system/after.ts';

export type DeliveryParts = {
  readonly notices: Notices;
  readonly clock: Clock;
  readonly after: After;
  /** Tells a party once; never rejects. */
  readonly push: (notice: Taken) => Promise<Outcome>;
  /** Hears of every notice whose attempt the store has on record. */
  readonly settled: (notice: Taken, outcome: Outcome) => void;
  /** The store cannot be used; told once until it can be again. */
  readonly fault: (error: unknown) => void;
};

export type Delivery = {
  /** Something may be due. */
  poke(): void;
  /** Whether anything is under way. */
  busy(): boolean;
  /** Takes nothing any more; resolves once all that is under way has come to its end. */
  stop(): Promise<void>;
};

/** Notices under way at once, in all and to one party. */
const AT_ONCE = 256;
const PER_LANE = 16;

/**
 * Notices that are taken at once, and milliseconds from then until the next are: some 210 a second, however many wait.
 * Those that are taken together mostly change the same pages of a store. They are begun evenly: who signs in meanwhile may
 * have to wait for the work that one of them takes, not for that of all.
 */
const PER_LOOK = 8;
const REST_MS = 37;
const APART_MS = REST_MS / PER_LOOK;

/** Seconds that a taken notice is ours: what a call can take and more, on whichever router's clock. */
const LEASE = CLOCK_SKEW + 30;

/**
 * Seconds from our beginning until we take what another left under way: its party may have been told already, and would be
 * told again and again by processes that die again and again.
 */
const CALM_AFTER = 10;

/** Milliseconds between two looks at what others may have posted, and while calls under way hold up what is due. */
const POLL_MS = 2_000;
const HELD_UP_MS = 1_000;

/** Seconds for which it can be seen what became of a notice, and between two times of tidying up. */
const KEPT = 30 * 86_400;
const TIDY_EVERY = 3_600;

/** Looks for the first time when it is poked. */
export function openDelivery({ notices, clock, after, push, settled, fault }: DeliveryParts): Delivery {
  const underWay = new Set<Promise<void>>();
  /** Ends the waiting of those that are not yet begun. */
  const hurries = new Set<() => void>();
  let looking: Promise<void> | undefined;
  let again = false;
  let resting = false;
  let stopped = false;
  let troubled = false;
  let tidyAt = 0;
  const calmAt = clock() + CALM_AFTER;
  let cancel = () => {};

  const report = (error: unknown) => {
    if (!troubled) fault(error);
    troubled = true;
  };

  async function carry(notice: Taken): Promise<void> {
    const outcome = await push(notice);
    try {
      // At once: until then a process that dies has the party told again.
      if ((await notices.settle(notice, outcome, clock())) === 'settled') settled(notice, outcome);
    } catch (error) {
      report(error);
    }
  }

  /** Resolves after so many milliseconds, or once nothing is begun any more. */
  const moment = (ms: number) =>
    new Promise<void>((resolve) => {
      const go = () => {
        hurries.delete(go);
        resolve();
      };
      hurries.add(go);
      after(ms, go);
    });

  async function begin(notice: Taken, inMs: number): Promise<void> {
    if (inMs > 0 && !stopped) await moment(inMs);
    if (!stopped) return carry(notice);
    try {
      await notices.settle(notice, { to: 'returned' }, clock());
    } catch (error) {
      report(error);
    }
  }

  function add(notice: Taken, inMs: number): void {
    const work: Promise<void> = begin(notice, inMs).finally(() => {
      underWay.delete(work);
      poke();
    });
    underWay.add(work);
  }

  async function takeDue(): Promise<void> {
    const most = Math.min(PER_LOOK, AT_ONCE - underWay.size);
    if (most <= 0) return;
    const now = clock();
    const taken = await notices.take({ most, perLane: PER_LANE, lease: LEASE, lapsed: now >= calmAt }, now);
    if (taken.length === most) again = true;
    for (const [index, notice] of taken.entries()) add(notice, index * APART_MS);
  }

  async function tidy(): Promise<void> {
    const now = clock();
    if (now < tidyAt) return;
    tidyAt = now + TIDY_EVERY;
    await notices.forget(now - KEPT);
  }

  /** Milliseconds until there is something to do. */
  async function pause(): Promise<number> {
    if (again) return 0;
    const due = await notices.nextDue();
    if (due === undefined) return POLL_MS;
    return Math.min(Math.max((due - clock()) * 1_000, HELD_UP_MS), POLL_MS);
  }

  async function look(): Promise<void> {
    again = false;
    const began = performance.now();
    let wait = POLL_MS;
    try {
      await takeDue();
      await tidy();
      wait = await pause();
      troubled = false;
    } catch (error) {
      report(error);
    }
    looking = undefined;
    resting = true;
    const rest = Math.max(REST_MS - (performance.now() - began), 1);
    if (!stopped) cancel = after(rest, () => rested(wait));
  }

  function rested(wait: number): void {
    resting = false;
    if (again) poke();
    else cancel = after(wait, poke);
  }

  function poke(): void {
    again = true;
    if (looking || resting || stopped) return;
    cancel();
    looking = look();
  }

  return {
    poke,
    busy: () => underWay.size > 0,
    async stop() {
      stopped = true;
      cancel();
      await looking;
      for (const hurry of hurries) hurry();
      await Promise.all(underWay);
    },
  };
}
