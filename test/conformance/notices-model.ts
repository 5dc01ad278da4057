/** Whatever is done to an outbox, it is as the plainest one that keeps the contract of src/store/notices.ts. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Notice, Notices, Outcome, Taken } from '../../src/store/notices.ts';
import type { Store } from '../../src/store/store.ts';
import { notice } from './notices.ts';
import { NOW } from './store.ts';

type Entry = { -readonly [Key in keyof Notice]: Notice[Key] } & { wakes: number; lease?: string };

/** All of it in one array, looked through from end to end. */
class Model {
  entries: Entry[] = [];
  cursor = 0;
  /** When one of a lane was taken last, while anything is left in it. */
  served = new Map<string, number>();

  post(given: Notice): void {
    if (this.entries.some(({ id }) => id === given.id)) return;
    this.entries.push({ ...given, cursor: Number.POSITIVE_INFINITY, wakes: given.due });
  }
  /** A new cursor may be any that is above all before. */
  learn(listed: readonly Notice[]): void {
    for (const { id, cursor } of listed.toReversed()) {
      const entry = this.entries.find((one) => one.id === id);
      if (entry?.cursor !== Number.POSITIVE_INFINITY) continue;
      entry.cursor = cursor;
      assert.ok(entry.cursor > this.cursor, 'cursors grow');
      this.cursor = entry.cursor;
    }
  }
  expire(now: number): void {
    for (const entry of this.entries)
      if (entry.by === 'pull' && entry.state === 'waiting' && entry.giveUpAt <= now)
        Object.assign(entry, { state: 'dead', changedAt: now });
  }
  /** Those that could be taken, and when each was due. */
  ready(perLane: number, now: number, lapsed = true): Entry[] {
    const pushed = this.entries.filter(({ by, state }) => by === 'push' && (state === 'waiting' || state === 'taken'));
    const free = (lane: string) =>
      pushed.filter((one) => one.lane === lane && one.state === 'taken' && one.wakes > now).length < perLane;
    const standing = [...Map.groupBy(pushed, ({ order }) => order).values()].flatMap((of) => {
      const sorted = of.toSorted((a, b) => a.wakes - b.wakes || a.cursor - b.cursor);
      return sorted.find(({ state }) => state === 'taken') ?? sorted[0] ?? [];
    });
    return standing.filter(({ wakes, lane, state }) => wakes <= now && free(lane) && (lapsed || state === 'waiting'));
  }
  /** When a lane in which something is due has its turn. */
  turn(lane: string, now: number): number {
    const due = this.ready(Number.POSITIVE_INFINITY, now).filter((one) => one.lane === lane);
    return Math.max(Math.min(...due.map(({ wakes }) => wakes)), this.served.get(lane) ?? 0);
  }
  /** Nobody remembers a lane in which nothing is to be told. */
  forgetLanes(): void {
    const open = this.entries.filter(({ by, state }) => by === 'push' && (state === 'waiting' || state === 'taken'));
    for (const lane of this.served.keys()) if (!open.some((one) => one.lane === lane)) this.served.delete(lane);
  }
  take({ id, lease }: Taken, until: number, now: number): void {
    const entry = this.entries.find((one) => one.id === id);
    if (entry) Object.assign(entry, { state: 'taken', lease, wakes: until, changedAt: now });
  }
  settle(of: Taken, outcome: Outcome, now: number): 'settled' | 'lost' {
    const entry = this.entries.find(({ id, lease, state }) => id === of.id && lease === of.lease && state === 'taken');
    if (!entry || entry.wakes <= now) return 'lost';
    entry.changedAt = now;
    entry.state = outcome.to === 'returned' ? 'waiting' : outcome.to;
    if (outcome.to === 'waiting') entry.due = outcome.due;
    entry.wakes = entry.due;
    if (outcome.to === 'returned') return 'settled';
    entry.attempts++;
    entry.receipt = outcome.receipt;
    return 'settled';
  }
  acknowledge(lane: string, upTo: number, now: number): number {
    const fetched = this.entries.filter(
      (one) =>
        one.lane === lane && one.by === 'pull' && one.state === 'waiting' && one.cursor <= upTo && one.giveUpAt > now,
    );
    for (const entry of fetched)
      Object.assign(entry, { state: 'delivered', attempts: entry.attempts + 1, changedAt: now });
    return fetched.length;
  }
  resend(ids: readonly string[], now: number, giveUpAt: number): number {
    const again = ids.flatMap(
      (id) => this.entries.find((one) => one.id === id && (one.state === 'waiting' || one.state === 'dead')) ?? [],
    );
    for (const entry of again) {
      Object.assign(entry, { state: 'waiting', due: now, wakes: now, attempts: 0, changedAt: now, giveUpAt });
      if (entry.by === 'pull') entry.cursor = Number.POSITIVE_INFINITY;
    }
    return again.length;
  }
  forget(before: number): number {
    const all = this.entries.length;
    const done = ({ state, changedAt }: Entry) => (state === 'delivered' || state === 'dead') && changedAt < before;
    this.entries = this.entries.filter((entry) => !done(entry));
    return all - this.entries.length;
  }
  next(): number | undefined {
    const all = this.ready(Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER).map(({ wakes }) => wakes);
    return all.length === 0 ? undefined : Math.min(...all);
  }
}

const small = (max: number) => fc.nat({ max });
const LANES = 3;
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('post'),
      id: small(9),
      lane: small(LANES - 1),
      order: small(3),
      pull: small(3),
      due: small(20),
      life: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('take'),
      most: small(3),
      perLane: fc.integer({ min: 1, max: 2 }),
      lease: fc.integer({ min: 1, max: 12 }),
      lapsed: small(1),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('settle'), which: small(5), how: small(3), due: small(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.integer({ min: 1, max: 9 }) }) },
  fc.record({ do: fc.constant('acknowledge'), lane: small(LANES - 1), upTo: small(4) }),
  fc.record({ do: fc.constant('resend'), ids: fc.uniqueArray(small(9), { maxLength: 3 }), life: small(30) }),
  fc.record({ do: fc.constant('forget'), ago: small(10) }),
) as fc.Arbitrary<unknown> as fc.Arbitrary<Step>;

type Step = { readonly do: string; readonly ids?: readonly number[] } & Readonly<Record<string, number>>;

/** Fails with the shortest series of steps after which the store is not as the model. */
export async function notModelled(open: () => Promise<Store>, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const store = await open();
      try {
        await agree(store.notices, steps);
      } finally {
        await store.close();
      }
    }),
    { numRuns: runs },
  );
}

async function agree(notices: Notices, steps: readonly Step[]): Promise<void> {
  const model = new Model();
  const leases: Taken[] = [];
  let now = NOW;
  for (const { do: what, ids = [], ...n } of steps) {
    const { lane = 0, due = 0, life = 0, most = 0, perLane = 0, lease = 0 } = n;
    if (what === 'wait') now += n.seconds ?? 0;
    if (what === 'post') {
      const by = n.pull === 0 ? 'pull' : 'push';
      const one = notice(`${n.id}`, { lane: `${lane}`, order: `${n.order}`, by, due: now + due, giveUpAt: now + life });
      await notices.post([one], now);
      model.post({ ...one, cursor: 0, state: 'waiting', attempts: 0, changedAt: now });
    }
    if (what === 'take') {
      const lapsed = n.lapsed === 1;
      const taken = await notices.take({ most, perLane, lease, lapsed }, now);
      model.expire(now);
      const times = new Map<string, number>();
      for (const one of taken) {
        const ready = model.ready(perLane, now, lapsed);
        const found = ready.find(({ id }) => id === one.id);
        assert.ok(found, `${one.id} could not be taken`);
        const lanes = [...Map.groupBy(ready, ({ lane }) => lane)].map(([lane, of]) => ({
          lane,
          wakes: Math.min(...of.map(({ wakes }) => wakes)),
          times: times.get(lane) ?? 0,
          turn: model.turn(lane, now),
        }));
        const mine = lanes.find(({ lane }) => lane === found.lane);
        assert.equal(found.wakes, mine?.wakes, 'of a lane the longest due first');
        const fewest = Math.min(...lanes.map((each) => each.times));
        assert.equal(mine?.times, fewest, 'each lane once before one of them twice');
        const others = lanes.filter((each) => each.times === fewest).map(({ turn }) => turn);
        if (fewest === 0) assert.equal(mine?.turn, Math.min(...others), 'in turn');
        times.set(found.lane, fewest + 1);
        model.take(one, now + lease, now);
        leases.push(one);
      }
      for (const lane of times.keys()) model.served.set(lane, now);
      assert.ok(taken.length === most || model.ready(perLane, now, lapsed).length === 0, 'and no more could be taken');
    }
    if (what === 'settle') {
      const one = leases.at(-1 - ((n.which ?? 0) % Math.max(1, leases.length)));
      if (!one) continue;
      const words = ['delivered', 'waiting', 'dead', 'returned'] as const;
      const outcome = { to: words[n.how ?? 0] ?? 'dead', due: now + due, receipt: `at ${now}` } as Outcome;
      assert.equal(await notices.settle(one, outcome, now), model.settle(one, outcome, now));
    }
    if (what === 'acknowledge') {
      const upTo = model.cursor - 3 + (n.upTo ?? 0);
      assert.equal(await notices.acknowledge(`${lane}`, upTo, now), model.acknowledge(`${lane}`, upTo, now));
    }
    if (what === 'resend') {
      const again = ids.map(String);
      assert.equal(await notices.resend(again, now, now + life), model.resend(again, now, now + life));
    }
    if (what === 'forget') assert.equal(await notices.forget(now - (n.ago ?? 0)), model.forget(now - (n.ago ?? 0)));
    model.forgetLanes();
    model.learn(await notices.list({}, 100));
    await same(notices, model, now);
  }
}

async function same(notices: Notices, model: Model, now: number): Promise<void> {
  const all = model.entries.toSorted((a, b) => b.cursor - a.cursor);
  const told = all.map(({ wakes: _, lease: __, ...rest }) => rest);
  assert.deepEqual(await notices.list({}, 100), told);
  for (const state of ['waiting', 'taken', 'delivered', 'dead'] as const)
    assert.deepEqual(
      await notices.list({ lane: '0', state }, 100),
      told.filter((one) => one.state === state && one.lane === '0'),
    );
  assert.equal(await notices.nextDue(), model.next());
  const feed = told.filter(
    (one) => one.by === 'pull' && one.state === 'waiting' && one.lane === '1' && one.giveUpAt > now,
  );
  assert.deepEqual(await notices.feed('1', 0, 100, now), feed.reverse());
  const counted = (await notices.counts()).map(({ lane, state, count }) => `${lane} ${state} ${count}`);
  const groups = Map.groupBy(told, ({ lane, state }) => `${lane} ${state}`);
  assert.deepEqual(counted.sort(), [...groups].map(([key, of]) => `${key} ${of.length}`).sort());
}
