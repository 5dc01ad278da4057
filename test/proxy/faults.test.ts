import { request as ask } from 'node:http';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { MAX_CONNECTIONS, MAX_WAITING } from '../../src/proxy/limits.ts';
import { rawGet, sendRaw } from '../support/raw.ts';
import { HOST, openRawUpstream, openStage, openUpstream, type Stage, until } from './stage.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const status = async ({ url }: Stage, method = 'GET', body?: string) =>
  (await fetch(`${url}/`, { method, ...(body !== undefined && { body }) })).status;

/** A client that sends its request and waits for nothing. */
function send({ url }: Stage, bytes: string | Buffer): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  return socket;
}

t.test('300 people who leave before the answer leave no connection behind', async (t) => {
  const asked: string[] = [];
  const upstream = await openUpstream((request) => asked.push(request.url ?? ''));
  const stage = await openStage(upstream.url, { timeout: 30 });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const clients = new Map(Array.from({ length: 300 }, (_, at) => [`/${at}`, send(stage, rawGet(`/${at}`))]));
  await until(() => asked.length === MAX_CONNECTIONS && stage.sockets.size === 300);
  t.equal(upstream.sockets.size, MAX_CONNECTIONS, 'no more than these at a time');
  for (const [path, client] of clients) if (!asked.includes(path)) client.destroy();
  await until(() => stage.sockets.size === MAX_CONNECTIONS);
  for (const client of clients.values()) client.destroy();
  await until(() => upstream.sockets.size === 0);
  t.equal(asked.length, MAX_CONNECTIONS, 'and those who waited were never asked for');
  t.strictSame(stage.refused, []);
});

t.test('300 people who leave in the middle of the answer leave no connection behind', async (t) => {
  const upstream = await openUpstream((_request, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 }).write('half');
  });
  const stage = await openStage(upstream.url, { timeout: 30 });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  for (let left = 300; left > 0; left -= 100) {
    const clients = Array.from({ length: 100 }, () => send(stage, rawGet('/')));
    let begun = 0;
    for (const client of clients) client.once('data', () => begun++);
    await until(() => begun === 100);
    for (const client of clients) client.resetAndDestroy();
    await until(() => upstream.sockets.size === 0);
  }
});

t.test('who leaves while uploading takes the upload with them', async (t) => {
  let received = 0;
  const upstream = await openUpstream((request) => {
    request.on('error', () => {});
    request.on('data', (chunk) => {
      received += chunk.length;
    });
  });
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const client = send(stage, `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1000\r\n\r\nhalf`);
  await until(() => received === 4);
  client.destroy();
  await until(() => upstream.sockets.size === 0);
});

t.test('requests sent ahead on one connection end with it', async (t) => {
  let asked = 0;
  const upstream = await openUpstream(() => asked++);
  const stage = await openStage(upstream.url, { timeout: 30 });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const one = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const client = send(stage, one + one + one);
  await until(() => asked === 3);
  client.destroy();
  await until(() => upstream.sockets.size === 0);
});

t.test('connections are used again, and few are kept', async (t) => {
  const upstream = await openUpstream((_request, response) => response.end('ok'));
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  for (let times = 0; times < 50; times++) t.equal((await sendRaw(stage.url, rawGet('/'))).status, 200);
  t.ok(upstream.opened() <= 3, `${upstream.opened()} connections for 50 requests`);
});

t.test('more requests than connections wait for their turn, and more than may wait are turned away', async (t) => {
  const held: (() => void)[] = [];
  const upstream = await openUpstream((_request, response) => held.push(() => response.end('ok')));
  const stage = await openStage(upstream.url, { timeout: 30 });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const statuses: (number | undefined)[] = [];
  const crowd = MAX_CONNECTIONS + MAX_WAITING + 5;
  for (let index = 0; index < crowd; index++) {
    ask(stage.url, { agent: false }, (response) => {
      statuses.push(response.statusCode);
      response.resume();
    }).end();
  }
  await until(() => held.length === MAX_CONNECTIONS && statuses.length === 5);
  t.strictSame(
    statuses,
    Array.from({ length: 5 }, () => 502),
  );
  t.strictSame(new Set(stage.refused), new Set(['environment_unavailable']));
  while (statuses.length < crowd) {
    for (const end of held.splice(0)) end();
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(statuses.filter((one) => one === 200).length, MAX_CONNECTIONS + MAX_WAITING);
  t.ok(upstream.opened() <= MAX_CONNECTIONS);
});

t.test('who waits is turned away when the time is over, and nobody waits twice', async (t) => {
  let asked = 0;
  const upstream = await openUpstream(() => asked++);
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const clients = Array.from({ length: MAX_CONNECTIONS + 3 }, () => send(stage, rawGet('/')));
  await until(() => asked === MAX_CONNECTIONS);
  const began = performance.now();
  await until(() => stage.refused.length === clients.length);
  t.ok(performance.now() - began < 1_500, 'a connection that came free at the last moment does not begin anew');
  const timedOut = stage.refused.filter((reason) => reason === 'environment_timeout').length;
  const turnedAway = stage.refused.filter((reason) => reason === 'environment_unavailable').length;
  t.equal(timedOut + turnedAway, clients.length);
  t.ok(timedOut >= MAX_CONNECTIONS);
});

/** Serves the first request of every connection; what `second` does with the next one. */
const openForgetful = (second: (socket: Socket) => void) =>
  openRawUpstream((socket) => {
    socket.once('data', () => {
      socket.write(OK);
      socket.once('data', () => second(socket));
    });
  });

t.test('a connection that died while it was idle is no reason to refuse', async (t) => {
  for (const death of ['reset', 'end']) {
    const upstream = await openForgetful((socket) => (death === 'reset' ? socket.resetAndDestroy() : socket.end()));
    const stage = await openStage(upstream.url);
    for (const method of ['GET', 'GET', 'DELETE', 'OPTIONS', 'PUT']) t.equal(await status(stage, method), 200, death);
    t.strictSame(stage.refused, []);
    await Promise.all([stage.close(), upstream.close()]);
  }
});

t.test('a POST, and a request with a body, are sent once', async (t) => {
  for (const [method, body] of [
    ['POST', undefined],
    ['POST', 'abc'],
    ['PUT', 'abc'],
  ] as const) {
    const upstream = await openForgetful((socket) => socket.resetAndDestroy());
    const stage = await openStage(upstream.url);
    t.equal(await status(stage), 200);
    t.equal(await status(stage, method, body), 502);
    t.equal(upstream.opened(), 1);
    t.strictSame(stage.refused, ['environment_error']);
    await Promise.all([stage.close(), upstream.close()]);
  }
});

t.test('nothing is asked again on a connection that never served, nor after a byte of an answer', async (t) => {
  const fresh = await openRawUpstream((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const begun = await openForgetful((socket) => socket.write('HTTP', () => socket.resetAndDestroy()));
  const one = await openStage(fresh.url);
  const other = await openStage(begun.url);
  t.teardown(() => Promise.all([one.close(), other.close(), fresh.close(), begun.close()]));
  t.equal(await status(one), 502);
  t.equal(fresh.opened(), 1);
  t.equal(await status(other), 200);
  t.equal(await status(other), 502);
  t.equal(begun.opened(), 1);
});

t.test('an environment that cannot be reached is left alone for a while, then tried once', async (t) => {
  const gone = await openUpstream(() => {});
  await gone.close();
  let now = 0;
  const stage = await openStage(gone.url, {}, { now: () => now });
  t.teardown(() => stage.close());
  for (let times = 0; times < 5; times++) t.equal(await status(stage), 502);
  t.strictSame(new Set(stage.details), new Set(['ECONNREFUSED']));
  t.equal(await status(stage), 502);
  t.match(stage.details.at(-1), /next try is due in 5 s/);
  now = 5_000;
  t.equal(await status(stage), 502);
  t.equal(stage.details.at(-1), 'ECONNREFUSED', 'the one try');
  now = 14_999;
  await status(stage);
  t.match(stage.details.at(-1), /next try is due in 1 s/, 'and twice as long a pause');
  t.strictSame(new Set(stage.refused), new Set(['environment_unavailable']));
});

t.test('a crowd in front of an environment that is gone is turned away together', async (t) => {
  const gone = await openUpstream(() => {});
  await gone.close();
  const stage = await openStage(gone.url);
  t.teardown(() => stage.close());
  const crowd = MAX_CONNECTIONS + 100;
  const answers = await sendRaw(stage.url, `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`.repeat(crowd) + rawGet('/'));
  t.equal(`${answers.head}${answers.body}`.match(/HTTP\/1\.1 502/g)?.length, crowd + 1);
  t.ok(stage.details.includes('the breaker has opened'));
});

t.test('a hang opens the breaker, for those who wait too; an answer closes it', async (t) => {
  let answers = false;
  let asked = 0;
  const upstream = await openUpstream((_request, response) => {
    asked++;
    if (answers) response.end('ok');
  });
  let now = 0;
  const stage = await openStage(upstream.url, { timeout: 1 }, { now: () => now });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const statuses = await Promise.all(Array.from({ length: 5 }, () => status(stage)));
  t.strictSame(statuses, [504, 504, 504, 504, 504]);
  t.equal(await status(stage), 502);
  t.equal(asked, 5, 'nobody asked');
  answers = true;
  now = 5_000;
  t.equal(await status(stage), 200, 'the one try');
  t.equal(await status(stage), 200);
});

t.test('a try whose person leaves is not the last', async (t) => {
  let answers = false;
  let asked = 0;
  const upstream = await openUpstream((_request, response) => {
    asked++;
    if (answers) response.end('ok');
  });
  let now = 0;
  const stage = await openStage(upstream.url, { timeout: 1 }, { now: () => now });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  await Promise.all(Array.from({ length: 5 }, () => status(stage)));
  now = 5_000;
  const client = send(stage, rawGet('/'));
  await until(() => asked === 6);
  t.equal(await status(stage), 502, 'alone');
  client.destroy();
  await until(() => upstream.sockets.size === 0);
  answers = true;
  t.equal(await status(stage), 200);
});
