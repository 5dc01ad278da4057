import type { Test } from 'tap';
import { openStore } from '../../src/store/open.ts';
import { decisionsConformance } from '../conformance/decisions.ts';
import { durableNoticesConformance, noticesConformance } from '../conformance/notices.ts';
import { durableStoreConformance, storeConformance } from '../conformance/store.ts';
import { emptyRedis } from '../support/redis.ts';

/** Every suite, each of its tests on an empty store. */
export function keepsItsPromises(t: Test, address: string, ports: readonly number[]): void {
  const open = async (t: Test) => {
    await emptyRedis(ports);
    const store = await openStore(address);
    t.teardown(() => store.close());
    return store;
  };
  const place = () => {
    const emptied = emptyRedis(ports);
    return async () => {
      await emptied;
      return openStore(address);
    };
  };
  storeConformance(t, open);
  decisionsConformance(t, open);
  noticesConformance(t, open);
  durableStoreConformance(t, place);
  durableNoticesConformance(t, place);
}
