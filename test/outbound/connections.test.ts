import { mock } from 'node:test';
import t from 'tap';
import type { Dispatcher } from 'undici';
import { IDLE_MS, openConnections } from '../../src/outbound/connections.ts';
import { kindOf, open, tally } from './attempts.ts';
import { serve, serveBytes } from './servers.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

t.test('the calls of a login share a connection; what cannot be repeated has a fresh one', async (t) => {
  const { url, connections } = await serve(t, (_, response) => response.end('{}'));
  const outbound = open(t);
  const us = outbound.callerFor('us', { allowPrivate: true });
  await us.call({ url, method: 'POST', body: 'code=c' });
  await us.call({ url });
  await us.call({ url });
  t.equal(connections(), 1, 'token, user info, keys');
  await us.call({ url, method: 'POST', body: 'code=d' });
  t.equal(connections(), 2);
  await outbound.callerFor('us', { allowPrivate: true }).call({ url });
  t.equal(connections(), 3, 'another caller has connections of its own');
});

t.test('a connection that its server gave up is noticed: a GET is asked again once, a POST never', async (t) => {
  const asked: string[] = [];
  let answers = 1;
  const { url, connections } = await serveBytes(t, (socket) => {
    let left = answers;
    socket.on('data', (request) => {
      asked.push(request.toString().split(' ', 1)[0] ?? '');
      if (left-- > 0) socket.write(ANSWER);
      else socket.destroy();
    });
  });
  const us = open(t).callerFor('us', { allowPrivate: true });
  t.equal(await kindOf(us.call({ url })), 'answered');
  t.equal(await kindOf(us.call({ url })), 'answered', 'over a second connection');
  t.same([asked.length, connections()], [3, 2]);
  answers = 0;
  t.equal(await kindOf(us.call({ url })), 'network', 'the second connection fails too: no third is tried');
  t.same([asked.length, connections()], [5, 3]);
  t.equal(await kindOf(us.call({ url })), 'network', 'a fresh connection that fails is not replaced');
  t.same([asked.length, connections()], [6, 4]);
  t.equal(await kindOf(us.call({ url, method: 'POST' })), 'network');
  t.same(asked, ['GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'POST']);
});

t.test('a POST that may come twice goes as a GET does, with a body of its own each time', async (t) => {
  const bodies: string[] = [];
  const { url, connections } = await serveBytes(t, (socket) => {
    let left = 2;
    socket.on('data', (request) => {
      bodies.push(request.toString().split('\r\n\r\n')[1] ?? '');
      if (left-- > 0) socket.write(ANSWER);
      else socket.destroy();
    });
  });
  const us = open(t).callerFor('us', { allowPrivate: true });
  let made = 0;
  const told = () => us.call({ url, method: 'POST', body: async () => `token=${++made}`, repeatable: true });
  await told();
  await told();
  t.equal(connections(), 1);
  await told();
  t.same(bodies, ['token=1', 'token=2', 'token=3', 'token=4'], 'the third was lost, and told anew');
  t.equal(connections(), 2);
});

t.test('an answer that was begun and lost is not asked for again', async (t) => {
  let asked = 0;
  const { url } = await serveBytes(t, (socket) => {
    socket.on('data', () => {
      if (asked++ === 0) socket.write(ANSWER);
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}');
    });
  });
  const us = open(t).callerFor('us', { allowPrivate: true });
  t.equal(await kindOf(us.call({ url })), 'answered');
  t.equal(await kindOf(us.call({ url })), 'network');
  t.equal(asked, 2);
});

t.test('what a server sends unasked is never taken for the answer to the next call', async (t) => {
  const { url, connections } = await serveBytes(t, (socket) => {
    socket.once('data', () => socket.write(`${ANSWER}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`));
  });
  const us = open(t).callerFor('us', { allowPrivate: true });
  for (let call = 1; call <= 3; call++) {
    const body = await us.call({ url }).then(({ body }) => body.toString());
    t.equal(body, '{}');
  }
  t.equal(connections(), 3);
});

t.test('a refused answer ends its connection at once', async (t) => {
  const heads: Record<string, string> = {
    redirect: 'HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 9\r\n\r\n',
    too_large: `HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n${'x'.repeat(290_000)}`,
    encoding: 'HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 9\r\n\r\n',
    timeout: 'HTTP/1.1 200 OK\r\n',
  };
  for (const [kind, head] of Object.entries(heads)) {
    const closed = Promise.withResolvers<void>();
    const { url } = await serveBytes(t, (socket) => {
      socket.on('close', closed.resolve).once('data', () => socket.write(head));
    });
    const outbound = open(t, { timeoutMs: kind === 'timeout' ? 100 : 60_000 });
    t.equal(await kindOf(outbound.callerFor('us', { allowPrivate: true }).call({ url })), kind);
    await closed.promise;
  }
});

t.test('a caller that is closed keeps no connection, and fails no call that is under way', async (t) => {
  const closed: Promise<void>[] = [];
  let answer = () => {};
  const { url } = await serveBytes(t, (socket) => {
    const gone = Promise.withResolvers<void>();
    closed.push(gone.promise);
    socket.on('close', gone.resolve).on('data', (request) => {
      if (request.includes('/slow')) answer = () => socket.write(ANSWER);
      else socket.write(ANSWER);
    });
  });
  const us = open(t).callerFor('us', { allowPrivate: true });
  await us.call({ url, method: 'POST' });
  const slow = us.call({ url: `${url}slow`, method: 'POST' });
  await us.close();
  await closed[0];
  const answering = setInterval(() => answer(), 1);
  t.equal(await kindOf(slow), 'answered');
  clearInterval(answering);
  await closed[1];
  await us.close();
});

t.test('a client that is closed ends what is under way and what waits, and calls nobody any more', async (t) => {
  const { url, connections } = await serveBytes(t, () => {});
  const outbound = open(t, { atOnce: 2 });
  const us = outbound.callerFor('us', { allowPrivate: true });
  const calls = tally(Array.from({ length: 4 }, () => us.call({ url })));
  await outbound.close();
  t.same(await calls, { network: 4 });
  t.equal(await kindOf(us.call({ url })), 'network');
  t.ok(connections() <= 2);
  await outbound.close();
});

t.test('calls are busy beyond those under way and those that wait, and places are given in turn', async (t) => {
  const order: string[] = [];
  const answers: (() => void)[] = [];
  const { url } = await serve(t, (request, response) => {
    order.push(request.url ?? '');
    answers.push(() => response.end('{}'));
  });
  const us = open(t, { atOnce: 1, waiting: 2 }).callerFor('us', { allowPrivate: true });
  const calls = ['a', 'b', 'c', 'd'].map((path) => us.call({ url: url + path }));
  t.equal(await kindOf(calls.pop() as (typeof calls)[number]), 'busy');
  const answering = setInterval(() => answers.shift()?.(), 1);
  t.same(await tally(calls), { answered: 3 });
  clearInterval(answering);
  t.same(order, ['/a', '/b', '/c']);
});

t.test('an idle connection ends after 4 s, and there are 16 at the most', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const ended: number[] = [];
  let dialled = 0;
  const connections = openConnections(() => {
    const number = dialled++;
    return { destroy: async () => void ended.push(number) } as unknown as Dispatcher;
  });
  const origin = 'https://id.acme.test';
  const lent = Array.from({ length: 18 }, () => connections.take(origin, true));
  for (const { keep } of lent) keep();
  t.same(ended, [0, 1], 'the oldest make room');
  t.equal(connections.take('https://other.acme.test', false).usedBefore, false, 'another origin');
  mock.timers.tick(IDLE_MS - 1);
  const again = connections.take(origin, false);
  t.equal(again.usedBefore, true);
  mock.timers.tick(1);
  t.same(ended.length, 17, 'all but the two that are in use');
  again.keep();
  mock.timers.tick(IDLE_MS - 1);
  t.equal(ended.length, 17);
  mock.timers.tick(1);
  t.equal(ended.length, 18);
});
