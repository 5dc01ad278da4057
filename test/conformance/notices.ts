/** What every store promises about its outbox (src/store/notices.ts), as one suite that each of them passes. */
import type { Test } from 'tap';
import type { NewNotice, Outcome, Taken, Want } from '../../src/store/notices.ts';
import type { Store } from '../../src/store/store.ts';
import { NOW, type OpenStore } from './store.ts';

const LONG = NOW + 72 * 3600;
const WANT: Want = { most: 100, perLane: 100, lease: 30 };

export const notice = (id: string, changes: Partial<NewNotice> = {}): NewNotice => ({
  id,
  lane: 'us',
  order: id,
  run: 'run',
  by: 'push',
  text: `text of ${id}`,
  due: NOW,
  giveUpAt: LONG,
  ...changes,
});
const ids = (notices: readonly { readonly id: string }[]) => notices.map(({ id }) => id);
const delivered: Outcome = { to: 'delivered', receipt: '200' };
const again = (due: number): Outcome => ({ to: 'waiting', due, receipt: '503' });

const taken = async ({ notices }: Store, now = NOW, want: Partial<Want> = {}): Promise<readonly Taken[]> =>
  notices.take({ ...WANT, ...want }, now);

async function takenOne(store: Store, now = NOW): Promise<Taken> {
  const [first] = await taken(store, now, { most: 1 });
  if (!first) throw new Error('nothing could be taken');
  return first;
}

export function noticesConformance(t: Test, open: (t: Test) => Promise<Store>): void {
  t.test('a notice is kept as it was given, and posting it again changes nothing', async (t) => {
    const store = await open(t);
    const { notices } = store;
    const odd = notice("';--\u0000é😀", { lane: 'l"', order: '{o}', run: 'r:', text: '\u0000"é😀\n', due: NOW + 5 });
    await notices.post([odd, notice('b', { by: 'pull' }), notice('b', { text: 'twice' })], NOW);
    const [second, first] = await notices.list({}, 10);
    t.same(first, { ...odd, cursor: first?.cursor, state: 'waiting', attempts: 0, changedAt: NOW });
    t.equal(second?.text, 'text of b');
    t.ok((second?.cursor ?? 0) > (first?.cursor ?? 0));
    const one = await takenOne(store, NOW + 5);
    for (const outcome of [again(NOW + 90), delivered] as const) {
      await notices.post([odd, notice(odd.id, { due: NOW })], NOW + 6);
      t.equal((await notices.list({}, 10)).length, 2);
      t.same(await taken(store, NOW + 6), [], 'it is taken');
      if (outcome.to === 'waiting') t.equal(await notices.settle(one, outcome, NOW + 6), 'settled');
    }
    t.same(await taken(store, NOW + 89), [], 'it waits');
    await notices.settle(await takenOne(store, NOW + 90), delivered, NOW + 90);
    await notices.post([odd], NOW + 91);
    t.same(await taken(store, NOW + 91), [], 'it is delivered');
    await notices.post([], NOW);
  });

  t.test('what is due is taken, lane by lane, and no more than was wanted', async (t) => {
    const store = await open(t);
    const dues = { c: NOW + 3, a: NOW + 1, later: NOW + 60, b2: NOW + 2, b1: NOW + 2, d: NOW + 4 };
    await store.notices.post(
      Object.entries(dues).map(([id, due]) => notice(id, { due, lane: id.charAt(0) })),
      NOW,
    );
    t.same(await taken(store, NOW), []);
    t.same(
      ids(await taken(store, NOW + 10, { most: 2 })),
      ['a', 'b2'],
      'of two in a lane, the one that was posted first',
    );
    t.same(ids(await taken(store, NOW + 10)), ['c', 'd', 'b1'], 'a lane that had its turn comes last');
    t.same(await taken(store, NOW + 10), [], 'each is taken once');
    t.same(await taken(store, NOW + 59, { lease: 90, most: 0 }), []);
  });

  t.test('a taken notice says under which lease, and is settled once', async (t) => {
    const store = await open(t);
    await store.notices.post([notice('a')], NOW);
    const one = await takenOne(store);
    t.match(one, { id: 'a', state: 'taken', attempts: 0, changedAt: NOW, text: 'text of a' });
    t.equal(await store.notices.settle({ id: 'a', lease: 'another' }, delivered, NOW + 1), 'lost');
    t.equal(await store.notices.settle({ id: 'b', lease: one.lease }, delivered, NOW + 1), 'lost');
    t.equal(await store.notices.settle(one, delivered, NOW + 1), 'settled');
    t.equal(await store.notices.settle(one, { to: 'dead', receipt: 'late' }, NOW + 2), 'lost');
    const [kept] = await store.notices.list({}, 1);
    t.match(kept, { state: 'delivered', attempts: 1, receipt: '200', changedAt: NOW + 1 });
    t.same(await taken(store, NOW + 100), []);
  });

  t.test('one that failed is due again then, one that was returned at once and not counted', async (t) => {
    const store = await open(t);
    await store.notices.post([notice('a')], NOW);
    t.equal(await store.notices.settle(await takenOne(store), again(NOW + 20), NOW + 1), 'settled');
    t.match(await store.notices.list({}, 1), [{ state: 'waiting', attempts: 1, receipt: '503', due: NOW + 20 }]);
    t.same(await taken(store, NOW + 19), []);
    const second = await takenOne(store, NOW + 20);
    t.equal(second.attempts, 1);
    t.equal(await store.notices.settle(second, { to: 'returned' }, NOW + 21), 'settled');
    const third = await takenOne(store, NOW + 21);
    t.match(third, { attempts: 1, receipt: '503' });
    t.equal(await store.notices.settle(second, delivered, NOW + 21), 'lost', 'under the lease before');
    t.equal(await store.notices.settle(third, { to: 'dead', receipt: '410' }, NOW + 22), 'settled');
    t.match(await store.notices.list({}, 1), [{ state: 'dead', attempts: 2, receipt: '410' }]);
    t.same(await taken(store, LONG), []);
  });

  t.test('a lease that ended gives the notice to another, and its taker has lost it', async (t) => {
    const store = await open(t);
    await store.notices.post([notice('a')], NOW);
    const first = await takenOne(store);
    t.same(await taken(store, NOW + 29), []);
    const second = await takenOne(store, NOW + 30);
    t.not(second.lease, first.lease);
    t.equal(await store.notices.settle(first, delivered, NOW + 30), 'lost');
    t.match(await store.notices.list({}, 1), [{ state: 'taken', attempts: 0 }]);
    t.equal(await store.notices.settle(second, again(NOW + 31), NOW + 59), 'settled');
    const third = await takenOne(store, NOW + 60);
    t.equal(await store.notices.settle(third, delivered, NOW + 90), 'lost', 'though nobody has it');
    t.equal((await takenOne(store, NOW + 90)).attempts, 1);
  });

  t.test('two of one order are never under way, in whatever lanes', async (t) => {
    const store = await open(t);
    const order = 'us/visit';
    await store.notices.post(
      [notice('a', { order }), notice('b', { order, due: NOW - 1 }), notice('c', { order, lane: 'eu' })],
      NOW,
    );
    const b = await takenOne(store);
    t.equal(b.id, 'b');
    await store.notices.post([notice('d', { order, due: NOW - 50 })], NOW);
    t.same(await taken(store), []);
    await store.notices.settle(b, again(NOW + 40), NOW + 1);
    const d = await takenOne(store, NOW + 1);
    t.equal(d.id, 'd', 'the next is not held up by one that waits for another attempt');
    t.same(await taken(store, NOW + 2), []);
    let before = d;
    for (const id of ['a', 'c', 'b']) {
      t.equal(await store.notices.settle(before, delivered, NOW + 20), 'settled');
      if (id === 'b') t.same(await taken(store, NOW + 20), [], 'not due yet');
      before = await takenOne(store, id === 'b' ? NOW + 40 : NOW + 20);
      t.equal(before.id, id);
    }
  });

  t.test('a lane has no more under way than it may, however much waits', async (t) => {
    const store = await open(t);
    const many = Array.from({ length: 20 }, (_, index) => notice(`us ${index}`, { due: NOW - 100 + index }));
    await store.notices.post([...many, notice('eu 1', { lane: 'eu' }), notice('eu 2', { lane: 'eu' })], NOW);
    const first = await taken(store, NOW, { perLane: 3 });
    t.same(ids(first), ['us 0', 'eu 1', 'us 1', 'eu 2', 'us 2'], 'others are not held up');
    t.same(await taken(store, NOW, { perLane: 3 }), []);
    const [one] = first;
    if (one) await store.notices.settle(one, delivered, NOW);
    t.same(ids(await taken(store, NOW + 1, { perLane: 3 })), ['us 3']);
    t.same(ids(await taken(store, NOW + 1, { perLane: 4 })), ['us 4']);
    const lapsed = await taken(store, NOW + 30, { perLane: 4 });
    const us = lapsed.filter(({ lane }) => lane === 'us');
    t.same(ids(us), ['us 5', 'us 6'], 'leases that ended leave room');
  });

  t.test('what a taker left behind is taken by those only who want it', async (t) => {
    const store = await open(t);
    const left = Array.from({ length: 6 }, (_, index) => notice(`left ${index}`, { due: NOW - 20 + index }));
    await store.notices.post(left, NOW);
    t.equal((await taken(store, NOW, { lease: 5 })).length, 6);
    await store.notices.post([notice('fresh')], NOW);
    const calm = { lapsed: false, most: 2, perLane: 2 };
    t.same(ids(await taken(store, NOW + 4, calm)), [], 'the lane is full');
    t.same(ids(await taken(store, NOW + 5, calm)), ['fresh'], 'however much was left');
    t.same(ids(await taken(store, NOW + 5, { lapsed: true, most: 2 })), ['left 0', 'left 1']);
    t.equal((await taken(store, NOW + 5)).length, 4);
  });

  t.test('what waits for some parties holds up no other', async (t) => {
    const store = await open(t);
    const backlog = Array.from({ length: 60 }, (_, index) =>
      notice(`old ${index}`, { lane: `down ${index % 6}`, due: NOW - 5_000 + index }),
    );
    await store.notices.post(backlog, NOW - 5_000);
    t.equal((await taken(store, NOW, { most: 4 })).length, 4);
    await store.notices.post([notice('fresh', { lane: 'up' })], NOW);
    const next: string[] = [];
    for (let second = 1; second <= 3; second++) next.push(...ids(await taken(store, NOW + second, { most: 4 })));
    t.ok(next.slice(0, 8).includes('fresh'), 'each has its turn');
    t.equal(next.length, 12);
  });

  t.test('of many takers at once, one has a notice', async (t) => {
    const store = await open(t);
    const orders = Array.from({ length: 120 }, (_, index) =>
      notice(`n${index}`, { order: `o${index % 60}`, lane: `${index % 4}` }),
    );
    await store.notices.post(orders, NOW);
    for (const expected of [20, 20, 20, 20, 20, 20, 0]) {
      const takers = Array.from({ length: 8 }, () => taken(store, NOW, { most: 5, perLane: 5 }));
      const found = (await Promise.all(takers)).flat();
      t.equal(found.length, expected);
      t.equal(new Set(found.map(({ order }) => order)).size, expected);
      const settled = found.map((one) => Promise.all([0, 1, 2].map(() => store.notices.settle(one, delivered, NOW))));
      for (const outcomes of await Promise.all(settled)) t.same(outcomes.sort(), ['lost', 'lost', 'settled']);
    }
  });

  t.test('it tells when something is due next, or a lease ends', async (t) => {
    const store = await open(t);
    const { notices } = store;
    t.equal(await notices.nextDue(), undefined);
    await notices.post([notice('pulled', { by: 'pull' })], NOW);
    t.equal(await notices.nextDue(), undefined, 'what is fetched is never due');
    await notices.post([notice('b', { due: NOW + 50, lane: 'eu' }), notice('a', { due: NOW + 10 })], NOW);
    t.equal(await notices.nextDue(), NOW + 10);
    const a = await takenOne(store, NOW + 10);
    t.equal(await notices.nextDue(), NOW + 40, 'the end of a lease');
    await notices.settle(a, again(NOW + 60), NOW + 11);
    t.equal(await notices.nextDue(), NOW + 50);
    for (const now of [NOW + 50, NOW + 60]) await notices.settle(await takenOne(store, now), delivered, now);
    t.equal(await notices.nextDue(), undefined);
  });

  t.test('a party fetches its notices in order, and says up to where it has them', async (t) => {
    const store = await open(t);
    const { notices } = store;
    const pull = (id: string, changes: Partial<NewNotice> = {}) => notice(id, { by: 'pull', ...changes });
    await notices.post([pull('a'), notice('pushed'), pull('other', { lane: 'eu' }), pull('b', { due: NOW + 9 })], NOW);
    await notices.post([pull('c', { order: 'a' }), pull('over', { giveUpAt: NOW + 5 })], NOW);
    t.same(ids(await notices.feed('us', 0, 10, NOW)), ['a', 'b', 'c', 'over']);
    t.same(ids(await notices.feed('us', 0, 2, NOW)), ['a', 'b']);
    const [a, b] = await notices.feed('us', 0, 2, NOW);
    t.same(ids(await notices.feed('us', a?.cursor ?? 0, 10, NOW + 5)), ['b', 'c'], 'what is given up is not there');
    t.same(ids(await taken(store)), ['pushed'], 'and none of them is ever taken');
    t.equal(await notices.acknowledge('us', b?.cursor ?? 0, NOW + 1), 2);
    t.equal(await notices.acknowledge('us', b?.cursor ?? 0, NOW + 1), 0);
    t.same(ids(await notices.feed('us', 0, 10, NOW + 1)), ['c', 'over']);
    t.match(await notices.list({ lane: 'us', state: 'delivered' }, 10), [
      { id: 'b', attempts: 1, changedAt: NOW + 1 },
      { id: 'a' },
    ]);
    t.same(ids(await notices.feed('eu', 0, 10, NOW)), ['other'], 'other parties have their own');
    t.equal(await notices.acknowledge('us', Number.MAX_SAFE_INTEGER, NOW + 5), 1, 'c alone');
    t.same(await taken(store, NOW + 6), []);
    t.match(await notices.list({ state: 'dead' }, 10), [{ id: 'over', changedAt: NOW + 6 }], 'nobody fetched it');
  });

  t.test('notices are listed by run, lane and state, newest first, page by page', async (t) => {
    const store = await open(t);
    const { notices } = store;
    for (let index = 0; index < 12; index++) {
      const lane = index % 2 ? 'eu' : 'us';
      await notices.post([notice(`${index}`, { lane, run: `r${index % 3}`, due: NOW + index })], NOW);
    }
    for (const one of await taken(store, NOW + 3)) {
      if (one.id === '0' || one.id === '1') await notices.settle(one, { to: 'dead', receipt: '404' }, NOW);
      if (one.id === '2') await notices.settle(one, delivered, NOW);
    }
    const cases = [
      [{}, '11 10 9 8 7 6 5 4 3 2 1 0'],
      [{ lane: 'us' }, '10 8 6 4 2 0'],
      [{ run: 'r1' }, '10 7 4 1'],
      [{ state: 'dead' }, '1 0'],
      [{ state: 'taken' }, '3'],
      [{ state: 'waiting', lane: 'eu' }, '11 9 7 5'],
      [{ run: 'r0', lane: 'eu' }, '9 3'],
      [{ run: 'r0', state: 'waiting' }, '9 6'],
      [{ run: 'r2', lane: 'us', state: 'delivered' }, '2'],
      [{ run: 'r3' }, ''],
      [{ lane: 'none' }, ''],
    ] as const;
    for (const [filter, expected] of cases) {
      const pages: string[] = [];
      for (let before: number | undefined, size = 3; size === 3; ) {
        const page = await notices.list(filter, 3, before);
        pages.push(...ids(page));
        before = page.at(-1)?.cursor;
        size = page.length;
      }
      t.equal(pages.join(' '), expected, JSON.stringify(filter));
    }
  });

  t.test('what is resent is due at once, as if it were new', async (t) => {
    const store = await open(t);
    const { notices } = store;
    await notices.post([notice('dead'), notice('late'), notice('kept'), notice('done')], NOW);
    for (const one of await taken(store)) {
      if (one.id === 'dead') await notices.settle(one, { to: 'dead', receipt: '404' }, NOW);
      if (one.id === 'late') await notices.settle(one, again(NOW + 5_000), NOW);
      if (one.id === 'done') await notices.settle(one, delivered, NOW);
    }
    t.equal(await notices.resend(['dead', 'late', 'late', 'kept', 'done', 'none'], NOW + 1, NOW + 900), 2);
    const anew = await taken(store, NOW + 1);
    t.same(ids(anew), ['dead', 'late']);
    for (const one of anew) t.match(one, { attempts: 0, giveUpAt: NOW + 900, due: NOW + 1 });
    t.equal(await notices.resend([], NOW, LONG), 0);

    await notices.post([notice('pulled', { by: 'pull', giveUpAt: NOW + 10 })], NOW);
    const [before] = await notices.feed('us', 0, 1, NOW);
    await taken(store, NOW + 10);
    t.same(await notices.feed('us', 0, 1, NOW + 10), []);
    t.equal(await notices.resend(['pulled'], NOW + 11, LONG), 1);
    const [after] = await notices.feed('us', before?.cursor ?? 0, 1, NOW + 11);
    t.match(after, { id: 'pulled', giveUpAt: LONG }, 'for a party that is past its old cursor, too');
    t.equal(await notices.acknowledge('us', after?.cursor ?? 0, NOW + 12), 1);
  });

  t.test('they are counted by lane and state', async (t) => {
    const store = await open(t);
    const { notices } = store;
    t.same(await notices.counts(), []);
    await notices.post(
      [notice('a'), notice('b'), notice('c', { due: NOW + 9 }), notice('d', { lane: 'eu', by: 'pull' })],
      NOW,
    );
    await notices.settle(await takenOne(store), { to: 'dead', receipt: '404' }, NOW);
    await taken(store);
    const counted = (await notices.counts()).map(({ lane, state, count }) => `${lane} ${state} ${count}`);
    t.same(counted.sort(), ['eu waiting 1', 'us dead 1', 'us taken 1', 'us waiting 1']);
  });

  t.test('what is settled or dead is forgotten after a while, and nothing else', async (t) => {
    const store = await open(t);
    const { notices } = store;
    await notices.post(
      ['a', 'b', 'c', 'd', 'e'].map((id) => notice(id)),
      NOW,
    );
    for (const [index, one] of (await taken(store)).entries()) {
      if (one.id === 'a' || one.id === 'd') await notices.settle(one, delivered, NOW + index);
      if (one.id === 'b') await notices.settle(one, { to: 'dead', receipt: '404' }, NOW + index);
      if (one.id === 'c') await notices.settle(one, again(NOW + 500), NOW + index);
    }
    t.equal(await notices.forget(NOW), 0);
    t.equal(await notices.forget(NOW + 2), 2);
    t.same(ids(await notices.list({}, 10)), ['e', 'd', 'c']);
    t.same(await notices.list({ state: 'dead' }, 10), []);
    t.equal(await notices.forget(NOW + 900), 1);
    t.same(ids(await notices.list({}, 10)), ['e', 'c'], 'one that is taken and one that waits');
    await notices.post([notice('a')], NOW + 901);
    t.equal((await notices.list({ run: 'run' }, 1))[0]?.id, 'a', 'and its id is free again');
  });
}

/** The promises of an outbox that several processes share and that outlives them. */
export function durableNoticesConformance(t: Test, place: (t: Test) => OpenStore): void {
  t.test('notices, leases and cursors are there when it is opened again', async (t) => {
    const open = place(t);
    const first = await open();
    await first.notices.post([notice('a'), notice('b')], NOW);
    const one = await takenOne(first);
    const [latest] = await first.notices.list({}, 1);
    await first.close();
    const second = await open();
    t.same(ids(await taken(second)), ['b'], 'a is still taken');
    t.equal(await second.notices.settle(one, delivered, NOW + 1), 'settled');
    await second.notices.post([notice('c')], NOW);
    const [newest] = await second.notices.list({}, 1);
    t.ok((newest?.cursor ?? 0) > (latest?.cursor ?? 0));
    await second.close();
  });

  t.test('of two that are open at once, one has a notice', async (t) => {
    const open = place(t);
    const stores = [await open(), await open()] as const;
    await stores[0].notices.post(
      Array.from({ length: 200 }, (_, index) => notice(`n${index}`, { order: `${index % 100}` })),
      NOW,
    );
    const seen: string[] = [];
    for (let round = 0; round < 100 && seen.length < 200; round++) {
      const found = await Promise.all(stores.map((store) => taken(store, NOW, { most: 4 })));
      const orders = found.flat().map(({ order }) => order);
      t.equal(new Set(orders).size, orders.length);
      seen.push(...ids(found.flat()));
      await Promise.all(
        found.flatMap((own, index) => own.map((one) => stores[index]?.notices.settle(one, delivered, NOW))),
      );
    }
    t.equal(new Set(seen).size, 200);
    t.equal(seen.length, 200, 'and each was taken once');
    for (const store of stores) await store.close();
  });
}
