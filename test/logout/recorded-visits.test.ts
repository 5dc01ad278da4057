/** Visits in the store: who is found by what, what ends, and what a copy of the store tells. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { randomBytes } from '../../src/keys/random.ts';
import { openSealer } from '../../src/keys/seal.ts';
import {
  MOST_OF_BROWSER,
  MOST_OF_PERSON,
  openRecordedVisits,
  RECORDED_LIFETIME,
  type RecordedVisit,
} from '../../src/logout/recorded-visits.ts';
import { openVisitKey } from '../../src/logout/recorded-visits-key.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { temporaryFolder } from '../support/world.ts';

const NOW = 1_790_000_000;
const US = 'us' as EnvironmentName;
const EU = 'eu' as EnvironmentName;
const sealer = openSealer([randomBytes(32)], randomBytes);

let count = 0;
const visit = (changed: Partial<RecordedVisit> = {}): RecordedVisit => ({
  id: `visit-${++count}`,
  portal: 'support' as PortalName,
  environment: US,
  at: NOW,
  began: NOW,
  browser: 'one browser',
  appUrl: 'https://us.acme.test/',
  subject: 'ada',
  ...changed,
});

const open = (store = openMemoryStore()) => openRecordedVisits(store, sealer, randomBytes(32));
const ids = (visits: readonly { id: string }[]) => visits.map(({ id }) => id).sort();

t.test('whom an environment means', async (t) => {
  const first = visit({ id: 'first', sid: 's1' });
  const second = visit({ id: 'second', sid: 's2', browser: 'another' });
  const unnamed = visit({ id: 'unnamed', browser: 'third' });
  const onlySid = visit({ id: 'only sid', sid: 's3', browser: 'fourth' });
  const { subject: _, ...nobody } = onlySid;
  const other = visit({ id: 'other', subject: 'bob', sid: 's4' });
  const elsewhere = visit({ id: 'elsewhere', environment: EU, sid: 's1' });
  const later = visit({ id: 'later', began: NOW + 10, at: NOW + 5, sid: 's1' });
  const recorded = open();
  await recorded.keep([first, second, unnamed, nobody, other, elsewhere, later], NOW);

  const rows: [what: string, Parameters<typeof recorded.meantBy>[1], endedAt: number, string[]][] = [
    ['a person: all of their sessions', { subject: 'ada' }, NOW, ['first', 'second', 'unnamed']],
    ['a session', { sid: 's2' }, NOW, ['second']],
    ['a person’s session, and visits without one', { subject: 'ada', sid: 's1' }, NOW, ['first', 'unnamed']],
    ['a session of somebody else', { subject: 'ada', sid: 's4' }, NOW, ['unnamed']],
    ['a session alone, of nobody by name', { sid: 's3' }, NOW, ['only sid']],
    ['another environment’s person', { subject: 'eve' }, NOW, []],
    ['what began no later, by its own clock', { sid: 's1' }, NOW + 9, ['first']],
    ['and everything from then on', { sid: 's1' }, NOW + 10, ['first', 'later']],
    ['before all of them', { subject: 'ada' }, NOW - 1, []],
  ];
  for (const [what, gone, endedAt, found] of rows)
    t.same(ids(await recorded.meantBy(US, gone, endedAt, NOW)), found.sort(), what);
  t.same(ids(await recorded.meantBy(EU, { subject: 'ada' }, NOW, NOW)), ['elsewhere'], 'of its own people alone');
  t.match(await recorded.meantBy(US, { sid: 's2' }, NOW, NOW), [second], 'as it was kept');
  t.same(ids(await recorded.ofBrowser('one browser', NOW)), ['elsewhere', 'first', 'later', 'other']);
});

t.test('what has ended goes on nowhere, nor what is too old', async (t) => {
  const recorded = open();
  const [one, two] = [visit(), visit()];
  await recorded.keep([one, two], NOW);
  const party = { portal: one.portal, environment: US, subject: 's', sid: 'x', uid: 'u', grant: 'g' };
  await recorded.keepParty(one.id, party, NOW + 60, NOW);
  t.same(await recorded.partyOf(one.id, NOW), party);
  t.equal(await recorded.partyOf(two.id, NOW), undefined);
  t.equal(await recorded.goesOn(one.id, NOW), true);
  await recorded.end([one, { ...two, id: 'nobody’s' }]);
  t.equal(await recorded.goesOn(one.id, NOW), false);
  t.equal(await recorded.partyOf(one.id, NOW), undefined);
  t.equal(await recorded.goesOn(two.id, NOW), true);
  t.same(ids(await recorded.meantBy(US, { subject: 'ada' }, NOW, NOW)), [two.id]);
  t.equal(await recorded.goesOn(two.id, NOW + RECORDED_LIFETIME + 1), false);
});

t.test('one browser and one person have so many visits at the most; the oldest end', async (t) => {
  const recorded = open();
  const bounds = [
    [MOST_OF_BROWSER, (n: number) => visit({ id: `b${n}`, subject: `person ${n}` })],
    [MOST_OF_PERSON, (n: number) => visit({ id: `p${n}`, browser: `browser ${n}`, subject: 'pat' })],
  ] as const;
  for (const [most, make] of bounds) {
    const made = Array.from({ length: most + 5 }, (_, index) => make(index));
    for (const one of made) {
      await recorded.keep([one], NOW);
      await recorded.trim(one, NOW);
    }
    const alive = await Promise.all(made.map(({ id }) => recorded.goesOn(id, NOW)));
    t.same(
      alive.map((goesOn, index) => goesOn === index >= 5),
      made.map(() => true),
    );
  }
});

t.test('a logout token is used up once, with what it ends', async (t) => {
  for (const store of [openMemoryStore(), openSqliteStore(join(temporaryFolder(t), 'wayhome.db'))]) {
    t.teardown(() => store.close());
    const recorded = open(store);
    const one = visit();
    await recorded.keep([one], NOW);
    const token = { environment: US, jti: 'j', acceptableUntil: NOW + 180 };
    t.equal(await recorded.isSpent(token, NOW), false);
    const all = await Promise.all(Array.from({ length: 20 }, () => recorded.spendToken(token, [one], NOW)));
    t.same(all.sort(), ['first', ...Array.from({ length: 19 }, () => 'replayed')]);
    t.equal(await recorded.goesOn(one.id, NOW), false);
    t.equal(await recorded.isSpent(token, NOW + 180), true);
    t.equal(await recorded.spendToken({ ...token, environment: EU }, [], NOW), 'first', 'another environment’s jti');
  }
});

t.test('a copy of the store names nobody', async (t) => {
  const path = join(temporaryFolder(t), 'wayhome.db');
  const store = openSqliteStore(path);
  const recorded = openRecordedVisits(store, sealer, await openVisitKey(store, sealer, NOW));
  await recorded.keep(
    [visit({ subject: 'ada@acme.test', sid: 'a session of hers', browser: 'a browser of hers' })],
    NOW,
  );
  await recorded.spendToken({ environment: US, jti: 'a token of hers', acceptableUntil: NOW }, [], NOW);
  await store.close();
  const bytes = readFileSync(path).toString('latin1');
  for (const text of ['ada@acme.test', 'of hers', 'us.acme.test']) t.notOk(bytes.includes(text), text);
});

t.test('the key of its names outlives restarts and a change of the seal keys', async (t) => {
  const store = openMemoryStore();
  const [old, young] = [randomBytes(32), randomBytes(32)];
  const keyOf = (...keys: Buffer[]) => openVisitKey(store, openSealer(keys, randomBytes), NOW);
  const key = await keyOf(old);
  t.same(await keyOf(old), key);
  t.same(await keyOf(young, old), key, 'sealed anew');
  t.same(await keyOf(young), key);
  const other = await keyOf(randomBytes(32));
  t.notSame(other, key, 'what was sealed with a key that has gone is lost');
  t.equal(other.length, 32);
});
