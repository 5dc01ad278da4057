import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import type { Lookup } from '../../src/outbound/connector.ts';
import type { Outbound, OutboundAnswer, OutboundErrorKind, Trust } from '../../src/outbound/outbound.ts';
import { kindOf, open, resolveTo } from './attempts.ts';
import { CERTIFICATE } from './loopback-certificate.ts';
import { serve, serveBytes, serveTls } from './servers.ts';

const KIB = 1024;
const run = promisify(execFile);

/** One call of a caller that made none before. */
const get = (
  outbound: Outbound,
  url: string,
  allowPrivate = true,
  trust: Partial<Trust> = {},
): Promise<OutboundAnswer> =>
  outbound.callerFor('us', { allowPrivate, ...trust }).call({ url, headers: { accept: 'application/json' } });

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
    t.equal(request.headers['user-agent'], 'wayhome');
    t.equal(request.headers.connection, 'keep-alive');
    response.writeHead(404, { 'content-type': 'application/json', ...(coding && { 'content-encoding': coding }) });
    response.end(codings[coding] ?? text);
  });
  const outbound = open(t);
  for (const coding of ['', ...Object.keys(codings)]) {
    const answer = await get(outbound, url + coding);
    const { status, headers, body } = answer;
    t.same([status, headers['content-type'], body.toString()], [404, 'application/json', text], coding);
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

t.test('case 26: a name that resolves differently each time is judged each time it is dialled', async (t) => {
  const { port, connections } = await serveTls(t, (_, response) => response.end('{}'));
  const answers = [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1']];
  const lookup: Lookup = (hostname, options, callback) =>
    resolveTo(...(answers.shift() ?? []))(hostname, options, callback);
  const outbound = open(t, { lookup });
  const url = `https://keys.acme.test:${port}/`;
  const caller = outbound.callerFor('us', { allowPrivate: true, ca: CERTIFICATE });
  t.equal(await kindOf(caller.call({ url })), 'answered');
  t.equal(await kindOf(caller.call({ url, method: 'POST' })), 'address_refused', 'a connection of its own');
  t.equal(await kindOf(get(outbound, url, false, { ca: CERTIFICATE })), 'address_refused', 'a caller who may not');
  t.equal(await kindOf(caller.call({ url })), 'answered', 'the first connection leads where it was judged');
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
  const outbound = open(t, { lookup });
  const ca = CERTIFICATE;
  t.equal(await kindOf(get(outbound, `https://keys.acme.test:${port}/`, true, { ca })), 'answered');
  t.equal(await kindOf(get(outbound, `https://other.acme.test:${port}/`, true, { ca })), 'tls', 'another name');
  t.equal(await kindOf(get(outbound, `https://keys.acme.test:${port}/`)), 'tls', 'an unknown authority');
  const plain = await serve(t, (_, response) => response.end('{}'));
  t.equal(await kindOf(get(outbound, `https://127.0.0.1:${plain.port}/`)), 'tls', 'no TLS at all');
  t.equal(
    await kindOf(get(outbound, `https://keys.acme.test:${port}/`, true, { ca: 'no PEM' })),
    'tls',
    'no authority',
  );
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

t.test('case 24: a gzip bomb costs less than 10 MB', { timeout: 60_000 }, async (t) => {
  const bombs: Record<string, Buffer> = {
    // Stopped as it arrives, and as it is decompressed.
    '400 kB': gzipSync(Buffer.alloc(400_000_000), { level: 9 }),
    '200 kB': gzipSync(Buffer.alloc(200_000_000), { level: 9 }),
  };
  const harmless = gzipSync(Buffer.alloc(256 * KIB, 'x'));
  for (const [name, bomb] of Object.entries(bombs)) {
    const { url } = await serve(t, (request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(request.url === '/bomb' ? bomb : harmless);
    });
    const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'bombed.ts'), url], { timeout: 30_000 });
    const { kinds, peakKiB } = JSON.parse(stdout);
    t.same(kinds, ['too_large'], name);
    t.ok(peakKiB * KIB < 10_000_000, `${name} of ${bomb.length} bytes: ${peakKiB} KiB at the peak`);
  }
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

t.test('a request arrives as it was asked for, with what is ours in its headers', async (t) => {
  const { url, port } = await serve(t, async (request, response) => {
    const { method, url: path, headers } = request;
    const body = Buffer.concat(await request.toArray()).toString();
    response.writeHead(
      201,
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['constructor', 'x'],
        ['__proto__', 'y'],
      ].flat(),
    );
    response.end(JSON.stringify({ method, path, headers, body }));
  });
  const caller = open(t).callerFor('us', { allowPrivate: true });
  const answer = await caller.call({
    url: `${url}token?x=%20#fragment`,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', host: 'evil.test', 'accept-encoding': 'br' },
    body: 'code=c&é',
  });
  const { method, path, headers, body } = JSON.parse(answer.body.toString());
  t.same([answer.status, method, path, body], [201, 'POST', '/token?x=%20', 'code=c&é']);
  t.same([headers.host, headers['accept-encoding']], [`127.0.0.1:${port}`, 'gzip, deflate']);
  t.equal(headers['content-type'], 'application/x-www-form-urlencoded');
  t.equal(answer.headers['set-cookie'], 'a=1, b=2');
  t.equal(answer.headers.constructor, 'x');
  t.equal(answer.headers.location, undefined);
  t.equal((await caller.call({ url })).headers.toString, undefined, 'nothing that the server did not send');
});

t.test('a header that cannot be sent is a mistake of ours, and no fault of the server', async (t) => {
  const { url } = await serve(t, (_, response) => response.end());
  const caller = open(t).callerFor('us', { allowPrivate: true });
  for (let call = 0; call < 6; call++) {
    await t.rejects(caller.call({ url, headers: { cookie: 'a=\r\nx: y' } }), { code: 'UND_ERR_INVALID_ARG' });
  }
  t.equal(await kindOf(caller.call({ url })), 'answered');
});

t.test('a message names the host and not what was asked of it', async (t) => {
  const silent = await serveBytes(t, () => {});
  const closing = await serveBytes(t, (socket) => socket.destroy());
  const outbound = open(t, { timeoutMs: 100 });
  for (const { url, port } of [silent, closing]) {
    const error = await get(outbound, `${url}path?token=canary`).catch((error: unknown) => error);
    t.match((error as Error).message, `127.0.0.1:${port}`);
    t.notMatch(inspect(error, { depth: 9 }), /canary|path/);
  }
});

t.test('case 7: whatever bytes a server sends, a call ends in an answer or in a reason', async (t) => {
  let bytes = Buffer.alloc(0);
  const { url } = await serveBytes(t, (socket) => {
    socket.on('data', () => socket.end(bytes));
  });
  const outbound = open(t, { timeoutMs: 1_000 });
  const good = Buffer.from(
    'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n',
  );
  const line = fc.constantFrom(
    ...[
      'content-length: 2',
      'content-length: 99',
      'transfer-encoding: chunked',
      'content-encoding: gzip',
      'upgrade: x',
    ],
    ...[
      'connection: upgrade',
      'connection: close',
      'keep-alive: timeout=1e9',
      '__proto__: x',
      ' folded',
      ':',
      'x: \xff\0',
    ],
  );
  const status = fc.constantFrom(
    '200 OK',
    '100 Continue',
    '101 X',
    '103 Hints',
    '204',
    '304 X',
    '407 X',
    '999 X',
    '20',
    '0',
  );
  const composed = fc
    .tuple(status, fc.array(line, { maxLength: 4 }), fc.constantFrom('', '{}', '2\r\n{}\r\n0\r\n\r\n', 'zz\r\n'))
    .map(([status, lines, body]) =>
      Buffer.from(`${[`HTTP/1.1 ${status}`, ...lines].join('\r\n')}\r\n\r\n${body}`, 'latin1'),
    );
  const damaged = fc.tuple(fc.nat(good.length - 1), fc.uint8Array({ maxLength: 4 })).map(([at, noise]) => {
    return Buffer.concat([good.subarray(0, at), noise, good.subarray(at + noise.length)]);
  });
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.oneof(composed, damaged), async (sent) => {
      bytes = sent;
      seen.add(await kindOf(get(outbound, url)));
    }),
    { numRuns: 400 },
  );
  t.ok(seen.has('answered') && seen.has('network') && seen.has('redirect'), [...seen].join(', '));
});
