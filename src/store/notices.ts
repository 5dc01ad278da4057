/**
 * The contract of the outbox: notices that have to reach a party, however often that takes and whoever dies meanwhile.
 * A store owns order, leases and durability; what a notice says, when it is tried again and when that is given up is
 * the caller's business (logout/). Time is handed in. What cannot be promised throws.
 */
import type { Instant } from '../core/time.ts';

export type Notices = {
  /**
   * Keeps these notices, all or none. Durable before it returns. One whose id is there already, in whatever state, is
   * passed over: posting again after a fault is safe.
   */
  post(notices: readonly NewNotice[], now: Instant): Promise<void>;

  /**
   * Takes notices that are due, each until the lease ends. Lanes take turns, so that what waits for one party holds up no
   * other: first the lane whose notice is due, or from which none was taken, for the longest time, and of a lane what is
   * due for the longest time. Of any number of takers, at any time and from any process, a notice is taken by one; two
   * of one `order` are never taken at once, and of one `lane` no more than `perLane`. One whose lease ended without
   * being settled is due again at once: its taker died, or was stopped. Notices to be fetched are never taken.
   */
  take(want: Want, now: Instant): Promise<readonly Taken[]>;

  /**
   * Says what became of a taken notice, which outlives this process: the machine's loss of power at that moment may have
   * it told again. `lost`: its lease has ended and another may have it, or it was settled
   * otherwise; nothing was changed then.
   */
  settle(taken: Pick<Taken, 'id' | 'lease'>, outcome: Outcome, now: Instant): Promise<'settled' | 'lost'>;

  /** When the next notice is due, or a lease ends; it may be over already, for a lane that is full. Absent where nothing waits. */
  nextDue(): Promise<Instant | undefined>;

  /** Notices of a lane that wait to be fetched and come after this cursor, in the order in which they were posted. */
  feed(lane: string, after: number, most: number, now: Instant): Promise<readonly Notice[]>;

  /** The party of a lane has what came up to this cursor: its notices that wait to be fetched are delivered. How many. */
  acknowledge(lane: string, upTo: number, now: Instant): Promise<number>;

  /** Notices, the newest first; `before`: the cursor of the last that was seen. */
  list(of: Filter, most: number, before?: number): Promise<readonly Notice[]>;

  /**
   * Makes dead or waiting notices due at once, with their attempts forgotten. How many of them. One that is fetched gets
   * a new cursor, since its party may be past the old one.
   */
  resend(ids: readonly string[], now: Instant, giveUpAt: Instant): Promise<number>;

  /** How many there are, by lane and state. */
  counts(): Promise<readonly { readonly lane: string; readonly state: NoticeState; readonly count: number }[]>;

  /** Forgets settled and dead notices whose last change was before this instant. */
  forget(before: Instant): Promise<number>;
};

export type NewNotice = {
  readonly id: string;
  /** Who has to be told: bounds how many are under way to one party. */
  readonly lane: string;
  /** Notices of one order are under way one at a time: one party's word of one visit. */
  readonly order: string;
  /** The logout run. */
  readonly run: string;
  /** `push`: we tell the party. `pull`: it fetches them. */
  readonly by: 'push' | 'pull';
  /** What the caller needs to tell it. Sealed where it names a person. */
  readonly text: string;
  /** Not before; one that is fetched is there at once. */
  readonly due: Instant;
  /** When it is given up; a pulled one that nobody fetched is dead then too. */
  readonly giveUpAt: Instant;
};

export type NoticeState = 'waiting' | 'taken' | 'delivered' | 'dead';

export type Notice = NewNotice & {
  /** Grows with every notice that is posted, in the whole store. */
  readonly cursor: number;
  readonly state: NoticeState;
  readonly attempts: number;
  /** When its state changed last. */
  readonly changedAt: Instant;
  /** What the last attempt came to, for people. */
  readonly receipt?: string;
};

export type Taken = Notice & { readonly lease: string };

export type Want = {
  readonly most: number;
  readonly perLane: number;
  /** Seconds until a taken notice is due again. */
  readonly lease: number;
  /** Whether those are wanted, too, whose lease ended without being settled; absent: they are. */
  readonly lapsed?: boolean;
};

export type Outcome =
  | { readonly to: 'delivered'; readonly receipt: string }
  /** Due again then; the attempt is counted. */
  | { readonly to: 'waiting'; readonly due: Instant; readonly receipt: string }
  | { readonly to: 'dead'; readonly receipt: string }
  /** It was not tried (the process stops): due again at once, and not counted. */
  | { readonly to: 'returned' };

export type Filter = { readonly run?: string; readonly lane?: string; readonly state?: NoticeState };
