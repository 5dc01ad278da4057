/** What every store promises (src/store/store.ts), as one suite that each of them passes. */
import type { Test } from 'tap';
import type { Claimed, SingleUse, Store, Thing } from '../../src/store/store.ts';

export const NOW = 1_764_000_000;

/** Opens the same store anew; stores in memory have nothing to open anew. */
export type OpenStore = () => Promise<Store>;

const use = (key: string, until = NOW + 60): SingleUse => ({ key, until });
const thing = (name: string, value: string, until = NOW + 60, groups?: readonly string[]): Thing => ({
  name,
  value,
  until,
  ...(groups && { groups }),
});
const firsts = (claimed: readonly Claimed[]) => claimed.filter((one) => one === 'first').length;

export function storeConformance(t: Test, open: (t: Test) => Promise<Store>): void {
  t.test('a key is claimed once; the answer says which one was taken', async (t) => {
    const store = await open(t);
    t.equal(await store.claim([use('a')], NOW), 'first');
    t.same(await store.claim([use('a')], NOW), { replayed: 'a' });
    t.same(await store.claim([use('a', NOW + 999)], NOW + 1), { replayed: 'a' });
    t.equal(await store.claim([use('b')], NOW), 'first', 'another key is free');
    t.equal(await store.claim([use('A')], NOW), 'first', 'keys are compared as they are');
    t.equal(await store.claim([use('a ')], NOW), 'first');
    t.equal(await store.claim([use("';DROP TABLE claims;--\u0000é😀")], NOW), 'first');
    t.equal(await store.claim([], NOW), 'first', 'nothing can be replayed where nothing is claimed');
  });

  t.test('all keys are taken or none', async (t) => {
    const store = await open(t);
    t.equal(await store.claim([use('b')], NOW), 'first');
    t.same(await store.claim([use('a'), use('b')], NOW), { replayed: 'b' });
    t.same(await store.claim([use('b'), use('c')], NOW), { replayed: 'b' });
    t.equal(await store.claim([use('a'), use('c')], NOW), 'first', 'what stood beside a used key is still free');
    t.same(await store.claim([use('c')], NOW), { replayed: 'c' });
  });

  t.test('of concurrent claims of one key, exactly one is first', async (t) => {
    const store = await open(t);
    for (let round = 0; round < 5; round++) {
      const claims = Array.from({ length: 200 }, () => store.claim([use(`same ${round}`)], NOW));
      t.equal(firsts(await Promise.all(claims)), 1);
    }
    const spread = Array.from({ length: 50 }, async (_, index) => {
      await new Promise((resolve) => setImmediate(resolve));
      return store.claim([use(`login ${index % 10}`), use('one token')], NOW);
    });
    t.equal(firsts(await Promise.all(spread)), 1, 'also where they share but one of two keys');
    const free = await Promise.all(Array.from({ length: 10 }, (_, index) => store.claim([use(`login ${index}`)], NOW)));
    t.equal(firsts(free), 9, 'and those that lost took nothing');
    const ring = [
      store.claim([use('x'), use('y')], NOW),
      store.claim([use('y'), use('z')], NOW),
      store.claim([use('z'), use('x')], NOW),
    ];
    t.equal(firsts(await Promise.all(ring)), 1, 'in a ring, one');
  });

  t.test('a key is kept through its last instant, and free after it', async (t) => {
    const store = await open(t);
    t.equal(await store.claim([use('a', NOW + 10)], NOW), 'first');
    for (const later of [0, 9, 10]) t.same(await store.claim([use('a')], NOW + later), { replayed: 'a' }, `${later} s`);
    t.equal(await store.claim([use('a', NOW + 20)], NOW + 11), 'first');
    t.same(await store.claim([use('a')], NOW + 20), { replayed: 'a' }, 'with its new last instant');
  });

  t.test('sweeping forgets nothing early, whatever else is claimed meanwhile', async (t) => {
    const store = await open(t);
    await store.claim([use('short', NOW + 30), use('long', NOW + 36_000)], NOW);
    for (let second = 0; second <= 300; second += 7) {
      t.equal(await store.claim([use(`at ${second}`, NOW + second)], NOW + second), 'first');
      t.same(await store.claim([use('long')], NOW + second), { replayed: 'long' });
      if (second <= 30) t.same(await store.claim([use('short')], NOW + second), { replayed: 'short' });
    }
    t.same(await store.claim([use('long')], NOW + 36_000), { replayed: 'long' });
    t.equal(await store.claim([use('long')], NOW + 36_001), 'first');
  });

  t.test('a clock that was set back forgets nothing', async (t) => {
    const store = await open(t);
    await store.claim([use('a', NOW + 10)], NOW);
    t.same(await store.claim([use('a', NOW - 900)], NOW - 1_000), { replayed: 'a' });
  });

  t.test('of those who keep a value under one name, the first wins', async (t) => {
    const store = await open(t);
    let made = 0;
    const make = (value: string) => () => {
      made++;
      return value;
    };
    const kept = await Promise.all(['one', 'two', 'three'].map((value) => store.keep('name', make(value))));
    t.equal(new Set(kept).size, 1);
    t.equal(await store.keep('name', make('four')), kept[0]);
    t.ok(made <= 3, 'nothing is made where there is one');
    t.equal(await store.keep('other', make('five')), 'five');
  });

  t.test('a kept value is replaced by one of those who knew it', async (t) => {
    const store = await open(t);
    t.equal(await store.replace('name', '', 'new'), false, 'nothing is kept under this name');
    await store.keep('name', () => 'old');
    t.equal(await store.replace('name', 'other', 'new'), false);
    const replaced = await Promise.all(['one', 'two', 'three'].map((next) => store.replace('name', 'old', next)));
    t.equal(replaced.filter(Boolean).length, 1);
    const kept = await store.keep('name', () => 'never');
    t.equal(kept, ['one', 'two', 'three'][replaced.indexOf(true)]);
    t.equal(await store.replace('name', kept, kept), true, 'by itself, too');
  });

  t.test('what is held is read up to its last instant, and replaced as a whole', async (t) => {
    const store = await open(t);
    await store.hold([thing('a', 'one'), thing('b', "';--\u0000é😀", NOW + 5)], NOW);
    t.same(await store.held('a', NOW), { value: 'one' });
    t.same(await store.held('b', NOW + 5), { value: "';--\u0000é😀" });
    t.equal(await store.held('b', NOW + 6), undefined, 'after its last instant');
    t.equal(await store.held('A', NOW), undefined, 'names are compared as they are');
    await store.hold([thing('a', 'two', NOW + 90)], NOW + 50);
    t.same(await store.held('a', NOW + 90), { value: 'two' }, 'with its new last instant');
    await store.release(['a', 'nothing']);
    t.equal(await store.held('a', NOW + 51), undefined);
  });

  t.test('a held thing is spent once, also by many at a time', async (t) => {
    const store = await open(t);
    await store.hold([thing('code', 'c'), thing('short', 's', NOW + 5)], NOW);
    const spent = await Promise.all(Array.from({ length: 100 }, () => store.spend('code', NOW + 1)));
    t.equal(spent.filter((one) => one === 'first').length, 1);
    t.equal(spent.filter((one) => one === 'spent').length, 99);
    t.same(await store.held('code', NOW + 2), { value: 'c', spentAt: NOW + 1 }, 'and can still be read');
    await store.hold([thing('code', 'again')], NOW + 3);
    t.equal(await store.spend('code', NOW + 3), 'spent', 'written once more it stays spent');
    t.equal(await store.spend('short', NOW + 6), 'unknown', 'what is over cannot be spent');
    await store.hold([thing('code', 'new', NOW + 900)], NOW + 61);
    t.equal(await store.spend('code', NOW + 61), 'first', 'what is over leaves its name free');
  });

  t.test('a group is forgotten together, and nothing else is', async (t) => {
    const store = await open(t);
    await store.hold(
      [thing('a', '1', NOW + 60, ['g']), thing('b', '2', NOW + 60, ['h', 'g']), thing('c', '3', NOW + 60, ['h'])],
      NOW,
    );
    await store.hold([thing('d', '4')], NOW);
    await store.releaseGroup('g');
    const left = await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await store.held(name, NOW))?.value));
    t.same(left, [undefined, undefined, '3', '4']);
    t.same(await store.heldIn('g', 10, NOW), []);
    t.same(await store.heldIn('h', 10, NOW), [{ name: 'c', value: '3' }]);
    await store.hold([thing('b', 'new')], NOW);
    t.same(await store.heldIn('h', 10, NOW), [{ name: 'c', value: '3' }], 'a new thing is in none of the old groups');
  });

  t.test('what is held with a group is found, the newest first', async (t) => {
    const store = await open(t);
    t.same(await store.heldIn("';--\u0000é😀", 10, NOW), []);
    const group = "';--\u0000é😀";
    for (let index = 0; index < 12; index++)
      await store.hold([thing(`n${index}`, `${index}`, NOW + 60 - 5 * index, [group, `${index % 2}`, group])], NOW);
    const names = async (of: string, most: number, now = NOW) =>
      (await store.heldIn(of, most, now)).map(({ name }) => name).join(' ');
    t.equal(await names(group, 3), 'n11 n10 n9');
    t.equal(await names('0', 10), 'n10 n8 n6 n4 n2 n0');
    t.equal(await names(group, 2, NOW + 50), 'n2 n1', 'what is over does not count');
    await store.spend('n1', NOW + 1);
    t.same(await store.heldIn(group, 1, NOW + 51), [{ name: 'n1', value: '1', spentAt: NOW + 1 }]);
    await store.hold([thing('n0', 'again', NOW + 60, ['1'])], NOW);
    t.equal(await names('0', 10), 'n10 n8 n6 n4 n2', 'replaced, it is in its new groups alone');
    t.equal(await names('1', 3), 'n0 n11 n9', 'and the newest');
    await store.release(['n11']);
    t.equal(await names('1', 2), 'n0 n9');
  });

  t.test('it answers a ping, and closes', async (t) => {
    const store = await open(t);
    await store.ping();
    const last = store.claim([use('last')], NOW);
    await store.close();
    t.equal(await last, 'first', 'what was asked before closing is still answered');
  });
}

/** The promises of a store that several processes share and that outlives them. */
export function durableStoreConformance(t: Test, place: (t: Test) => OpenStore): void {
  t.test('what was claimed and kept is there when it is opened again', async (t) => {
    const open = place(t);
    const first = await open();
    await first.claim([use('a'), use('b')], NOW);
    await first.keep('key', () => 'first');
    await first.hold([thing('held', 'v', NOW + 60, ['g'])], NOW);
    await first.spend('held', NOW);
    await first.close();
    const second = await open();
    t.same(await second.claim([use('b')], NOW), { replayed: 'b' });
    t.equal(await second.spend('held', NOW), 'spent');
    t.same(await second.heldIn('g', 1, NOW), [{ name: 'held', value: 'v', spentAt: NOW }]);
    t.equal(await second.keep('key', () => 'second'), 'first');
    await second.close();
  });

  t.test('of two that are open at once, one is first and one value is kept', async (t) => {
    const open = place(t);
    const [one, two] = [await open(), await open()];
    for (let round = 0; round < 20; round++) {
      const key = `round ${round}`;
      t.equal(firsts(await Promise.all([one.claim([use(key)], NOW), two.claim([use(key)], NOW)])), 1);
      const kept = await Promise.all([one.keep(key, () => 'one'), two.keep(key, () => 'two')]);
      t.equal(kept[0], kept[1]);
      const old = kept[0] ?? '';
      const replaced = await Promise.all([one.replace(key, old, 'three'), two.replace(key, old, 'four')]);
      t.equal(replaced.filter(Boolean).length, 1);
      t.equal(await one.keep(key, () => ''), await two.keep(key, () => ''), 'and both see the same');
    }
    await one.close();
    await two.close();
  });
}
