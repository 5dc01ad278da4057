import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { meterBody } from '../../src/proxy/request-body.ts';
import { CERTIFICATE, CERTIFICATE_KEY } from '../outbound/loopback-certificate.ts';
import { sendRaw } from '../support/raw.ts';
import { bodyOf, HOST, ORIGIN, openServer, openStage, openUpstream, until } from './stage.ts';

type Seen = { method: string; url: string; headers: Record<string, unknown>; body: string };

/** An environment that remembers what it was asked, and answers 200 to everything. */
async function openEcho() {
  const seen: Seen[] = [];
  const upstream = await openUpstream(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = (await bodyOf(request)).toString('latin1');
    seen.push({ method, url, headers, body });
    response.end(`${method} ${url}`);
  });
  return { ...upstream, seen };
}

const post = (body: string, ...lines: string[]) =>
  `POST /form HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;

t.test('a target reaches the environment byte for byte', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url, { paths: ['/sso/'] });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  for (const target of ['/sso/', '/sso/a%20b;c=1?x={"a":[1]}&y=%2e%2e%2f', "/sso/a!$&'()*+,=:@|[]"]) {
    const answer = await sendRaw(stage.url, `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
    t.equal(answer.status, 200);
    t.equal(upstream.seen.at(-1)?.url, target);
  }
});

t.test('what is not passed on is refused here, and the environment hears nothing', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url, { paths: ['/sso/'] });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const table: readonly (readonly [line: string, headers: string, status: number, reason: string])[] = [
    ['GET /admin', '', 404, 'address_unknown'],
    ['GET /sso/../admin', '', 400, 'request_malformed'],
    ['GET http://evil.test/sso/', '', 400, 'request_malformed'],
    ['OPTIONS *', '', 400, 'request_malformed'],
    ['TRACE /sso/', '', 405, 'method_not_allowed'],
    ['PROPFIND /sso/', '', 405, 'method_not_allowed'],
    ['GET /sso/sw.js', 'Service-Worker: script\r\n', 404, 'address_unknown'],
    ['GET /sso/', `hOsT: other.test\r\n`, 400, 'request_malformed'],
    ['GET /sso/', 'Content-Length: 5\r\n', 400, 'request_malformed'],
    ['GET /sso/', 'Transfer-Encoding: chunked\r\n', 400, 'request_malformed'],
    ['POST /sso/', 'Transfer-Encoding: gzip, chunked\r\n', 400, 'request_malformed'],
    ['POST /sso/', `Content-Length: ${2 * 1024 * 1024}\r\n`, 413, 'body_too_large'],
  ];
  for (const [line, headers, status, reason] of table) {
    const answer = await sendRaw(stage.url, `${line} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${headers}\r\n`);
    t.equal(answer.status, status, line);
    t.equal(stage.refused.at(-1), reason, line);
    t.match(answer.head, /cache-control: no-store/i);
  }
  t.strictSame(upstream.seen, []);
  const trace = await sendRaw(stage.url, `TRACE /sso/ HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
  t.match(trace.head, /allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS/i);
});

t.test('a body arrives whole, however it was framed, and as one request', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const inner = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
  const head = (method: string) => `${method} /form HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n`;
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    for (const [framing, bytes] of [
      ['Content-Length', `Content-Length: ${inner.length}\r\n\r\n${inner}`],
      ['Transfer-Encoding', `Transfer-Encoding: chunked\r\n\r\n${chunked}`],
    ]) {
      upstream.seen.length = 0;
      const answer = await sendRaw(stage.url, `${head(method)}${bytes}`);
      t.equal(answer.status, 200, `${method} with ${framing}`);
      t.match(upstream.seen, [{ method, url: '/form', body: inner }], `${method} with ${framing}`);
      t.equal(upstream.seen.length, 1);
    }
  }
  t.equal((await sendRaw(stage.url, post(''))).status, 200);
  t.match(upstream.seen.at(-1), { method: 'POST', headers: { 'content-length': '0' }, body: '' });
});

t.test('two requests on one connection, and a body between them, stay two', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const last = `GET /last HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;
  const first = `DELETE /first HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: a\r\n\r\n`;
  const answer = await sendRaw(stage.url, `${first}${last}`);
  t.match(`${answer.head}${answer.body}`, /DELETE \/first[\s\S]*GET \/last/);
  t.same(upstream.seen.map(({ method, url, body }) => [method, url, body]).sort(), [
    ['DELETE', '/first', 'abc'],
    ['GET', '/last', ''],
  ]);
  t.notOk('x-trailer' in (upstream.seen[0]?.headers ?? {}), 'trailers are dropped');
});

t.test('framing that two servers could read differently ends here', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const table: readonly (readonly [string, string])[] = [
    ['CL and TE', post('0\r\n\r\n', 'Content-Length: 5', 'Transfer-Encoding: chunked')],
    ['TE and CL', post('0\r\n\r\n', 'Transfer-Encoding: chunked', 'Content-Length: 5')],
    ['two lengths', post('abcde', 'Content-Length: 5', 'Content-Length: 5')],
    ['two lengths that differ', post('abcde', 'Content-Length: 5', 'Content-Length: 0')],
    ['a signed length', post('abcde', 'Content-Length: +5')],
    ['another coding', post('0\r\n\r\n', 'Transfer-Encoding: xchunked')],
    ['two codings', post('0\r\n\r\n', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity')],
    ['a coding twice', post('0\r\n\r\n', 'Transfer-Encoding: chunked, chunked')],
    ['a space before the colon', post('0\r\n\r\n', 'Transfer-Encoding : chunked')],
    ['a bare line feed', `POST /form HTTP/1.1\nHost: ${HOST}\nContent-Length: 0\n\n`],
    ['a folded header', post('', 'X-A: b\r\n c', 'Content-Length: 0')],
    ['HTTP/1.0 with a coding', post('0\r\n\r\n', 'Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0')],
  ];
  for (const [what, bytes] of table) {
    t.equal((await sendRaw(stage.url, bytes)).status, 400, what);
  }
  t.strictSame(upstream.seen, []);
});

t.test('a body without a stated length is cut at the limit', async (t) => {
  let ended = 0;
  const upstream = await openUpstream((request) => {
    request.resume();
    request.on('end', () => ended++);
    request.on('error', () => {});
  });
  const stage = await openStage(upstream.url, { maxBody: 100_000 });
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const chunk = `c350\r\n${'a'.repeat(50_000)}\r\n`;
  const answer = await sendRaw(stage.url, post(`${chunk}${chunk}${chunk}0\r\n\r\n`, 'Transfer-Encoding: chunked'));
  t.equal(answer.status, 413);
  t.strictSame(stage.refused, ['body_too_large']);
  await until(() => upstream.sockets.size === 0);
  t.equal(ended, 0, 'the environment never saw its end');
});

t.test('Expect: 100-continue is answered here and goes no further', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const answer = await sendRaw(stage.url, post('abc', 'Expect: 100-continue', 'Content-Length: 3'));
  t.match(`${answer.head}${answer.body}`, /^HTTP\/1\.1 100 Continue[\s\S]*HTTP\/1\.1 200 OK/);
  t.match(upstream.seen, [{ body: 'abc' }]);
  t.notOk('expect' in (upstream.seen[0]?.headers ?? {}));
  t.equal((await sendRaw(stage.url, post('', 'Expect: a-miracle', 'Content-Length: 0'))).status, 417);
  t.equal(upstream.seen.length, 1);
});

t.test('an answer that comes before the body has ended is passed on, and the connection lives', async (t) => {
  const upstream = await openUpstream((_request, response) => response.writeHead(401).end('who?'));
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const size = 900_000;
  const big = `POST /form HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`;
  const next = `GET /next HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;
  const answer = await sendRaw(stage.url, `${big}${next}`);
  t.equal(`${answer.head}${answer.body}`.match(/HTTP\/1\.1 401 Unauthorized/g)?.length, 2);
});

t.test('a body that nobody wants any more is read to its end', async (t) => {
  const request = new PassThrough({ highWaterMark: 16 });
  const metered = meterBody(request as unknown as IncomingMessage, 1024);
  request.write('a'.repeat(64));
  metered.destroy();
  await once(metered, 'close');
  const ended = once(request, 'end');
  request.end('the rest');
  await turn();
  t.equal(request.readableFlowing, true);
  await ended;
});

t.test('100 kB go both ways intact, past a slow reader', async (t) => {
  const upstream = await openUpstream(async (request, response) => {
    const body = await bodyOf(request);
    response.writeHead(200, { 'x-hash': createHash('sha256').update(body).digest('hex') });
    response.end(Buffer.concat(Array.from({ length: 40 }, () => body)));
  });
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const sent = randomBytes(100_000);
  const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
  socket.pause();
  socket.write(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nContent-Length: ${sent.length}\r\n\r\n`);
  for (let at = 0; at < sent.length; at += 7_777) {
    socket.write(sent.subarray(at, at + 7_777));
    await turn();
  }
  const chunks: Buffer[] = [];
  const ended = once(socket, 'end');
  for (let times = 0; times < 200; times++) {
    const chunk: Buffer | null = socket.read();
    if (chunk) chunks.push(chunk);
    await turn();
  }
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await ended;
  const all = Buffer.concat(chunks);
  const text = all.toString('latin1');
  t.match(text, createHash('sha256').update(sent).digest('hex'), 'there');
  const start = text.indexOf('\r\n\r\n') + 4;
  t.match(text.slice(0, start), /transfer-encoding: chunked/i);
  const received = await (await fetch(`${stage.url}/`, { method: 'POST', body: sent })).arrayBuffer();
  const expected = createHash('sha256').update(Buffer.concat(Array.from({ length: 40 }, () => sent)));
  t.equal(createHash('sha256').update(Buffer.from(received)).digest('hex'), expected.digest('hex'), 'and back');
  t.ok(all.length > sent.length * 40);
});

t.test('the environment learns who asks, and no cookie of ours', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const lines = [
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Host: evil.test',
    'X_Forwarded_Proto: http',
    'Forwarded: for=10.0.0.1',
    'Cookie: a=b; __Host-wayhome-login.x=secret; c=d',
    'Cookie: __Host-wayhome-visit.x=secret',
    'Connection: X-Csrf-Token',
    'X-Csrf-Token: dropped',
    '__proto__: x',
  ];
  await sendRaw(
    stage.url,
    `GET /x HTTP/1.1\r\nHost: elsewhere.test\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`,
  );
  t.strictSame(upstream.seen[0]?.headers, {
    host: HOST,
    connection: 'keep-alive',
    cookie: 'a=b; c=d',
    forwarded: `for=198.51.100.7;host=${HOST};proto=https`,
    'x-forwarded-for': '198.51.100.7',
    'x-forwarded-host': HOST,
    'x-forwarded-proto': 'https',
  });
});

t.test('an answer is written as ours: status by number, no header of one connection, cookies confined', async (t) => {
  const upstream = await openUpstream((request, response) => {
    const status = Number(request.url?.slice(1));
    const trailing = status === 302;
    response.writeHead(status, 'Very <Good>', {
      'x-page': 'yes',
      'keep-alive': 'timeout=77',
      'alt-svc': 'h3=":443"',
      location: `${upstream.url}/next`,
      'set-cookie': ['a=b', 'c=d; Domain=login.acme.test', '__Host-wayhome-login.x=evil'],
      ...(trailing && { trailer: 'X-T', 'transfer-encoding': 'chunked' }),
    });
    if (trailing) response.addTrailers({ 'X-T': 'late' });
    response.end('page');
  });
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  const answer = await sendRaw(stage.url, `GET /302 HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
  t.match(answer.head, /^HTTP\/1\.1 302 Found\r\n/);
  t.equal(answer.location, `${ORIGIN}/next`);
  t.match(answer.head, /x-page: yes/);
  t.strictSame(answer.head.match(/^set-cookie: .*$/gim), ['set-cookie: a=b; Secure']);
  t.notMatch(`${answer.head}${answer.body}`, /alt-svc|timeout=77|trailer|X-T|late/i);
  for (const status of [204, 304]) {
    const bare = await sendRaw(stage.url, `GET /${status} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
    t.equal(bare.status, status);
    t.equal(bare.body, '');
  }
  const head = await sendRaw(stage.url, `HEAD /200 HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
  t.equal(head.status, 200);
  t.equal(head.body, '');
});

t.test('a redirect that is caught ends at its new place, without the environment’s body', async (t) => {
  const upstream = await openUpstream((request, response) => {
    const status = Number(new URL(request.url ?? '', 'http://x').searchParams.get('status') ?? 302);
    const location = request.url?.startsWith('/elsewhere')
      ? 'https://other.test/x'
      : 'https://portal.test/cb?access_token=t';
    response.writeHead(status, { location, 'set-cookie': 'session=1', 'x-powered-by': 'them' });
    response.end('Go to <a href="https://portal.test/cb?access_token=t">');
  });
  const asked: string[] = [];
  const stage = await openStage(
    upstream.url,
    {},
    {
      catchRedirect: (url) => {
        asked.push(url.href);
        if (url.hostname !== 'portal.test') return undefined;
        return {
          location: 'https://login.acme.test/return/globex?state=s',
          cookies: ['__Host-wayhome-caught=; Max-Age=0'],
        };
      },
    },
  );
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  for (const [method, status, ours] of [
    ['GET', 302, 302],
    ['POST', 302, 303],
    ['POST', 307, 303],
    ['GET', 308, 302],
  ]) {
    const length = method === 'POST' ? 'Content-Length: 0\r\n' : '';
    const target = `/sso/?status=${status}`;
    const answer = await sendRaw(
      stage.url,
      `${method} ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${length}Connection: close\r\n\r\n`,
    );
    t.equal(answer.status, ours);
    t.equal(answer.location, 'https://login.acme.test/return/globex?state=s');
    t.match(answer.head, /cache-control: no-store/i);
    t.match(answer.head, /referrer-policy: no-referrer/i);
    t.strictSame(answer.head.match(/^set-cookie: .*$/gim), [
      'set-cookie: session=1; Secure',
      'set-cookie: __Host-wayhome-caught=; Max-Age=0',
    ]);
    t.notMatch(`${answer.head}${answer.body}`, /access_token|x-powered-by/);
  }
  const other = await sendRaw(stage.url, `GET /elsewhere HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
  t.equal(other.location, 'https://other.test/x', 'one that is not passes');
  t.equal(asked.at(-1), 'https://other.test/x');
});

t.test('an https upstream is verified by its own name, whatever Host it is told', async (t) => {
  const server = createTlsServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (request, response) => {
    response.end(`${request.headers.host}`);
  });
  const upstream = await openServer(server);
  const url = upstream.url.replace('http:', 'https:');
  const trusting = await openStage(url, { ca: CERTIFICATE });
  const strict = await openStage(url);
  t.teardown(() => Promise.all([trusting.close(), strict.close(), upstream.close()]));
  t.equal(await (await fetch(`${trusting.url}/`)).text(), HOST);
  t.equal((await fetch(`${strict.url}/`)).status, 502);
  t.strictSame(strict.refused, ['environment_unavailable']);
});

t.test('a metadata address is dialled for nobody', async (t) => {
  for (const upstream of ['http://169.254.169.254', 'http://[fd00:ec2::254]', 'http://0.0.0.0']) {
    const stage = await openStage(upstream);
    t.equal((await fetch(`${stage.url}/latest/meta-data/`)).status, 502);
    t.strictSame(stage.details, ['address_refused']);
    await stage.close();
  }
});

t.test('a closed proxy refuses', async (t) => {
  const upstream = await openEcho();
  const stage = await openStage(upstream.url);
  await fetch(`${stage.url}/`);
  await stage.proxy.close();
  t.equal((await fetch(`${stage.url}/`)).status, 502);
  t.strictSame(stage.refused, ['environment_unavailable']);
  await until(() => upstream.sockets.size === 0);
  await stage.proxy.close();
  await Promise.all([stage.close(), upstream.close()]);
});
