import { Refusal } from '../core/reason.ts';
import type { Clock } from '../core/time.ts';
import type { Sealer } from '../keys/keys.ts';
import { OutboundError } from '../outbound/outbound.ts';
import type { Notice, Outcome } from '../store/notices.ts';
import { type EndedVisit, readNotice } from './notice-text.ts';
import type { Receiver } from './receiver.ts';
import { type Attempt, judge } from './schedule.ts';

export type PushParts = {
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly chance: () => number;
  /** As the routes in force have it. */
  readonly receiverOf: (lane: string) => Receiver | undefined;
  /** Something that should not happen. */
  readonly fault: (error: unknown) => void;
};

/**
 * Tells a party once (Back-Channel Logout 1.0 §2.5), and says what is to become of the notice. Never rejects. What this
 * router cannot do, since its routes or keys are other ones, is tried again: another router, or a repaired file, can.
 */
export async function push(notice: Notice, parts: PushParts): Promise<Outcome> {
  const { sealer, clock, chance, receiverOf } = parts;
  const receiver = receiverOf(notice.lane);
  const ended = readNotice(notice, sealer);
  const attempt = await attemptWith(receiver, ended, parts);
  return judge(attempt, notice, clock(), chance());
}

async function attemptWith(
  receiver: Receiver | undefined,
  ended: EndedVisit | undefined,
  { clock, fault }: PushParts,
): Promise<Attempt> {
  if (receiver?.by !== 'push') return { fault: 'not tried: the routes have no address for it' };
  if (!ended) return { fault: 'not tried: sealed with a key that has gone' };
  try {
    const mint = () => receiver.mint(ended, ended.endedAt, clock());
    let minted: string | undefined = await mint();
    const { status, headers } = await receiver.caller.call({
      url: receiver.url,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      // Who is told once more, since the connection was lost, is told by a token of its own.
      body: async () => {
        const token = minted ?? (await mint());
        minted = undefined;
        return `logout_token=${token}`;
      },
      repeatable: true,
    });
    return { status, retryAfter: headers['retry-after'] };
  } catch (error) {
    if (error instanceof OutboundError || error instanceof Refusal) return { fault: error.message };
    fault(error);
    return { fault: 'not tried: a fault of the router' };
  }
}
