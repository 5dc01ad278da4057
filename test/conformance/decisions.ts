/** What every store promises about recorded decisions (`record` and `recorded` of src/store/store.ts). */
import type { Test } from 'tap';
import type { Store } from '../../src/store/store.ts';

export const decisionsOf = (store: Store): Promise<string[]> => Array.fromAsync(store.recorded());

export function decisionsConformance(t: Test, open: (t: Test) => Promise<Store>): void {
  t.test('nothing was recorded in a new store', async (t) => {
    t.same(await decisionsOf(await open(t)), []);
  });

  t.test('decisions come back as they were given, oldest first', async (t) => {
    const store = await open(t);
    const given = ['b', 'a', 'a', '', "';DROP TABLE decisions;--", 'é😀', '{"day":"2026-11-30"}'];
    for (const decision of given) store.record(decision, 100);
    t.same(await decisionsOf(store), given);
    store.record('later', 100);
    t.same(await decisionsOf(store), [...given, 'later']);
  });

  t.test('the latest ones are kept, as many as was said last', async (t) => {
    const store = await open(t);
    for (let index = 0; index < 1_000; index++) store.record(`${index}`, 10);
    t.same(await decisionsOf(store), ['990', '991', '992', '993', '994', '995', '996', '997', '998', '999']);
    store.record('1000', 3);
    t.same(await decisionsOf(store), ['998', '999', '1000'], 'a lower limit holds from the next decision on');
    store.record('1001', 5);
    t.same(await decisionsOf(store), ['998', '999', '1000', '1001'], 'a higher one leaves room again');
    for (let index = 0; index < 3; index++) store.record(`more ${index}`, 1);
    t.same(await decisionsOf(store), ['more 2']);
  });
}
