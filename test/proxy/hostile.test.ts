import { connect, type Socket } from 'node:net';
import t from 'tap';
import { sendRaw } from '../support/raw.ts';
import { answering, HOST, openRawUpstream, openStage, openUpstream, type Upstream, until } from './stage.ts';

const get = (target: string, ...lines: string[]) =>
  `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

const OK = 'HTTP/1.1 200 OK\r\n';

/** What an environment may answer instead of an answer, and what its person is told. */
const GARBAGE: readonly (readonly [what: string, bytes: string | Buffer, status: number, reason: string])[] = [
  ['status 099', 'HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nhi', 502, 'environment_error'],
  ['status 000', 'HTTP/1.1 000 None\r\nContent-Length: 2\r\n\r\nhi', 502, 'environment_error'],
  ['status 600', 'HTTP/1.1 600 High\r\nContent-Length: 2\r\n\r\nhi', 502, 'environment_error'],
  ['status 999', 'HTTP/1.1 999 Top\r\nContent-Length: 2\r\n\r\nhi', 502, 'environment_error'],
  ['status 1000', 'HTTP/1.1 1000 More\r\nContent-Length: 2\r\n\r\nhi', 502, 'environment_error'],
  ['status -1', 'HTTP/1.1 -1 Less\r\n\r\n', 502, 'environment_error'],
  [
    'an upgrade that nobody asked for',
    'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    502,
    'environment_error',
  ],
  ['101 without one', 'HTTP/1.1 101 Switching\r\n\r\n', 502, 'environment_error'],
  ['100 that nobody waits for', 'HTTP/1.1 100 Continue\r\n\r\n', 502, 'environment_error'],
  ['interim answers without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000), 502, 'environment_error'],
  ['CL and TE', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 502, 'environment_error'],
  ['TE and CL', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`, 502, 'environment_error'],
  ['two lengths', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhiy`, 502, 'environment_error'],
  ['a length that is none', `${OK}Content-Length: -2\r\n\r\nhi`, 502, 'environment_error'],
  ['another coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 502, 'environment_error'],
  ['a header name with a space', `${OK}Bad Name: x\r\nContent-Length: 2\r\n\r\nhi`, 502, 'environment_error'],
  ['a NUL in a value', `${OK}X-A: a\0b\r\nContent-Length: 2\r\n\r\nhi`, 502, 'environment_error'],
  ['a control character in a value', `${OK}X-A: a\x01b\r\nContent-Length: 2\r\n\r\nhi`, 502, 'environment_error'],
  [
    'a carriage return in a value',
    `${OK}X-A: a\rSet-Cookie: x=y\r\nContent-Length: 2\r\n\r\nhi`,
    502,
    'environment_error',
  ],
  [
    'two Locations',
    'HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n',
    502,
    'environment_error',
  ],
  ['2 MB of headers', `${OK}${'X-A: b\r\n'.repeat(250_000)}\r\n`, 502, 'environment_error'],
  ['one header of 2 MB', `${OK}X-A: ${'a'.repeat(2_000_000)}\r\n\r\n`, 502, 'environment_error'],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 502, 'environment_error'],
  ['HTTP/2', Buffer.from('000012040000000000000300000064', 'hex'), 502, 'environment_error'],
  ['HTTP/9.9', 'HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nhi', 502, 'environment_error'],
  ['no answer', '', 504, 'environment_timeout'],
  ['half a head', `${OK}Content-Type: text`, 504, 'environment_timeout'],
];

t.test('garbage costs its own person an answer, and nobody else', async (t) => {
  const good = await openUpstream((_request, response) => response.end('fine'));
  const neighbour = await openStage(good.url);
  t.teardown(() => Promise.all([neighbour.close(), good.close()]));
  await Promise.all(
    GARBAGE.map(async ([what, bytes, status, reason]) => {
      const upstream = await answering(bytes);
      const stage = await openStage(upstream.url);
      const answer = await sendRaw(stage.url, get('/'));
      t.equal(answer.status, status, what);
      t.strictSame(stage.refused, [reason], what);
      t.match(answer.head, /^HTTP\/1\.1 50[24] (?:Bad Gateway|Gateway Timeout)\r\n/, what);
      await until(() => upstream.sockets.size === 0);
      await Promise.all([stage.close(), upstream.close()]);
      t.equal((await sendRaw(neighbour.url, get('/'))).status, 200);
    }),
  );
});

t.test('odd answers that can be repeated are, without their oddities', async (t) => {
  const table: readonly (readonly [what: string, bytes: string, body: string])[] = [
    ['a reason phrase of bytes', 'HTTP/1.1 200 \xff\x80<script>\r\nContent-Length: 2\r\n\r\nhi', 'hi'],
    ['no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi', 'hi'],
    ['Trailer beside a length', `${OK}Trailer: X-A\r\nContent-Length: 2\r\n\r\nhi`, 'hi'],
    [
      'trailers',
      `${OK}Trailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-A: b\r\nSet-Cookie: a=b\r\n\r\n`,
      '2\r\nhi\r\n0\r\n\r\n',
    ],
    [
      'an interim answer first',
      'HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
      'hi',
    ],
    [
      'a header called __proto__',
      `${OK}__proto__: x\r\n__proto__: y\r\nConstructor: z\r\nContent-Length: 2\r\n\r\nhi`,
      'hi',
    ],
    [
      'a second answer behind it',
      `${OK}Content-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
      'hi',
    ],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'hi'],
  ];
  for (const [what, bytes, body] of table) {
    const upstream = await answering(Buffer.from(bytes, 'latin1'));
    const stage = await openStage(upstream.url);
    for (let times = 0; times < 2; times++) {
      const answer = await sendRaw(stage.url, get('/'));
      t.match(answer.head, /^HTTP\/1\.1 200 OK\r\n/, what);
      t.equal(answer.body, body, what);
      t.notMatch(answer.head, /trailer|set-cookie|X-A/i, what);
    }
    t.strictSame(stage.refused, [], what);
    await Promise.all([stage.close(), upstream.close()]);
  }
});

/** Answers begun and not ended: the person's connection breaks off, so that no half page looks whole. */
const TORN: readonly (readonly [what: string, answer: (socket: Socket) => void])[] = [
  [
    'a reset in mid-body',
    (socket) => socket.write(`${OK}Content-Length: 9\r\n\r\nhalf`, () => socket.resetAndDestroy()),
  ],
  ['an end in mid-body', (socket) => socket.end(`${OK}Content-Length: 9\r\n\r\nhalf`)],
  ['an end in mid-chunk', (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n9\r\nhalf`)],
  ['a broken chunk', (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n`)],
  ['a body that stops', (socket) => socket.write(`${OK}Content-Length: 9\r\n\r\nhalf`)],
];

t.test('an answer that is torn off ends the connection', async (t) => {
  for (const [what, answer] of TORN) {
    const upstream = await openRawUpstream((socket) => socket.once('data', () => answer(socket)));
    const stage = await openStage(upstream.url);
    const torn = await sendRaw(stage.url, get('/')).catch(() => undefined);
    t.notMatch(`${torn?.head}${torn?.body}`, /\r\n0\r\n\r\n$/, what);
    t.ok((torn?.body.length ?? 0) < 20, what);
    await until(() => upstream.sockets.size === 0);
    await Promise.all([stage.close(), upstream.close()]);
  }
});

t.test('chunks without end reach who reads them, and stop when they leave', async (t) => {
  const upstream = await openRawUpstream((socket) => {
    socket.once('data', () => {
      const chunk = `400\r\n${'a'.repeat(0x400)}\r\n`;
      const more = () => {
        while (socket.write(chunk));
      };
      socket.on('drain', more);
      socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
      more();
    });
  });
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.write(get('/'));
  await until(() => received > 1_000_000);
  socket.destroy();
  await until(() => upstream.sockets.size === 0);
});

t.test('a caught redirect does not wait for a body without end', async (t) => {
  const upstream = await openRawUpstream((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 302 Found\r\nLocation: https://portal.test/\r\nTransfer-Encoding: chunked\r\n\r\n');
      const more = setInterval(() => socket.write('1\r\na\r\n'), 5);
      socket.once('close', () => clearInterval(more));
    });
  });
  const stage = await openStage(upstream.url, {}, { catchRedirect: () => ({ location: 'https://login.acme.test/x' }) });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const answer = await sendRaw(stage.url, get('/'));
  t.equal(answer.location, 'https://login.acme.test/x');
  t.equal(answer.body, '');
  await until(() => upstream.sockets.size === 0);
});

t.test('a hook that throws costs one answer', async (t) => {
  const upstream = await answering(
    'HTTP/1.1 302 Found\r\nLocation: https://portal.test/?t=1\r\nContent-Length: 0\r\n\r\n',
  );
  const broken = () => {
    throw new Error('a bug');
  };
  const stage = await openStage(upstream.url, {}, { catchRedirect: broken });
  const silent = await openStage(upstream.url, {}, { catchRedirect: broken, refuse: broken });
  t.teardown(() => Promise.all([stage.close(), silent.close(), upstream.close()]));
  t.equal((await sendRaw(stage.url, get('/'))).status, 500);
  t.strictSame(stage.refused, ['internal'], 'and the redirect was not passed on');
  t.equal((await sendRaw(silent.url, get('/'))).status, 0);
});

t.test('a hostile client gets 4xx or what it asked for, and the proxy lives', async (t) => {
  const upstream: Upstream = await openUpstream((_request, response) => response.end('fine'));
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const table: readonly (readonly [what: string, bytes: string, status: number])[] = [
    ['Trailer', get('/', 'Trailer: X-A'), 200],
    [
      'Trailer with a body',
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n\r\n`,
      200,
    ],
    ['absolute-form', get('http://[::bad/'), 400],
    ['__proto__', get('/', '__proto__: x', '__proto__: y', 'constructor: z'), 200],
    ['200 headers', get('/', ...Array.from({ length: 200 }, (_, index) => `X-${index}: y`)), 200],
    ['a bogus Expect', get('/', 'Expect: a-miracle'), 417],
    ['a bogus Upgrade', `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: bogus\r\n\r\n`, 400],
    ['bytes in a value', get('/', 'User-Agent: \xff\xfe', 'Accept: \x80'), 200],
    ['every option of Connection', get('/', 'Connection: host, content-length, cookie, , ;;'), 200],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 0],
    ['a header without a name', get('/', ': x'), 400],
    ['40 kB of headers', get('/', `X-A: ${'a'.repeat(40_000)}`), 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
  ];
  for (const [what, bytes, status] of table) {
    t.equal((await sendRaw(stage.url, Buffer.from(bytes, 'latin1'))).status, status, what);
  }
  t.equal((await sendRaw(stage.url, get('/'))).status, 200);
});
