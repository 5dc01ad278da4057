/** Telling parties until they know: what they get, when it is tried again, and what is remembered of it. */
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { GIVE_UP_AFTER } from '../../src/logout/schedule.ts';
import { LOGOUT_EVENT } from '../../src/logout/token.ts';
import type { Notice } from '../../src/store/notices.ts';
import { serve, serveTls } from '../outbound/servers.ts';
import { openOutpost, visit } from './outpost.ts';

const states = (notices: readonly Notice[]) =>
  notices.map(({ lane, state, attempts, receipt }) => [lane, state, attempts, receipt]);

t.test('a party that is there is told at once, in a form, with a token that it can verify', async (t) => {
  const post = await openOutpost(t);
  const posts = await post.receive('us');
  t.same(await post.outbox.tell('run-1', [visit('us')], post.time.now), ['us']);
  await post.quiet();

  const [posted] = posts;
  t.same([...(posted?.form.keys() ?? [])], ['logout_token'], '§2.5');
  const { jti, ...claims } = posted?.claims ?? {};
  t.same(claims, {
    iss: 'https://login.acme.test/',
    aud: 'us',
    iat: post.time.now,
    exp: post.time.now + 120,
    toe: post.time.now,
    events: { [LOGOUT_EVENT]: {} },
    sub: 'ada@acme.test',
    sid: 'session-1',
  });
  t.match(jti, /^[0-9a-f-]{36}$/);
  t.same(states(await post.list()), [['us', 'delivered', 1, 'answered 200']]);
  t.equal(posts.length, 1);
});

t.test('what is kept about a person is sealed', async (t) => {
  const post = await openOutpost(t);
  await post.outbox.tell('run', [visit('nowhere')], post.time.now);
  t.same(await post.list(), [], 'nobody who could be told');
  await post.receive('us', (response) => response.writeHead(503).end('ada@acme.test'));
  await post.outbox.tell('run', [visit('us')], post.time.now);
  await post.quiet();
  const kept = JSON.stringify(await post.list());
  t.notMatch(kept, /ada@acme|session-1/);
  t.match(kept, /answered 503/);
});

t.test('the same visit is told of once, however often its person signs out', async (t) => {
  const post = await openOutpost(t);
  const posts = await post.receive('us');
  const ended = visit('us');
  await Promise.all(Array.from({ length: 20 }, (_, run) => post.outbox.tell(`run-${run}`, [ended], post.time.now)));
  await post.quiet();
  await post.outbox.tell('later', [ended], post.time.now + 5);
  await post.quiet();
  t.equal(posts.length, 1);
});

t.test('down for an hour: tried at the times that the schedule says, each time with a token of its own', async (t) => {
  const post = await openOutpost(t);
  let up = false;
  const posts = await post.receive('us', (response) => response.writeHead(up ? 204 : 503).end());
  const began = post.time.now;
  await post.outbox.tell('run', [visit('us')], began);
  await post.passLong(3_600);
  up = true;
  await post.passLong(3_600);

  const pauses = posts.map(({ at }, index) => at - (posts[index - 1]?.at ?? began));
  const wanted = [0, 6, 12, 24, 48, 96, 192, 384, 768, 1_536, 3_072];
  t.equal(pauses.length, wanted.length);
  for (const [index, pause] of pauses.entries())
    t.ok(pause >= (wanted[index] ?? 0) && pause <= (wanted[index] ?? 0) + 2, `${pause} s before attempt ${index + 1}`);
  t.equal(new Set(posts.map(({ claims }) => claims.jti)).size, posts.length, 'a jti each');
  for (const { claims, at } of posts) {
    t.equal(claims.iat, at);
    t.equal(claims.exp, at + 120);
    t.equal(claims.toe, began, 'when it ended stays');
  }
  t.same(states(await post.list()), [['us', 'delivered', 11, 'answered 204']]);
  t.same(
    post.settled.map(({ outcome }) => outcome.to),
    [...Array(10).fill('waiting'), 'delivered'],
    'a line of the log for each attempt',
  );
  await post.passLong(86_400);
  t.equal(posts.length, 11, 'and never again');
});

t.test('down for good: a dead letter after 72 hours, which can be sent again', async (t) => {
  const post = await openOutpost(t);
  let status = 500;
  const posts = await post.receive('us', (response) => response.writeHead(status).end());
  const began = post.time.now;
  await post.outbox.tell('run', [visit('us')], began);
  await post.passLong(GIVE_UP_AFTER + 600);
  t.same(states(await post.list()), [['us', 'dead', posts.length, 'given up; at last answered 500']]);
  const last = posts.at(-1)?.at ?? 0;
  t.ok(last - began >= GIVE_UP_AFTER && last - began <= GIVE_UP_AFTER + 2, 'the last attempt is made at the end');

  status = 200;
  const [notice] = await post.list();
  await post.notices.resend([notice?.id ?? ''], post.time.now, post.time.now + GIVE_UP_AFTER);
  await post.pass(2);
  t.same(states(await post.list()), [['us', 'delivered', 1, 'answered 200']]);
});

t.test('what parties answer, and what becomes of it', async (t) => {
  const post = await openOutpost(t);
  const elsewhere = await post.receive('elsewhere');
  const { url: target } = await serve(t, (_request, response) => response.writeHead(200).end());
  const asked: Record<string, number> = {};
  const answers: Record<string, (n: number) => [status: number, headers?: Record<string, string>]> = {
    flapping: (n) => [n % 2 === 1 ? 502 : 200],
    busy: (n) => (n === 1 ? [429, { 'retry-after': '300' }] : [200]),
    redirecting: (n) => (n < 3 ? [302, { location: target }] : [200]),
    refusing: () => [400],
    gone: () => [404],
  };
  for (const [name, answer] of Object.entries(answers)) {
    await post.receive(name, (response) => {
      asked[name] = (asked[name] ?? 0) + 1;
      response.writeHead(...answer(asked[name])).end();
    });
  }
  const { url: hanging } = await serve(t, () => {});
  post.receiveAt('hanging', hanging);
  const { url: untrusted } = await serveTls(t, (_request, response) => response.writeHead(200).end());
  post.receiveAt('untrusted', untrusted);
  post.receiveAt('away', 'http://127.0.0.1:9/');
  post.receiveAt('forbidden', 'https://169.254.169.254/', { allowPrivate: false });

  const names = [...Object.keys(answers), 'hanging', 'untrusted', 'away', 'forbidden'];
  const began = post.time.now;
  await post.outbox.tell(
    'run',
    names.map((name) => visit(name)),
    began,
  );
  await post.pass(1);

  const row = async (name: string) => (await post.list()).find(({ lane }) => lane === name);
  const first: [name: string, state: string, receipt: RegExp, due: number | undefined][] = [
    ['flapping', 'waiting', /^answered 502$/, 6],
    ['busy', 'waiting', /^answered 429, Retry-After: 300$/, 300],
    ['redirecting', 'waiting', /^redirect: /, 6],
    ['refusing', 'dead', /^answered 400$/, undefined],
    ['gone', 'dead', /^answered 404$/, undefined],
    ['hanging', 'waiting', /^timeout: /, 6],
    ['untrusted', 'waiting', /^tls: /, 6],
    ['away', 'waiting', /^network: /, 6],
    ['forbidden', 'waiting', /^address_refused: /, 6],
  ];
  for (const [name, state, receipt, due] of first) {
    const notice = await row(name);
    t.equal(notice?.state, state, name);
    t.match(notice?.receipt ?? '', receipt, name);
    if (due !== undefined) t.equal((notice?.due ?? 0) - began, due, name);
  }

  await post.pass(298);
  t.same([asked.flapping, asked.busy, asked.redirecting], [2, 1, 3]);
  await post.pass(3);
  t.equal(asked.busy, 2, 'not before the party asked for it');
  for (const name of ['flapping', 'busy', 'redirecting']) t.equal((await row(name))?.state, 'delivered', name);
  for (const name of ['hanging', 'untrusted', 'away', 'forbidden']) t.equal((await row(name))?.state, 'waiting', name);
  t.same([asked.refusing, asked.gone], [1, 1], 'a no is not asked for again');
  t.same(elsewhere, []);
  for (const { receipt = '' } of await post.list()) t.notMatch(receipt, /ada|eyJ|session|\/\?|logout_token/);
  t.same(post.faults, []);
});

t.test('a party that hangs holds up nobody, and no party gets more than sixteen calls at once', async (t) => {
  const post = await openOutpost(t);
  const { url: hanging } = await serve(t, () => {});
  post.receiveAt('hanging', hanging);
  const held: (() => void)[] = [];
  let most = 0;
  const posts = await post.receive('us', (response) => {
    most = Math.max(
      most,
      held.push(() => response.writeHead(200).end()),
    );
  });
  const visits = [
    ...Array.from({ length: 60 }, () => visit('hanging')),
    ...Array.from({ length: 200 }, () => visit('us')),
  ];
  await post.outbox.tell('run', visits, post.time.now);
  for (let idle = 0; posts.length < 200 || held.length > 0; ) {
    const before = posts.length;
    await post.time.pass(0.02, () => turn());
    idle = posts.length > before || (held.length < 16 && posts.length < 200) ? 0 : idle + 1;
    if (idle === 10) for (const answer of held.splice(0)) answer();
  }
  t.equal(posts.length, 200);
  t.equal(most, 16);
  t.equal(new Set(posts.map(({ claims }) => claims.jti)).size, 200);
});

t.test('a stop ends what is under way and begins nothing; what is left is there for the next', async (t) => {
  const post = await openOutpost(t);
  const held: (() => void)[] = [];
  const posts = await post.receive('us', (response) => held.push(() => response.writeHead(200).end()));
  await post.outbox.tell(
    'run',
    Array.from({ length: 40 }, () => visit('us')),
    post.time.now,
  );
  while (posts.length < 16) await post.time.pass(0.02, () => turn());
  const stopped = post.outbox.close();
  for (const answer of held) answer();
  await stopped;
  const counts = await post.notices.counts();
  t.same(
    new Map(counts.map(({ state, count }) => [state, count])),
    new Map([
      ['delivered', 16],
      ['waiting', 24],
    ]),
  );
  t.equal(posts.length, 16);
});

t.test(
  'without the store nobody is told, which the caller hears; with it again, delivery goes on by itself',
  async (t) => {
    const post = await openOutpost(t);
    const posts = await post.receive('us');
    const { take, post: keep } = post.notices;
    const broken = async () => {
      throw new Error('disk I/O error');
    };
    Object.assign(post.notices, { post: broken });
    await t.rejects(post.outbox.tell('run', [visit('us')], post.time.now), { message: 'disk I/O error' });
    Object.assign(post.notices, { post: keep, take: broken });
    await post.outbox.tell('run', [visit('us')], post.time.now);
    await post.pass(60);
    t.equal(post.faults.length, 1, 'said once');
    t.equal(posts.length, 0);
    Object.assign(post.notices, { take });
    await post.pass(3);
    t.equal(posts.length, 1);
  },
);

t.test('routes that do not know a party, or keys that do not open a notice, leave it to a later attempt', async (t) => {
  const post = await openOutpost(t);
  const posts = await post.receive('us');
  const receiver = post.receivers.get('us');
  await post.outbox.tell('run', [visit('us')], post.time.now);
  post.receivers.delete('us');
  await post.quiet();
  t.match((await post.list())[0], { state: 'waiting', receipt: 'not tried: the routes have no address for it' });
  if (receiver) post.receivers.set('us', receiver);
  await post.pass(10);
  t.equal(posts.length, 1);

  const { open } = post.sealer;
  Object.assign(post.sealer, { open: () => undefined });
  await post.outbox.tell('run', [visit('us')], post.time.now);
  await post.quiet();
  t.match((await post.list())[0], { state: 'waiting', receipt: 'not tried: sealed with a key that has gone' });
  Object.assign(post.sealer, { open });
  await post.pass(10);
  t.equal(posts.length, 2);
});

t.test('whoever waits for a run waits for one attempt each, and not longer than they said', async (t) => {
  const post = await openOutpost(t);
  await post.receive('us');
  await post.receive('eu', (response) => response.writeHead(503).end());
  await post.outbox.tell('run', [visit('us'), visit('eu')], post.time.now);
  const progress = post.outbox.progress('run', 60_000);
  await post.pass(0.1);
  const told = await progress;
  t.same(states(told).sort(), [
    ['eu', 'waiting', 1, 'answered 503'],
    ['us', 'delivered', 1, 'answered 200'],
  ]);

  const { url } = await serve(t, () => {});
  post.receiveAt('hanging', url);
  await post.outbox.tell('other', [visit('hanging')], post.time.now);
  const waiting = post.outbox.progress('other', 0);
  t.match(states(await waiting), [['hanging', /waiting|taken/, 0, undefined]]);
  t.same(await post.outbox.progress('no such run', 60_000), []);
});
