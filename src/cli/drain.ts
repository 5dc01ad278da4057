import { setTimeout as sleep } from 'node:timers/promises';
import { sealKeysOf } from '../compose.ts';
import type { CheckedRoutes } from '../config/checked.ts';
import type { Clock } from '../core/time.ts';
import { randomBytes } from '../keys/random.ts';
import { openSealer } from '../keys/seal.ts';
import { openOutbox } from '../logout/outbox.ts';
import { GIVE_UP_AFTER } from '../logout/schedule.ts';
import { closeReceivers, openReceivers, receiverSetups } from '../open-receivers.ts';
import { openOutbound } from '../outbound/client.ts';
import type { Filter, Notice, Notices } from '../store/notices.ts';
import type { Store } from '../store/store.ts';
import { systemAfter } from '../system/after.ts';
import type { Io } from './io.ts';
import { noticeIds } from './notice-ids.ts';

/** What came of it. */
export type Drained = { readonly delivered: number; readonly dead: number; readonly waiting: number };

type Those = { readonly lane?: string; readonly within: number };

/** Milliseconds: between two looks at what is left, and between two at what other routers have done meanwhile. */
const LOOK_MS = 50;
const OTHERS_MS = 2_000;

/**
 * Delivers what waits to be pushed, whenever it was due, from this process: until everything was tried once, or for so
 * many seconds. Routers that run meanwhile deliver, too; nothing is told twice by that.
 */
export async function drain(
  routes: CheckedRoutes,
  store: Store,
  { within, ...lane }: Those,
  variables: Io['env'],
  clock: Clock,
): Promise<Drained> {
  const { notices } = store;
  const began = clock();
  const ids = new Set(await noticeIds(notices, { ...lane, state: 'waiting' }, ({ by }) => by === 'push'));
  await notices.resend([...ids], began, began + GIVE_UP_AFTER);

  const outbound = openOutbound({ variables });
  const opened = await openReceivers(receiverSetups(routes), { store, outbound, random: randomBytes, clock });
  const untried = new Set(ids);
  const outbox = openOutbox({
    notices,
    sealer: openSealer(await sealKeysOf(routes, store), randomBytes),
    clock,
    after: systemAfter,
    chance: Math.random,
    receiverOf: (lane) => opened.receivers.get(lane),
    wanted: () => ids.size > 0,
    settled: ({ id }) => untried.delete(id),
    fault: () => undefined,
  });
  outbox.poke();
  const until = performance.now() + within * 1_000;
  let othersAt = performance.now() + OTHERS_MS;
  while (untried.size > 0 && performance.now() < until) {
    await sleep(LOOK_MS);
    if (performance.now() < othersAt) continue;
    othersAt = performance.now() + OTHERS_MS;
    const open = new Set(await openIds(notices, lane));
    for (const id of untried) if (!open.has(id)) untried.delete(id);
  }
  await outbox.close();
  closeReceivers(opened);
  await outbound.close();

  const mine = ({ id }: Notice) => ids.has(id);
  const dead = (await noticeIds(notices, { ...lane, state: 'dead' }, mine)).length;
  const waiting = ['waiting', 'taken'] as const;
  const left = await Promise.all(waiting.map((state) => noticeIds(notices, { ...lane, state }, mine)));
  const open = left.flat().length;
  return { delivered: ids.size - dead - open, dead, waiting: open };
}

/** Those that nobody has tried yet. */
async function openIds(notices: Notices, lane: Filter): Promise<string[]> {
  const untried = await noticeIds(notices, { ...lane, state: 'waiting' }, ({ attempts }) => attempts === 0);
  return [...untried, ...(await noticeIds(notices, { ...lane, state: 'taken' }))];
}
