import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { openStore } from '../../src/store/open.ts';
import { openCommits } from '../../src/store/sqlite-commits.ts';
import { openNotices } from '../../src/store/sqlite-notices.ts';
import { durableNoticesConformance, notice, noticesConformance } from '../conformance/notices.ts';
import { notModelled } from '../conformance/notices-model.ts';
import { durableStoreConformance, NOW, storeConformance } from '../conformance/store.ts';
import { temporaryFolder } from '../support/world.ts';

const fileFor = (t: Test): string => join(temporaryFolder(t), 'data', 'wayhome.db');

t.test('memory: keeps its promises', (t) => {
  storeConformance(t, () => openStore('memory:'));
  noticesConformance(t, () => openStore('memory:'));
  t.test('whatever is done to its outbox', () => notModelled(() => openStore('memory:'), 500));
  t.end();
});

t.test('sqlite: keeps its promises', (t) => {
  const open = (t: Test) => openStore(`sqlite:${fileFor(t)}`);
  const place = (t: Test) => {
    const file = fileFor(t);
    return () => openStore(`sqlite:${file}`);
  };
  storeConformance(t, open);
  durableStoreConformance(t, place);
  noticesConformance(t, open);
  durableNoticesConformance(t, place);
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

t.test('sqlite: of several processes on one file, one has a claim or a notice', async (t) => {
  const file = fileFor(t);
  const store = await openStore(`sqlite:${file}`);
  t.teardown(() => store.close());
  const due = Array.from({ length: 300 }, (_, index) => notice(`n${index}`, { order: `o${index % 150}` }));
  await store.notices.post(due, NOW);
  const script = fileURLToPath(new URL('./taker.ts', import.meta.url));
  const children = [1, 2, 3].map(() => spawn(process.execPath, [script, file], { stdio: ['pipe', 'pipe', 'inherit'] }));
  await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
  const found = await Promise.all(
    children.map(async ({ stdin, stdout }) => {
      stdin.write('go\n');
      return JSON.parse((await Array.fromAsync(stdout)).join('')) as { first: string[]; taken: string[] };
    }),
  );
  const [first, taken] = [found.flatMap((one) => one.first), found.flatMap((one) => one.taken)];
  t.equal(first.length, 300);
  t.equal(new Set(first).size, 300, 'every key was claimed by one');
  t.equal(taken.length, 300);
  t.equal(new Set(taken).size, 300, 'and every notice taken by one');
  t.ok(found.filter((one) => one.taken.length > 0).length > 1, 'and more than one was at work');
  t.same(await store.notices.counts(), [{ lane: 'us', state: 'delivered', count: 300 }]);
});

t.test('sqlite: a file of before, when a thing had one group, keeps what it holds', async (t) => {
  const file = fileFor(t);
  mkdirSync(dirname(file));
  const before = new DatabaseSync(file);
  before.exec(`
    CREATE TABLE claims (key TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE held (
      name TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL, grouped TEXT, spent INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX held_until ON held (until);
    CREATE INDEX held_grouped ON held (grouped) WHERE grouped IS NOT NULL;
    INSERT INTO claims VALUES ('used', ${NOW + 9});
    INSERT INTO held VALUES ('a', 'one', ${NOW + 9}, 'g', NULL), ('b', 'two', ${NOW + 9}, NULL, ${NOW});
  `);
  before.close();
  for (const opened of ['once', 'twice']) {
    const store = await openStore(`sqlite:${file}`);
    t.same(await store.claim([{ key: 'used', until: NOW }], NOW), { replayed: 'used' }, opened);
    t.same(await store.heldIn('g', 9, NOW), [{ name: 'a', value: 'one' }]);
    t.same(await store.held('b', NOW), { value: 'two', spentAt: NOW });
    if (opened === 'twice') await store.releaseGroup('g');
    if (opened === 'twice') t.equal(await store.held('a', NOW), undefined);
    await store.close();
  }
});

t.test('sqlite: an outbox of before, when a notice said who had it, tells what it holds', async (t) => {
  const file = fileFor(t);
  mkdirSync(dirname(file));
  const before = new DatabaseSync(`${file}.notices`);
  before.exec(`
    CREATE TABLE notices (
      cursor INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, lane TEXT NOT NULL, ordered TEXT NOT NULL,
      run TEXT NOT NULL, by TEXT NOT NULL, text TEXT NOT NULL, due INTEGER NOT NULL, give_up_at INTEGER NOT NULL,
      state TEXT NOT NULL, attempts INTEGER NOT NULL, changed_at INTEGER NOT NULL, receipt TEXT,
      wakes INTEGER NOT NULL, queued INTEGER, takes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX notices_behind ON notices (ordered, wakes) WHERE queued IS NOT NULL;
    CREATE UNIQUE INDEX notices_order ON notices (ordered) WHERE queued = 1;
    CREATE INDEX notices_queue ON notices (lane, wakes) WHERE queued = 1;
    CREATE INDEX notices_taken ON notices (lane, wakes) WHERE state = 'taken';
    CREATE TABLE notice_lanes (
      lane TEXT PRIMARY KEY, wakes INTEGER NOT NULL, served INTEGER NOT NULL, turn INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO notices (id, lane, ordered, run, by, text, due, give_up_at, state, attempts, changed_at, wakes, queued, takes) VALUES
      ('held', 'us', 'a', 'r', 'push', '', ${NOW}, ${NOW + 999}, 'taken', 0, ${NOW}, ${NOW + 30}, 1, 1),
      ('next', 'us', 'a', 'r', 'push', '', ${NOW}, ${NOW + 999}, 'waiting', 0, ${NOW}, ${NOW}, 0, 0),
      ('told', 'us', 'b', 'r', 'push', '', ${NOW}, ${NOW + 999}, 'delivered', 1, ${NOW}, ${NOW}, NULL, 1);
    INSERT INTO notice_lanes VALUES ('us', ${NOW + 30}, ${NOW}, ${NOW + 30});
  `);
  before.close();
  const now = NOW + 30;
  for (const expected of [['held'], ['next'], []]) {
    const { notices, close } = await openStore(`sqlite:${file}`);
    const taken = await notices.take({ most: 9, perLane: 9, lease: 30 }, now);
    t.same(
      taken.map(({ id }) => id),
      expected,
    );
    for (const one of taken) t.equal(await notices.settle(one, { to: 'delivered', receipt: '' }, now), 'settled');
    await close();
  }
});

t.test('sqlite: things that are over leave their groups, too', async (t) => {
  const file = fileFor(t);
  const store = await openStore(`sqlite:${file}`);
  await store.hold([{ name: 'short', value: '', until: NOW + 1, groups: ['g', 'h'] }], NOW);
  await store.hold([{ name: 'later', value: '', until: NOW + 900, groups: ['g'] }], NOW + 100);
  const beside = new DatabaseSync(file, { readOnly: true });
  t.same({ ...beside.prepare('SELECT count(*) AS left FROM held_groups').get() }, { left: 1 });
  beside.close();
  await store.close();
});

t.test('sqlite: what is written in one turn shares a commit, which is for all or none', async (t) => {
  const db = new DatabaseSync(':memory:');
  t.teardown(() => db.close());
  db.exec('CREATE TABLE done (what TEXT UNIQUE)');
  const commits = openCommits(db);
  const write = (what: string) =>
    commits.share(() => Number(db.prepare('INSERT INTO done VALUES (?)').run(what).changes));
  const seen: boolean[] = [];
  const together = [write('a'), commits.share(() => seen.push(db.isTransaction)), write('b')];
  t.same(await Promise.all(together), [1, 1, 1]);
  t.same(seen, [true]);
  const failed = await Promise.allSettled([write('c'), write('a'), write('d')]);
  t.same(
    failed.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  t.equal(await write('c'), 1, 'and nothing of them was done');
});

t.test('sqlite: what waits is found without reading it', (t) => {
  const db = new DatabaseSync(':memory:');
  const prepare = db.prepare.bind(db);
  const statements: string[] = [];
  db.prepare = (sql) => {
    statements.push(sql);
    return prepare(sql);
  };
  openNotices(db, openCommits(db));
  t.ok(statements.length > 20, 'the outbox prepares its statements');
  for (const sql of statements) {
    const steps = prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
    const scans = steps.map(({ detail }) => String(detail)).filter((detail) => detail.startsWith('SCAN'));
    // Counting reads a small entry of an index for each, and the sums of that; the others have few rows.
    const cheap = [
      'SCAN notices USING COVERING INDEX notices_lane',
      'SCAN (subquery-',
      'SCAN sqlite_sequence',
      'SCAN pragma_table_info',
      'SCAN notice_leases',
    ];
    t.same(
      scans.filter((scan) => !cheap.some((begin) => scan.startsWith(begin))),
      [],
      sql.slice(0, 60),
    );
  }
  db.close();
  t.end();
});

t.test('what a store needs is loaded with it', (t) => {
  const open = fileURLToPath(new URL('../../src/store/open.ts', import.meta.url));
  const script = `
    import { createRequire } from 'node:module';
    const { openStore } = await import(${JSON.stringify(open)});
    await (await openStore(process.argv[1])).close();
    const { cache } = createRequire(${JSON.stringify(open)});
    console.log(Object.keys(cache).some((name) => name.includes('ioredis')));
  `;
  for (const address of ['memory:', `sqlite:${fileFor(t)}`])
    t.equal(
      execFileSync(process.execPath, ['-e', script, address], { encoding: 'utf8' }),
      'false\n',
      address.slice(0, 7),
    );
  t.end();
});
