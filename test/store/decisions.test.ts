import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { openMemoryStore } from '../../src/store/memory.ts';
import { readRecorded } from '../../src/store/open.ts';
import { openRecorder } from '../../src/store/recorder.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { decisionsConformance, decisionsOf } from '../conformance/decisions.ts';
import { temporaryFolder } from '../support/world.ts';

t.test('memory:', async (t) => decisionsConformance(t, async () => openMemoryStore()));

t.test('sqlite:', async (t) => {
  decisionsConformance(t, async (t) => {
    const store = openSqliteStore(join(temporaryFolder(t), 'wayhome.db'));
    t.teardown(() => store.close());
    return store;
  });
});

const recordedIn = (path: string) => Array.fromAsync(readRecorded(`sqlite:${path}`));

t.test('what a closing sqlite store still holds is written, and is there when it is opened again', async (t) => {
  const path = join(temporaryFolder(t), 'wayhome.db');
  const first = openSqliteStore(path);
  first.record('one', 10);
  await first.close();
  const second = openSqliteStore(path);
  second.record('two', 10);
  t.same(await decisionsOf(second), ['one', 'two']);
  await second.close();
});

t.test('decisions are read beside a running router, and from a file that may not be written', async (t) => {
  const path = join(temporaryFolder(t), 'wayhome.db');
  const store = openSqliteStore(path);
  for (let index = 0; index < 2_500; index++) {
    store.record(`${index}`, 5_000);
    if (index % 200 === 0) await decisionsOf(store);
  }
  t.equal((await decisionsOf(store)).length, 2_500);
  const seen = await recordedIn(path);
  t.equal(seen.length, 2_500);
  t.equal(seen.at(-1), '2499');
  await store.close();
  chmodSync(path, 0o400);
  const before = statSync(path).mtimeMs;
  t.equal((await recordedIn(path)).length, 2_500);
  t.equal(statSync(path).mtimeMs, before, 'reading changed nothing');
});

t.test('a file that is not there has no decisions and is not made; one that is no database is told', async (t) => {
  const folder = temporaryFolder(t);
  t.same(await recordedIn(join(folder, 'none.db')), []);
  t.throws(() => statSync(join(folder, 'none.db')), { code: 'ENOENT' });
  const store = openSqliteStore(join(folder, 'unused.db'));
  await store.close();
  t.same(await recordedIn(join(folder, 'unused.db')), []);
  await t.rejects(recordedIn(join(import.meta.dirname, 'decisions.test.ts')), /not a database/);
});

t.test('while another process holds the file, decisions wait, and no login does', async (t) => {
  const path = join(temporaryFolder(t), 'wayhome.db');
  const store = openSqliteStore(path);
  t.teardown(() => store.close());
  store.record('before', 10);
  t.same(await decisionsOf(store), ['before']);
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  store.record('meanwhile', 10);
  const began = performance.now();
  t.same(await decisionsOf(store), ['before'], 'it could not be written');
  t.ok(performance.now() - began < 1_000, 'and giving up took no time: claims would wait for five seconds');
  other.exec('ROLLBACK');
  other.close();
  t.same(await decisionsOf(store), ['before', 'meanwhile']);
});

t.test('a store that cannot be written costs a bounded room, and the latest decisions', async (t) => {
  const written: string[] = [];
  let broken = true;
  const recorder = openRecorder((decisions) => {
    if (broken) throw new Error('disk full');
    written.push(...decisions);
  });
  for (let index = 0; index < 10_000; index++) recorder.record(`${index}`, 50);
  recorder.flush();
  broken = false;
  recorder.record('dropped as well', 50);
  recorder.flush();
  t.equal(written.length, 2_000);
  t.equal(written.at(-1), '1999');
  recorder.record('after', 50);
  recorder.flush();
  t.equal(written.at(-1), 'after');
});
