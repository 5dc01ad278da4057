/**
 * Carries notices out: takes what is due from the store, has it told, and says what became of it, until nothing is
 * left. Any number of routers may do so on one store. Nothing that was posted is lost with a process: what it had taken
 * is due again when its lease ends.
 */
import { CLOCK_SKEW, type Clock } from '../core/time.ts';
import type { Notices, Outcome, Taken } from '../store/notices.ts';
import type { After } from './after.ts';

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
  /** Takes nothing any more; resolves once all that is under way has come to its end. */
  stop(): Promise<void>;
};

/** Notices under way at once, in all and to one party. */
const AT_ONCE = 256;
const PER_LANE = 16;

/**
 * Notices that are taken at once, and milliseconds from then until the next are: some 250 a second. They are begun a few
 * at a time, in pieces so small that whoever signs in meanwhile does not notice, however many wait.
 */
const PER_LOOK = 16;
const REST_MS = 60;
const BEGUN_AT_ONCE = 2;
const BREATH_MS = 7;

/** While more than these are under way, what became of others waits for the next look: one commit for all of it. */
const FEW = 4;

/** Seconds that a taken notice is ours: what a call can take and more, on whichever router's clock. */
const LEASE = CLOCK_SKEW + 30;

/** Milliseconds between two looks at what others may have posted, and while calls under way hold up what is due. */
const POLL_MS = 2_000;
const HELD_UP_MS = 1_000;

/** Seconds for which it can be seen what became of a notice, and between two times of tidying up. */
const KEPT = 30 * 86_400;
const TIDY_EVERY = 3_600;

/** Looks for the first time when it is poked. */
export function openDelivery({ notices, clock, after, push, settled, fault }: DeliveryParts): Delivery {
  const underWay = new Set<Promise<void>>();
  let outcomes: { readonly notice: Taken; readonly outcome: Outcome }[] = [];
  /** Begins at once what was to be begun a little later. */
  let beginning: (() => void) | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  let resting = false;
  let stopped = false;
  let troubled = false;
  let tidyAt = 0;
  let cancel = () => {};

  const report = (error: unknown) => {
    if (!troubled) fault(error);
    troubled = true;
  };

  async function carry(notice: Taken): Promise<void> {
    const outcome = await push(notice);
    outcomes.push({ notice, outcome });
  }

  function begin(notice: Taken): void {
    const work: Promise<void> = carry(notice).then(async () => {
      underWay.delete(work);
      if (underWay.size <= FEW) await settle();
      poke();
    });
    underWay.add(work);
  }

  async function settle(): Promise<void> {
    const settling = outcomes;
    outcomes = [];
    await Promise.all(
      settling.map(async ({ notice, outcome }) => {
        try {
          if ((await notices.settle(notice, outcome, clock())) === 'settled') settled(notice, outcome);
        } catch (error) {
          report(error);
        }
      }),
    );
  }

  /** Begins some of these now, and the others a little later. */
  function beginInTurn(taken: readonly Taken[]): void {
    if (stopped) {
      for (const notice of taken) outcomes.push({ notice, outcome: { to: 'returned' } });
      return;
    }
    for (const notice of taken.slice(0, BEGUN_AT_ONCE)) begin(notice);
    const rest = taken.slice(BEGUN_AT_ONCE);
    if (rest.length === 0) return;
    const wait = () => {
      cancelBegin();
      beginning = undefined;
      beginInTurn(rest);
    };
    const cancelBegin = after(BREATH_MS, wait);
    beginning = wait;
  }

  /** What is settled and what is taken in one turn shares a commit. */
  async function takeDue(): Promise<void> {
    const settling = settle();
    const most = Math.min(PER_LOOK, AT_ONCE - underWay.size);
    try {
      if (most <= 0) return;
      const taken = await notices.take({ most, perLane: PER_LANE, lease: LEASE }, clock());
      again ||= taken.length === most;
      if (taken.length === most || stopped) beginInTurn(taken);
      else for (const notice of taken) begin(notice);
    } finally {
      await settling;
    }
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
    async stop() {
      stopped = true;
      cancel();
      await looking;
      beginning?.();
      await Promise.all(underWay);
      await settle();
    },
  };
}
