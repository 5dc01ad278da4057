/**
 * A customer's own installation, made for being reached through the router: people, a session, a sign-out, and a login
 * page whose form stays shut until a word has come back over a WebSocket. How it answers is its manner.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { WebSocketServer } from 'ws';

export type InstallationOptions = {
  /** Where it listens. */
  readonly address: string;
  /** `0` for any. */
  readonly port: number;
  /** As browsers call it: its host at the router. Also its issuer, with a slash. */
  readonly origin: string;
  /** The router's origin. An integration with Pylon knows it for the way back from a sign-out only. */
  readonly router: string;
  /** The portal's return address with its `orgSlug`. */
  readonly callback: string;
  readonly secret: string;
  readonly email: string;
  /**
   * `handoff`: as the router asks it to. `pylon`: an integration with Pylon from before there was a router, which takes
   * no return address but the portal's. `stubborn_pylon`: one that goes to the portal whatever it was asked.
   */
  readonly manner: 'handoff' | 'pylon' | 'stubborn_pylon';
  /** Pages of its own, by path: each answers 200 with these headers. */
  readonly pages?: Readonly<Record<string, { readonly headers: Headers; readonly body: string }>>;
};

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** What it knows of a request: who it came from, and which cookies came along. */
export type Heard = { readonly from: string; readonly path: string; readonly cookies: readonly string[] };

export type Installation = {
  readonly port: number;
  close(): Promise<void>;
};

const SESSION = 'installation';
const PYLON = 'https://portal.usepylon.com';

export async function openInstallation(
  options: InstallationOptions,
  hear: (heard: Heard) => void,
): Promise<Installation> {
  const { address, port, router, email, pages = {} } = options;
  const sessions = new Set<string>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://installation');
    const signedIn = sessions.has(sessionOf(request) ?? '');
    const asked = new URLSearchParams(request.method === 'POST' ? await textOf(request) : url.searchParams);
    const leave = (to: string, headers: Headers = {}) => response.writeHead(303, { location: to, ...headers }).end();
    const page = (body: string, headers: Headers = {}) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(`<!doctype html>${body}`);

    switch (`${request.method} ${url.pathname}`) {
      case 'GET /app':
        return void page(`<title>App</title><h1>${signedIn ? `Hello, ${email}` : 'You are signed out'}</h1>`);
      case 'GET /sso/support': {
        if (!(await onward(options, asked))) return void response.writeHead(400).end('redirect_uri\n');
        return void (signedIn ? leave((await onward(options, asked)) ?? '') : page(loginPage(email, asked)));
      }
      case 'POST /login': {
        const to = await onward(options, asked);
        if (!to) return void response.writeHead(400).end('redirect_uri\n');
        const session = randomBytes(16).toString('base64url');
        sessions.add(session);
        return void leave(to, { 'set-cookie': `${SESSION}=${session}; Path=/; HttpOnly; SameSite=Lax` });
      }
      case 'GET /logout': {
        sessions.delete(sessionOf(request) ?? '');
        const to = asked.get('return_to') ?? '';
        return void leave(to.startsWith(`${router}/`) ? to : '/app', {
          'set-cookie': `${SESSION}=; Path=/; Max-Age=0`,
        });
      }
    }
    const own = pages[url.pathname];
    if (own) response.writeHead(200, own.headers as Record<string, string | string[]>).end(own.body);
    else response.writeHead(404).end('There is no such page.\n');
  }

  const server = createServer((request, response) => {
    hear(heardOf(request));
    void answer(request, response);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    hear(heardOf(request));
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (said) => client.send(`You said ${said}`));
    });
  });
  server.listen(port, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Where a person who is signed in goes; `undefined` where whoever asked may not have them. */
async function onward(options: InstallationOptions, asked: URLSearchParams): Promise<string | undefined> {
  const { manner, origin, router, callback, secret, email } = options;
  const wanted = asked.get('redirect_uri') ?? '';
  const iat = Math.floor(Date.now() / 1000);
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ iss: `${origin}/`, iat, email, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(Buffer.from(secret));

  if (manner === 'handoff') {
    if (!wanted.startsWith(`${router}/return/`)) return undefined;
    const token = await sign({ aud: `${router}/`, exp: iat + 60, jti: randomUUID(), nonce: asked.get('nonce') });
    return `${wanted}&access_token=${token}`;
  }
  if (manner === 'pylon' && wanted !== callback && !wanted.startsWith(`${callback}&`)) return undefined;
  const token = await sign({ aud: PYLON, exp: iat + 10 * 3600 });
  return `${manner === 'pylon' ? wanted : callback}&access_token=${token}`;
}

const loginPage = (email: string, asked: URLSearchParams): string => `<title>Sign in</title><h1>Sign in here</h1>
<p id="said">Nothing was said yet.</p>
<form method="post" action="/login">
${[...asked].map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`).join('\n')}
<button disabled>I am ${email}</button></form>
<script>
const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/live');
socket.onopen = () => socket.send('hello');
socket.onmessage = ({ data }) => {
  document.getElementById('said').textContent = data;
  document.querySelector('button').disabled = false;
};
</script>`;

const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

const cookiesOf = ({ headers }: IncomingMessage): string[][] =>
  (headers.cookie ?? '').split('; ').map((pair) => pair.split(/=(.*)/s));

const sessionOf = (request: IncomingMessage): string | undefined =>
  cookiesOf(request).find(([name]) => name === SESSION)?.[1];

const heardOf = (request: IncomingMessage): Heard => ({
  from: request.socket.remoteAddress ?? '',
  path: request.url?.split('?', 1)[0] ?? '',
  cookies: cookiesOf(request).flatMap(([name]) => (name ? [name] : [])),
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
