import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { openStore } from '../../src/store/open.ts';
import { durableStoreConformance, NOW, storeConformance } from '../conformance/store.ts';
import { temporaryFolder } from '../support/world.ts';

const fileFor = (t: Test): string => join(temporaryFolder(t), 'data', 'wayhome.db');

t.test('memory: keeps its promises', (t) => {
  storeConformance(t, () => openStore('memory:'));
  t.end();
});

t.test('sqlite: keeps its promises', (t) => {
  storeConformance(t, (t) => openStore(`sqlite:${fileFor(t)}`));
  durableStoreConformance(t, (t) => {
    const file = fileFor(t);
    return () => openStore(`sqlite:${file}`);
  });
  t.end();
});

t.test('sqlite: the file is durable before an answer, and private', async (t) => {
  const file = fileFor(t);
  const store = await openStore(`sqlite:${file}`);
  await store.claim([{ key: 'a', until: NOW }], NOW);
  const beside = new DatabaseSync(file, { readOnly: true });
  t.same({ ...beside.prepare('SELECT key FROM claims').get() }, { key: 'a' }, 'another reader finds it at once');
  t.equal(beside.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  beside.close();
  for (const name of [file, `${file}-wal`, `${file}-shm`]) t.equal(statSync(name).mode & 0o077, 0, name.slice(-4));
  await store.close();
});

t.test('sqlite: keys whose time is over are swept out, so the file does not grow for ever', async (t) => {
  const file = fileFor(t);
  const store = await openStore(`sqlite:${file}`);
  const claims = Array.from({ length: 500 }, (_, index) => store.claim([{ key: `k${index}`, until: NOW }], NOW));
  await Promise.all(claims);
  await store.claim([{ key: 'later', until: NOW + 200 }], NOW + 100);
  const beside = new DatabaseSync(file, { readOnly: true });
  t.same({ ...beside.prepare('SELECT count(*) AS left FROM claims').get() }, { left: 1 });
  beside.close();
  await store.close();
});

t.test('sqlite: while the file is locked for too long, a claim throws, and it recovers', async (t) => {
  const file = fileFor(t);
  const store = await openStore(`sqlite:${file}`);
  const other = new DatabaseSync(file);
  other.exec('BEGIN EXCLUSIVE');
  const claims = [1, 2].map((index) => store.claim([{ key: `k${index}`, until: NOW }], NOW));
  const outcomes = await Promise.allSettled(claims);
  t.same(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  other.exec('ROLLBACK');
  other.close();
  t.equal(await store.claim([{ key: 'k1', until: NOW }], NOW), 'first', 'and nothing had been taken');
  await store.close();
});

t.test('sqlite: what is no database, or cannot be written, is not opened', async (t) => {
  const folder = temporaryFolder(t);
  await t.rejects(openStore(`sqlite:${folder}`), { message: /unable to open/ });
});
