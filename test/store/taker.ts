/** Claims and takes what it can of a SQLite file that others work on, once it is told to, and says what it had. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '../../src/store/open.ts';
import { NOW } from '../conformance/store.ts';

const store = await openStore(`sqlite:${process.argv[2]}`);

/** The others may hold the file for too long; what failed has changed nothing. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!/locked/.test(String(error))) throw error;
    }
  }
}

process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
const first: string[] = [];
const taken: string[] = [];
for (let index = 0; index < 300; index++) {
  const key = `key ${index}`;
  if ((await insist(() => store.claim([{ key, until: NOW + 60 }], NOW))) === 'first') first.push(key);
  const found = await insist(() => store.notices.take({ most: 2, perLane: 50, lease: 30 }, NOW));
  for (const one of found) {
    taken.push(one.id);
    await insist(() => store.notices.settle(one, { to: 'delivered', receipt: '200' }, NOW));
  }
  // Who never lets go of the file has it to himself.
  await pause(2);
}
await store.close();
process.stdout.write(JSON.stringify({ first, taken }));
