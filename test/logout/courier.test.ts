/** The router's side of the courier, where no courier can be started. */
import t from 'tap';
import { openCourier } from '../../src/logout/courier.ts';

t.test(
  'a courier that cannot be started is tried again later, however often it is poked, and holds up no stop',
  async (t) => {
    const faults: unknown[] = [];
    const waits: { readonly ms: number; readonly work: () => void }[] = [];
    let heard = () => {};
    const courier = openCourier({
      begin: { store: 'sqlite:/nowhere', sealKeys: [], variables: {} },
      program: new URL('file:///nowhere/courier.ts'),
      lanes: () => new Map(),
      after: (ms, work) => {
        waits.push({ ms, work });
        return () => {};
      },
      settled: () => t.fail('nothing was delivered'),
      fault: (error) => {
        faults.push(error);
        heard();
      },
    });
    const { execPath } = process;
    t.teardown(() => {
      process.execPath = execPath;
    });
    process.execPath = '/nowhere/node';
    for (const wait of [1_000, 2_000, 4_000]) {
      const failed = new Promise<void>((resolve) => {
        heard = resolve;
      });
      if (wait === 1_000) courier.poke();
      else waits.at(-1)?.work();
      await failed;
      for (let time = 0; time < 5; time++) courier.poke();
      await new Promise(setImmediate);
      t.equal(waits.at(-1)?.ms, wait);
      t.equal(faults.length, waits.length, 'poking starts nothing meanwhile');
    }
    t.match(faults, [{ code: 'ENOENT' }, { code: 'ENOENT' }, { code: 'ENOENT' }]);
    await courier.stop();
  },
);
