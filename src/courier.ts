/**
 * The courier's process: delivers notices as the router tells it to (logout/courier.ts), and outlives the router only for
 * what is under way. Another place where concrete things meet.
 */
import { systemClock } from './core/time.ts';
import { randomBytes } from './keys/random.ts';
import { openSealer } from './keys/seal.ts';
import type { Begin, News, Order } from './logout/courier.ts';
import { type Delivery, openDelivery } from './logout/delivery.ts';
import { push } from './logout/push.ts';
import { closeReceivers, openReceivers, type ReceiverSetups, type Receivers } from './open-receivers.ts';
import { openOutbound } from './outbound/client.ts';
import { openStore } from './store/open.ts';
import { systemAfter } from './system/after.ts';

type Round = {
  readonly delivery: Delivery;
  follow(lanes: ReceiverSetups): Promise<void>;
  end(): Promise<void>;
};

/** Milliseconds between two looks at the time, how many are looked at together, and how late they may come in all. */
const LOOK_MS = 200;
const LOOKS = 10;
const LATE_MS = 8_000;

let telling: Promise<void> = Promise.resolve();

function tell(news: News): void {
  if (!process.connected) return;
  const told = new Promise<void>((resolve) => process.send?.(news, undefined, undefined, () => resolve()));
  telling = Promise.all([telling, told]).then(() => {});
}

const fault = (error: unknown) => tell({ fault: error instanceof Error ? error.message : String(error) });

async function beginRound({ store: address, redis, sealKeys, variables }: Begin): Promise<Round> {
  const store = await openStore(address, redis);
  const outbound = openOutbound({ variables });
  const sealer = openSealer(
    sealKeys.map((key) => Buffer.from(key)),
    randomBytes,
  );
  const clock = systemClock;
  let opened: Receivers | undefined;
  const receiverOf = (lane: string) => opened?.receivers.get(lane);
  const delivery = openDelivery({
    notices: store.notices,
    clock,
    after: systemAfter,
    push: (notice) => push(notice, { sealer, clock, chance: Math.random, receiverOf, fault }),
    settled: (notice, outcome) => tell({ settled: notice, outcome }),
    fault,
  });
  return {
    delivery,
    async follow(lanes) {
      const before = opened;
      opened = await openReceivers(lanes, { store, outbound, random: randomBytes, clock }, before);
      if (before) closeReceivers(before, opened);
    },
    async end() {
      await delivery.stop();
      await outbound.close();
      await store.close();
    },
  };
}

let round: Round | undefined;
let obeyed: Promise<void> = Promise.resolve();
let over = false;

async function obey(order: Order): Promise<void> {
  if (order === 'poke') round?.delivery.poke();
  else if (order === 'stop') await stop();
  else if ('lanes' in order) await round?.follow(order.lanes);
  else {
    round = await beginRound(order.begin);
    tell('ready');
    watchTime();
  }
}

/** Tells when we hardly come to run though something is under way. A moment without a core, or a slow disk, is not that. */
function watchTime(): void {
  const look = () => ({ at: performance.now(), busy: round?.delivery.busy() ?? false });
  let first = look();
  const looks = [first];
  setInterval(() => {
    const last = look();
    if (looks.push(last) > LOOKS) first = looks.shift() ?? last;
    const late = last.at - first.at > LOOKS * LOOK_MS + LATE_MS;
    if (late && looks.some(({ busy }) => busy)) tell('starved');
  }, LOOK_MS).unref();
}

async function stop(): Promise<void> {
  if (over) return;
  over = true;
  await round?.end();
  await telling;
  if (process.connected) process.disconnect();
}

// A terminal's Ctrl-C or a service manager's signal is for the router, which then says what is to be done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
const after = (work: () => Promise<void>) => {
  // What cannot be done ends the process, and the router starts another.
  obeyed = obeyed.then(work);
};
process.on('message', (order) => after(() => obey(order as Order)));
process.on('disconnect', () => after(stop));
