import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { MAX_UPGRADES } from '../../src/proxy/limits.ts';
import { sendRaw } from '../support/raw.ts';
import { answering, HOST, ORIGIN, openRawUpstream, openStage, openUpstream, type Stage, until } from './stage.ts';

/** An environment with a WebSocket at every address that sends back what it gets. */
async function openEcho() {
  const requests: Record<string, unknown>[] = [];
  const upstream = await openUpstream((_request, response) => response.end('page'));
  const server = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 * 1024 });
  server.on('headers', (lines) => {
    lines.push('Set-Cookie: a=b; Domain=acme.test', 'Set-Cookie: c=d', 'Set-Cookie: __Host-wayhome-login.x=evil');
    lines.push('Alt-Svc: h3=":443"', 'X-Other: y');
  });
  upstream.server.on('upgrade', (request, socket, head) => {
    requests.push({ ...request.headers, url: request.url });
    server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {});
      webSocket.on('message', (data, binary) => webSocket.send(data, { binary }));
    });
  });
  return { ...upstream, requests };
}

const open = async ({ url }: Stage, path = '/socket', headers: Record<string, string> = { origin: ORIGIN }) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, 'chat', { headers, perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
};

const handshake = (...lines: string[]) =>
  [
    'GET /socket HTTP/1.1',
    `Host: ${HOST}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...lines,
    '',
    '',
  ].join('\r\n');

t.test('1 MB goes both ways intact', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const socket = await open(stage);
  const sent = randomBytes(1024 * 1024);
  socket.send(sent);
  const [received] = (await once(socket, 'message')) as [Buffer];
  t.ok(sent.equals(received));
  t.equal(socket.protocol, 'chat');
  socket.close();
  await once(socket, 'close');
  await until(() => upstream.sockets.size === 0);
});

t.test('the handshake says what a request would, and brings back nothing but itself', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const lines = [
    'Cookie: a=b; __Host-wayhome-login.x=secret',
    'X-Forwarded-For: 10.0.0.1',
    'X-Evil: y',
    `Origin: ${ORIGIN}`,
  ];
  const client = connect(Number(new URL(stage.url).port), '127.0.0.1');
  client.write(handshake(...lines));
  const [answer] = (await once(client, 'data')) as [Buffer];
  client.destroy();
  t.match(upstream.requests[0], {
    url: '/socket',
    host: HOST,
    upgrade: 'websocket',
    cookie: 'a=b',
    origin: ORIGIN,
    'x-forwarded-for': '198.51.100.7',
    'x-forwarded-proto': 'https',
  });
  t.notOk('x-evil' in (upstream.requests[0] ?? {}));
  t.match(String(answer), /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  t.match(String(answer), /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
  t.strictSame(String(answer).match(/^set-cookie: .*$/gim), ['set-cookie: c=d; Secure']);
  t.notMatch(String(answer), /alt-svc|x-other/i);
});

t.test('an environment that is told its own name is told it of the page, too', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url, { tells: 'upstream' });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  (await open(stage)).terminate();
  t.match(upstream.requests[0], { host: new URL(upstream.url).host, origin: upstream.url });
});

t.test('what comes with the handshake is not lost', async (t) => {
  const upstream = await openRawUpstream((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst ');
      socket.on('data', (chunk) => socket.end(`[${chunk}]`));
    });
  });
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  t.equal((await sendRaw(stage.url, `${handshake()}early`)).body, 'first [early]');
});

t.test('what is no WebSocket of this host’s pages is refused', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url, { paths: ['/socket'] });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const table: readonly (readonly [what: string, bytes: string, status: number, reason: string])[] = [
    ['a page of another origin', handshake('Origin: https://evil.test'), 404, 'address_unknown'],
    ['of the router', handshake('Origin: https://login.acme.test'), 404, 'address_unknown'],
    ['of no origin', handshake('Origin: null'), 404, 'address_unknown'],
    ['of this host without TLS', handshake(`Origin: http://${HOST}`), 404, 'address_unknown'],
    ['another path', handshake().replace('/socket', '/admin'), 404, 'address_unknown'],
    ['a crooked path', handshake().replace('/socket', '/socket/../admin'), 400, 'request_malformed'],
    ['POST', handshake().replace('GET', 'POST'), 405, 'method_not_allowed'],
    ['another protocol', handshake().replace('websocket', 'h2c'), 400, 'request_malformed'],
    ['two Hosts', handshake('Host: other.test'), 400, 'request_malformed'],
  ];
  for (const [what, bytes, status, reason] of table) {
    const answer = await sendRaw(stage.url, bytes);
    t.equal(answer.status, status, what);
    t.equal(stage.refused.at(-1), reason, what);
    t.equal(answer.body, reason, what);
  }
  t.strictSame(upstream.requests, []);
  (await open(stage, '/socket', {})).terminate();
  t.equal(upstream.requests.length, 1, 'what is no browser sends no Origin');
});

t.test('any other answer than 101 is an answer of ours', async (t) => {
  const table: readonly (readonly [what: string, bytes: string, status: number, reason: string | undefined])[] = [
    ['a page', 'HTTP/1.1 200 <b>\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\nhi', 502, 'environment_error'],
    [
      'a body without end',
      'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n',
      502,
      'environment_error',
    ],
    ['no HTTP', 'SSH-2.0\r\n', 502, 'environment_error'],
    ['status 099', 'HTTP/1.1 099 Low\r\n\r\n', 502, 'environment_error'],
    ['another protocol', 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', 0, undefined],
    ['nothing', '', 504, 'environment_timeout'],
  ];
  for (const [what, bytes, status, reason] of table) {
    const upstream = await answering(bytes);
    const stage = await openStage(upstream.url);
    const answer = await sendRaw(stage.url, handshake());
    t.equal(answer.status, status, what);
    t.strictSame(stage.refused, reason === undefined ? [] : [reason], what);
    t.notMatch(answer.head, /set-cookie|<b>/i, what);
    await until(() => upstream.sockets.size === 0);
    await Promise.all([stage.close(), upstream.close()]);
  }
  const gone = await answering('');
  await gone.close();
  const stage = await openStage(gone.url);
  t.teardown(() => stage.close());
  t.equal((await sendRaw(stage.url, handshake())).status, 502);
  t.strictSame(stage.refused, ['environment_unavailable']);
});

t.test('either side that breaks off takes the other with it', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  for (const leave of [(socket: Socket) => socket.destroy(), (socket: Socket) => socket.resetAndDestroy()]) {
    const client = connect(Number(new URL(stage.url).port), '127.0.0.1');
    client.on('error', () => {});
    client.write(handshake());
    await once(client, 'data');
    t.equal(upstream.sockets.size, 1);
    leave(client);
    await until(() => upstream.sockets.size === 0);
    const webSocket = await open(stage);
    webSocket.on('error', () => {});
    const closed = once(webSocket, 'close');
    for (const socket of upstream.sockets) leave(socket);
    await closed;
  }
  const last = await open(stage);
  const closed = once(last, 'close');
  await stage.proxy.close();
  await closed;
  await until(() => upstream.sockets.size === 0);
});

t.test(
  'people who leave during the handshake leave no connection behind, nor are there too many at once',
  async (t) => {
    let asked = 0;
    const upstream = await openRawUpstream((socket) => socket.once('data', () => asked++));
    const stage = await openStage(upstream.url, { timeout: 30 });
    t.teardown(() => Promise.all([stage.close(), upstream.close()]));
    const clients = Array.from({ length: 300 }, () => {
      const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.write(handshake());
      return socket;
    });
    await until(() => asked === MAX_UPGRADES && stage.refused.length === 300 - MAX_UPGRADES);
    t.strictSame(new Set(stage.refused), new Set(['environment_unavailable']));
    for (const client of clients) client.destroy();
    await until(() => upstream.sockets.size === 0);
  },
);

t.test('a browser that does not end its side is not waited for', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const client = connect({ port: Number(new URL(stage.url).port), host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => {});
  client.write(handshake());
  await once(client, 'data');
  for (const socket of upstream.sockets) socket.end();
  await until(() => stage.sockets.size === 0);
  client.destroy();
});

t.test('a metadata address is dialled for no WebSocket either', async (t) => {
  const stage = await openStage('http://169.254.169.254');
  t.teardown(() => stage.close());
  t.equal((await sendRaw(stage.url, handshake())).status, 502);
});
