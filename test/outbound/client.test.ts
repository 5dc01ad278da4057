import { once } from 'node:events';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { type OutboundOptions, openOutbound } from '../../src/outbound/client.ts';
import type { Lookup } from '../../src/outbound/connector.ts';
import {
  type Outbound,
  type OutboundAnswer,
  OutboundError,
  type OutboundErrorKind,
} from '../../src/outbound/outbound.ts';
import { CERTIFICATE } from './loopback-certificate.ts';
import { serve, serveBytes, serveTls } from './servers.ts';

const KIB = 1024;

function open(t: Test, options?: OutboundOptions): Outbound {
  const outbound = openOutbound(options);
  t.teardown(() => outbound.close());
  return outbound;
}

const get = (outbound: Outbound, url: string, allowPrivate = true): Promise<OutboundAnswer> =>
  outbound.get(url, { allowPrivate, accept: 'application/json' });

/** What an attempt ended in. Anything that is neither an answer nor an `OutboundError` is passed on. */
async function kindOf(attempt: Promise<OutboundAnswer>): Promise<OutboundErrorKind | 'answered'> {
  try {
    await attempt;
    return 'answered';
  } catch (error) {
    if (error instanceof OutboundError) return error.kind;
    throw error;
  }
}

/** Resolves every name to these addresses. */
const resolveTo =
  (...addresses: string[]): Lookup =>
  (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

t.test('an answer comes back whole, whatever its status and coding', async (t) => {
  const text = JSON.stringify({ keys: [], padding: 'x'.repeat(100_000) });
  const codings: Record<string, Buffer> = {
    gzip: gzipSync(text),
    'x-gzip': gzipSync(text),
    deflate: deflateSync(text),
    identity: Buffer.from(text),
  };
  const { url } = await serve(t, (request, response) => {
    const coding = request.url?.slice(1) ?? '';
    t.equal(request.headers.accept, 'application/json');
    t.equal(request.headers['accept-encoding'], 'gzip, deflate');
    t.equal(request.headers.connection, 'close');
    response.writeHead(404, { 'content-type': 'application/json', ...(coding && { 'content-encoding': coding }) });
    response.end(codings[coding] ?? text);
  });
  const outbound = open(t);
  for (const coding of ['', ...Object.keys(codings)]) {
    const answer = await get(outbound, url + coding);
    t.same([answer.status, answer.contentType, answer.body.toString()], [404, 'application/json', text], coding);
  }
});

t.test('case 26: an address that is not public is never connected, in whatever spelling', async (t) => {
  const { port, connections } = await serveTls(t, (_, response) => response.end());
  const outbound = open(t);
  const hosts = [
    ...[
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '127.0.0.1.',
      '①②⑦.0.0.1',
      '%31%32%37.0.0.1',
    ],
    ...[
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:ffff:7f00:0001]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
    ],
    ...['localhost', '0.0.0.0', '0', '[::]', '169.254.169.254', '10.0.0.1', '192.168.1.1', '172.16.0.1', '100.64.0.1'],
    ...['[fd00:ec2::254]', '[fe80::1]', '224.0.0.1', '255.255.255.255'],
  ];
  for (const host of hosts)
    t.equal(await kindOf(get(outbound, `https://${host}:${port}/`, false)), 'address_refused', host);
  t.equal(connections(), 0);
});

t.test('case 26: a name that resolves to an address that is not public is never connected', async (t) => {
  const { port, connections } = await serveTls(t, (_, response) => response.end());
  const url = `https://keys.acme.test:${port}/`;
  for (const addresses of [
    ['127.0.0.1'],
    ['10.0.0.1'],
    ['169.254.169.254'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['1.1.1.1', '127.0.0.1'],
    ['fd00:ec2::254'],
    [],
  ]) {
    t.equal(
      await kindOf(get(open(t, { lookup: resolveTo(...addresses) }), url, false)),
      'address_refused',
      addresses.join(', '),
    );
  }
  t.equal(connections(), 0);
});

t.test('case 26: metadata stays out of reach where private addresses are allowed', async (t) => {
  const outbound = open(t, { lookup: resolveTo('169.254.169.254') });
  for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]', '0.0.0.0', '[fd00:ec2::254]', 'keys.acme.test']) {
    t.equal(await kindOf(get(outbound, `https://${host}/latest/meta-data`)), 'address_refused', host);
  }
});

t.test('case 26: a name that resolves differently each time is judged each time', async (t) => {
  const { port, connections } = await serveTls(t, (_, response) => response.end('{}'));
  const answers = [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1']];
  const lookup: Lookup = (hostname, options, callback) =>
    resolveTo(...(answers.shift() ?? []))(hostname, options, callback);
  const outbound = open(t, { lookup, ca: CERTIFICATE });
  const url = `https://keys.acme.test:${port}/`;
  t.equal(await kindOf(get(outbound, url)), 'answered');
  t.equal(await kindOf(get(outbound, url)), 'address_refused', 'no connection was kept for it');
  t.equal(await kindOf(get(outbound, url, false)), 'address_refused', 'nor for a caller who may not');
  t.equal(connections(), 1);
});

t.test('case 26: a redirect is not followed', async (t) => {
  const inside = await serve(t, (_, response) => response.end('secret'));
  const { url } = await serve(t, (request, response) => {
    response.writeHead(Number(request.url?.slice(1)), { location: inside.url });
    response.end('elsewhere');
  });
  const outbound = open(t);
  for (const status of [300, 301, 302, 303, 304, 307, 308])
    t.equal(await kindOf(get(outbound, `${url}${status}`)), 'redirect', `${status}`);
  t.equal(inside.connections(), 0);
});

t.test('plain http is spoken on loopback only, and other schemes not at all', async (t) => {
  const { url, port } = await serve(t, (_, response) => response.end('{}'));
  const outbound = open(t);
  const kinds: [string, boolean, OutboundErrorKind | 'answered'][] = [
    [url, true, 'answered'],
    [`http://localhost:${port}/`, true, 'answered'],
    [url, false, 'address_refused'],
    ['http://1.1.1.1/', true, 'scheme'],
    ['http://10.0.0.1/', true, 'scheme'],
    ['http://keys.acme.test/', true, 'scheme'],
    ['http://localhost.evil.test/', true, 'scheme'],
    ['http://127.0.0.1.evil.test/', true, 'scheme'],
    ['ftp://127.0.0.1/', true, 'scheme'],
    ['file:///etc/passwd', true, 'scheme'],
    ['data:application/json,{}', true, 'scheme'],
    ['//127.0.0.1/', true, 'scheme'],
    ['', true, 'scheme'],
    ['https://user:pass@127.0.0.1/', true, 'scheme'],
  ];
  for (const [address, allowPrivate, kind] of kinds)
    t.equal(await kindOf(get(outbound, address, allowPrivate)), kind, address);
  const lying = open(t, { lookup: resolveTo('10.0.0.1') });
  t.equal(
    await kindOf(get(lying, `http://localhost:${port}/`)),
    'address_refused',
    'a localhost that is somewhere else',
  );
});

t.test('the certificate has to be for the name, and from a known authority', async (t) => {
  const { port } = await serveTls(t, (_, response) => response.end('{}'));
  const lookup = resolveTo('127.0.0.1');
  t.equal(await kindOf(get(open(t, { lookup, ca: CERTIFICATE }), `https://keys.acme.test:${port}/`)), 'answered');
  t.equal(
    await kindOf(get(open(t, { lookup, ca: CERTIFICATE }), `https://other.acme.test:${port}/`)),
    'tls',
    'another name',
  );
  t.equal(await kindOf(get(open(t, { lookup }), `https://keys.acme.test:${port}/`)), 'tls', 'an unknown authority');
  const plain = await serve(t, (_, response) => response.end('{}'));
  t.equal(await kindOf(get(open(t), `https://127.0.0.1:${plain.port}/`)), 'tls', 'no TLS at all');
});

t.test('case 24: the limit holds before and after decompression', async (t) => {
  const bodies: Record<string, [Record<string, string>, Buffer]> = {
    exact: [{}, Buffer.alloc(256 * KIB, 'x')],
    'exact-gzip': [{ 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(256 * KIB, 'x'))],
    over: [{}, Buffer.alloc(256 * KIB + 1, 'x')],
    'over-gzip': [{ 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(256 * KIB + 1, 'x'))],
    'over-deflate': [{ 'content-encoding': 'deflate' }, deflateSync(Buffer.alloc(256 * KIB + 1, 'x'))],
    twice: [{ 'content-encoding': 'gzip, gzip' }, gzipSync(gzipSync('{}'))],
    brotli: [{ 'content-encoding': 'br' }, brotliCompressSync('{}')],
    unknown: [{ 'content-encoding': 'zstd' }, Buffer.from('{}')],
    'not-gzip': [{ 'content-encoding': 'gzip' }, Buffer.from('{}')],
    truncated: [{ 'content-encoding': 'gzip' }, gzipSync('{"keys":[]}').subarray(0, -6)],
    headers: [{ 'x-padding': 'x'.repeat(20 * KIB) }, Buffer.from('{}')],
  };
  const { url } = await serve(t, (request, response) => {
    const [headers, body] = bodies[request.url?.slice(1) ?? ''] ?? [{}, Buffer.alloc(0)];
    response.writeHead(200, headers).end(body);
  });
  const outbound = open(t);
  const kinds: Record<string, OutboundErrorKind | 'answered'> = {
    exact: 'answered',
    'exact-gzip': 'answered',
    over: 'too_large',
    'over-gzip': 'too_large',
    'over-deflate': 'too_large',
    twice: 'encoding',
    brotli: 'encoding',
    unknown: 'encoding',
    'not-gzip': 'encoding',
    truncated: 'encoding',
    headers: 'too_large',
  };
  for (const [path, kind] of Object.entries(kinds)) t.equal(await kindOf(get(outbound, url + path)), kind, path);
});

t.test('case 24: a gzip bomb costs less than 10 MB', async (t) => {
  const bomb = gzipSync(Buffer.alloc(400_000_000), { level: 9 });
  t.ok(bomb.length > 380_000, `${bomb.length} bytes that inflate to 400 MB`);
  const { url } = await serve(t, (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
  const outbound = open(t);
  await kindOf(get(outbound, url));
  const inUse = (): number => {
    const { heapUsed, arrayBuffers, external } = process.memoryUsage();
    return heapUsed + arrayBuffers + external;
  };
  let peak = 0;
  const before = inUse();
  const watch = setInterval(() => (peak = Math.max(peak, inUse() - before)), 1);
  t.equal(await kindOf(get(outbound, url)), 'too_large');
  clearInterval(watch);
  t.ok(Math.max(peak, inUse() - before) < 10_000_000, `${peak} bytes at the peak`);
});

t.test('case 24: a server that drips, hangs or is silent is left after the time in total', async (t) => {
  const dripping = await serveBytes(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const drip = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(drip));
  });
  const drippingHeaders = await serveBytes(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const drip = setInterval(() => socket.write('x: y\r\n'), 20);
    socket.on('close', () => clearInterval(drip));
  });
  const silent = await serveBytes(t, () => {});
  const outbound = open(t, { timeoutMs: 200 });
  const unresolved = open(t, { timeoutMs: 200, lookup: () => {} });
  const hangs: [string, () => Promise<OutboundAnswer>][] = [
    ['in the body', () => get(outbound, dripping.url)],
    ['in the headers', () => get(outbound, drippingHeaders.url)],
    ['before the first byte', () => get(outbound, silent.url)],
    ['in the TLS handshake', () => get(outbound, silent.url.replace('http', 'https'))],
    ['in the lookup', () => get(unresolved, 'https://keys.acme.test/')],
  ];
  for (const [where, call] of hangs) {
    const start = performance.now();
    t.equal(await kindOf(call()), 'timeout', where);
    const ms = Math.round(performance.now() - start);
    t.ok(ms > 150 && ms < 700, `${where}: ${ms} ms`);
  }
});

t.test('a connection is gone as soon as its call is over', async (t) => {
  const closed: Promise<unknown>[] = [];
  const { url } = await serveBytes(t, (socket) => {
    closed.push(once(socket, 'close'));
    socket.once('data', (request) => {
      const refuse = request.includes('/redirect');
      socket.write(
        refuse
          ? 'HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 9\r\n\r\n'
          : 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}',
      );
    });
  });
  const outbound = open(t);
  t.equal(await kindOf(get(outbound, url)), 'answered');
  t.equal(await kindOf(get(outbound, `${url}redirect`)), 'redirect');
  await Promise.all(closed);
  t.equal(closed.length, 2);
});

t.test('answers that are not HTTP are a network error and nothing else', async (t) => {
  const outbound = open(t);
  for (const bytes of [
    'hello\r\n\r\n',
    'HTTP/1.1 099 Odd\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    '',
  ]) {
    const { url } = await serveBytes(t, (socket) => {
      socket.on('data', () => socket.end(bytes));
    });
    t.equal(await kindOf(get(outbound, url)), 'network', JSON.stringify(bytes));
  }
  const { url } = await serveBytes(t, (socket) => socket.destroy());
  t.equal(await kindOf(get(outbound, url)), 'network', 'a reset');
  const failing: Lookup = (_hostname, _options, callback) =>
    callback(Object.assign(new Error(), { code: 'ENOTFOUND' }), []);
  t.equal(await kindOf(get(open(t, { lookup: failing }), 'https://keys.acme.test/')), 'network', 'no such name');
});
