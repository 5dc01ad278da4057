/** Cases 8, 9 and 11, and people who leave: an environment behind the router, through a process of its own. */

import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openServer, type Upstream, until } from '../proxy/stage.ts';
import type { Serving } from '../support/process.ts';
import { sendRaw } from '../support/raw.ts';
import { changedRoutes, LOGIN, portalToken, SECRETS, temporaryFolder } from '../support/world.ts';
import { startAttackedServe } from './attack-world.ts';
import { ISSUER, idTokenClaims, nonceIn, PUBLIC_KEY, signEs256, tokenAnswer } from './honest-provider.ts';

const HOST = 'behind.login.acme.test';

type Heard = { readonly line: string; readonly headers: readonly string[]; readonly body: string };

type Stage = {
  readonly serving: Serving;
  readonly upstream: Upstream;
  /** Every request that reached the environment, in whichever of its roles. */
  readonly heard: Heard[];
};

/** One server that is the environment's pages, its session endpoint and its provider, and remembers all it is told. */
async function openStage(t: Test): Promise<Stage> {
  const heard: Heard[] = [];
  const upstream = await openServer(
    createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
      });
      request.on('error', () => {});
      request.on('end', () => {
        heard.push({ line: `${request.method} ${request.url}`, headers: request.rawHeaders, body });
        answer(request, response, body);
      });
      if (request.url === '/upload') request.resume();
    }),
  );
  t.teardown(() => upstream.close());
  const entry = (login: object, more = {}) => ({
    app_url: 'https://app.acme.test/',
    may_assert: { email_domains: 'any' },
    login: { ...login, allow_private: true },
    ...more,
  });
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(
    file,
    changedRoutes(({ environments }) => {
      Object.assign(environments, {
        behind: entry(
          {
            protocol: 'session',
            url: `https://${HOST}/login`,
            session_url: `${upstream.url}/session`,
            cookies: ['sid'],
          },
          { proxy: { host: HOST, upstream: upstream.url, paths: ['/'] } },
        ),
        provider: entry({
          protocol: 'oidc',
          issuer: ISSUER,
          client_id: 'wayhome',
          endpoints: {
            authorization: `${ISSUER}/authorize`,
            token: `${upstream.url}/token`,
            jwks: `${upstream.url}/keys`,
          },
          iss_parameter: 'not_sent',
          algorithms: ['ES256'],
        }),
      });
    }),
  );
  return { serving: await startAttackedServe(t, file), upstream, heard };
}

function answer({ url }: IncomingMessage, response: ServerResponse, body: string): void {
  switch (url) {
    case '/session':
      response.end('{"email":"ada@acme.test"}');
      break;
    case '/token':
      response.end(tokenAnswer(signEs256(idTokenClaims(nonceIn(`\r\n\r\n${body}`)))));
      break;
    case '/keys':
      response.end(JSON.stringify({ keys: [PUBLIC_KEY] }));
      break;
    case '/never':
      break;
    case '/begun':
      response.writeHead(200, { 'content-length': 1_000_000 }).write('x');
      break;
    default:
      response.end(`page ${url}`);
  }
}

/** Sends this much of a request and hangs up once `when` holds. */
async function leave({ localUrl }: Serving, bytes: string, when: () => boolean): Promise<void> {
  const { hostname, port } = new URL(localUrl);
  const socket = connect(Number(port), hostname).on('error', () => {});
  socket.write(bytes);
  await until(when);
  socket.destroy();
}

const page = ({ localUrl }: Serving, path: string) =>
  sendRaw(localUrl, `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);

t.test('300 people who leave a page behind the router leave no connection to it', async (t) => {
  const { serving, upstream, heard } = await openStage(t);
  const head = (line: string, ...lines: string[]) => `${[line, `Host: ${HOST}`, ...lines].join('\r\n')}\r\n\r\n`;
  const ways: Readonly<Record<string, string>> = {
    'before the answer': head('GET /never HTTP/1.1'),
    'in the middle of it': head('GET /begun HTTP/1.1'),
    'while uploading': `${head('POST /upload HTTP/1.1', 'Content-Length: 1000')}x`,
  };
  for (const [what, bytes] of Object.entries(ways)) {
    const opened = upstream.opened();
    const before = heard.length;
    await Promise.all(
      Array.from({ length: 100 }, () =>
        // All of them are under way at the same time.
        leave(
          serving,
          bytes,
          () => upstream.sockets.size >= 100 && (bytes.endsWith('x') || heard.length >= before + 100),
        ),
      ),
    );
    t.ok(upstream.opened() >= opened + 100, `${what}: each had a connection`);
    await until(() => upstream.sockets.size === 0);
    t.pass(`${what}: none is left`);
  }
  t.match(await page(serving, '/next'), { status: 200, body: 'page /next' });
});

t.test('case 9: what is one request to the router is one request to the environment, or none', async (t) => {
  const { serving, heard } = await openStage(t);
  const second = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const chunked = `${second.length.toString(16)}\r\n${second}\r\n0\r\n\r\n`;
  const length = `Content-Length: ${second.length}`;
  const rows: readonly (readonly [line: string, headers: readonly string[], body: string, passes: boolean])[] = [
    ['DELETE /one', ['Transfer-Encoding: chunked'], chunked, true],
    ['OPTIONS /one', ['Transfer-Encoding: chunked'], chunked, true],
    ['PATCH /one', ['Transfer-Encoding: chunked'], chunked, true],
    ['DELETE /one', [length], second, true],
    ['GET /one', ['Transfer-Encoding: chunked'], chunked, false],
    ['HEAD /one', [length], second, false],
    ['POST /one', [length, 'Transfer-Encoding: chunked'], chunked, false],
    ['POST /one', ['Transfer-Encoding: chunked', length], chunked, false],
    ['POST /one', [length, 'Content-Length: 0'], second, false],
    ['POST /one', ['Transfer-Encoding: chunked, identity'], chunked, false],
    ['POST /one', ['Transfer-Encoding: xchunked'], chunked, false],
    ['POST /one', ['Transfer-Encoding : chunked'], chunked, false],
    ['POST /one', ['Transfer-Encoding:\n chunked', length], chunked, false],
    ['POST /one', [`${length}\nX: y`], second, false],
    ['TRACE /one', [length], second, false],
    ['CONNECT /one', [length], second, false],
  ];
  for (const [line, headers, body, passes] of rows) {
    const before = heard.length;
    const what = `${line} ${JSON.stringify(headers)}`;
    const lines = [`${line} HTTP/1.1`, `Host: ${HOST}`, 'Connection: close', ...headers];
    const { status } = await sendRaw(serving.localUrl, `${lines.join('\r\n')}\r\n\r\n${body}`);
    t.ok(passes ? status === 200 : status >= 400 || status === 0, `${what}: ${status}`);
    const arrived = heard.slice(before);
    t.same(
      arrived.map((one) => [one.line, one.body]),
      passes ? [[line, second]] : [],
      what,
    );
    t.match(await page(serving, '/next'), { status: 200, body: 'page /next' }, 'the next request has its own answer');
  }
});

t.test('case 8: whatever a client sends to a proxied host, the same process serves the next login', async (t) => {
  const { serving } = await openStage(t);
  const many = Array.from({ length: 200 }, (_, index) => `X-${index}: y`);
  const rows: readonly (readonly [line: string, ...headers: string[]])[] = [
    ['GET / HTTP/1.1', 'Trailer: x'],
    ['POST / HTTP/1.1', 'Trailer: x', 'Transfer-Encoding: chunked'],
    ['GET http://[::bad/ HTTP/1.1'],
    ['GET http://evil.test/ HTTP/1.1'],
    ['GET //evil.test/ HTTP/1.1'],
    ['GET /%2e%2e/%00 HTTP/1.1'],
    ['GET /\\..\\ HTTP/1.1'],
    ['GET / HTTP/1.1', '__proto__: x', 'constructor: y', 'hasOwnProperty: z'],
    ['GET / HTTP/1.1', ...many],
    ['GET / HTTP/1.1', `X: ${'x'.repeat(40_000)}`],
    [`GET /${'x'.repeat(20_000)} HTTP/1.1`],
    ['GET / HTTP/1.1', 'Expect: 200-maybe'],
    ['POST / HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 0'],
    ['GET / HTTP/1.1', 'Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABk'],
    ['GET / HTTP/1.1', 'Upgrade: websocket', 'Connection: Upgrade'],
    ['GET / HTTP/1.1', 'Connection: close, host, cookie'],
    ['GET / HTTP/9.9'],
    ['\x16\x03\x01\x02\x00'],
  ];
  for (const [line, ...headers] of rows) {
    const bytes = `${[line, `Host: ${HOST}`, ...headers].join('\r\n')}\r\n\r\n`;
    const { hostname, port } = new URL(serving.localUrl);
    // Some of these have no end that the other side could see.
    const socket = connect(Number(port), hostname).on('error', () => {});
    const status = await new Promise<number>((resolve) => {
      socket.once('data', (head) => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(head.toString('latin1'))?.[1] ?? 0)));
      socket.once('close', () => resolve(0));
      socket.write(bytes, 'latin1');
    });
    socket.destroy();
    t.ok(
      (status >= 100 && status < 500) || status === 502,
      `${JSON.stringify([line, headers[0]]).slice(0, 60)}: ${status}`,
    );
  }
  t.match(await page(serving, '/next'), { status: 200 });
  t.equal((await serving.browser().get(`${LOGIN}&env=us`)).status, 302);
  t.equal(serving.process.exitCode, null);
});

t.test(
  'case 11: nothing that is the router’s reaches an environment: not by a page, a session or a provider',
  async (t) => {
    const { serving, heard } = await openStage(t);
    const browser = serving.browser();
    browser.jar.set('sid', { value: 'ada', sameSite: 'Lax', attributes: '' });
    t.not(portalToken(await browser.get(`${LOGIN}&env=behind`)), '', 'signed in by the session');
    const { location } = await browser.get(`${LOGIN}&env=provider`);
    const { searchParams } = new URL(location);
    const back = `/return/provider?state=${searchParams.get('state')}&code=${searchParams.get('nonce')}`;
    t.not(portalToken(await browser.get(back)), '', 'signed in by the provider');
    await browser.get(`${LOGIN}&env=us`);

    const held = [...browser.jar].filter(([name]) => name.startsWith('__Host-wayhome-'));
    t.ok(held.length >= 4, 'the browser holds logins and visits');
    // A browser sends these to their own host only; here they come to the environment's.
    const ours = held.map(([name, { value }]) => `${name}=${value}`);
    const odd = ['__HOST-WAYHOME-login.x=secret-1', ' __Host-wayhome-caught=secret-2', '__Host-wayhome-=secret-3'];
    const cookies = ['sid=ada', ...ours, ...odd, 'theme=dark'];
    const lines = [`Host: ${HOST}`, 'Connection: close', `Cookie: ${cookies.join('; ')}`, `Cookie: ${ours.join(';')}`];
    for (const line of ['GET /page', 'POST /form', 'OPTIONS /form']) {
      const { status } = await sendRaw(serving.localUrl, `${line} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      t.equal(status, 200);
    }
    const pages = heard.filter(({ line }) => line.endsWith('/page') || line.endsWith('/form'));
    t.equal(pages.length, 3);
    for (const { headers } of pages) {
      t.equal(headers[headers.findIndex((name) => name.toLowerCase() === 'cookie') + 1], 'sid=ada; theme=dark');
    }

    const all = JSON.stringify(heard);
    t.notMatch(all, /__host-wayhome/i);
    const secrets = [
      ...Object.values(SECRETS),
      ...held.flatMap(([, { value }]) => [value, value.split('.', 1)[0] ?? '']),
    ];
    for (const secret of [...secrets, 'secret-1', 'secret-2', 'secret-3']) t.notOk(all.includes(secret));
    for (const coding of ['hex', 'base64', 'base64url'] as const) {
      for (const secret of Object.values(SECRETS)) t.notOk(all.includes(Buffer.from(secret).toString(coding)));
    }
  },
);
