/** The few lines of HTTP that every party of the demo needs: a table of routes, forms, cookies, redirects. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export type Call = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly cookies: ReadonlyMap<string, string>;
  /** Fields of an urlencoded body; empty for GET. */
  readonly form: URLSearchParams;
};

export type Reply = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** `'GET /login'` → what answers it. */
export type RouteTable = Readonly<Record<string, (call: Call) => Reply | Promise<Reply>>>;

/** `origin` has no trailing slash; `close` drops open connections. */
export type Party = { readonly origin: string; close(): Promise<void> };

export type ServerOptions = {
  /** As browsers see it, without a trailing slash. `http://127.0.0.1:<port>` unless set. */
  readonly origin?: string;
  /** Gets every request whose path no route has; 404 unless set. */
  readonly otherwise?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Gets requests for another protocol: WebSockets. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
};

/** Largest form that is read, in bytes. */
const BODY_LIMIT = 64 * 1024;

/** Listens on 127.0.0.1 only. Rejects when the port is taken. */
export async function openServer(port: number, routes: RouteTable, options: ServerOptions = {}): Promise<Party> {
  const { origin = `http://127.0.0.1:${port}`, otherwise, upgrade } = options;
  const paths = new Set(Object.keys(routes).map((route) => route.slice(route.indexOf(' ') + 1)));
  const server = createServer((request, response) => {
    const [path = ''] = request.url?.split('?', 1) ?? [];
    const served =
      otherwise && !paths.has(path)
        ? otherwise(request, response)
        : answer(request, origin, routes).then((reply) => send(response, reply));
    served.catch((error: unknown) => send(response, { status: 500, body: `The demo has a bug: ${String(error)}\n` }));
  });
  if (upgrade) server.on('upgrade', upgrade);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Writes a reply; a connection on which something else was begun is cut. */
export function send(response: ServerResponse, reply: Reply): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(reply.status, {
    'cache-control': 'no-store',
    'content-type': 'text/plain; charset=utf-8',
    'referrer-policy': 'strict-origin-when-cross-origin',
    'x-content-type-options': 'nosniff',
    ...reply.headers,
  });
  response.end(reply.body ?? '');
}

async function answer(request: IncomingMessage, origin: string, routes: RouteTable): Promise<Reply> {
  const method = request.method ?? 'GET';
  const target = request.url ?? '/';
  if (!target.startsWith('/') || !URL.canParse(origin + target)) return { status: 400, body: 'Bad request.\n' };
  const url = new URL(origin + target);
  const handler = Object.hasOwn(routes, `${method} ${url.pathname}`) ? routes[`${method} ${url.pathname}`] : undefined;
  if (!handler) return { status: 404, body: 'There is no such page.\n' };
  const form = method === 'POST' ? await readForm(request) : new URLSearchParams();
  if (form === undefined) return { status: 413, body: 'That is too much.\n' };
  const { headers } = request;
  return handler({ method, url, headers, cookies: readCookies(headers.cookie), form });
}

/** The fields of an urlencoded body; `undefined` when it is longer than 64 KiB. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

function readCookies(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0) cookies.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
  }
  return cookies;
}

/** 303, so that a form's answer is fetched with GET. The next page does not learn this one's address. */
export const redirect = (url: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status: 303,
  headers: { location: url, 'referrer-policy': 'no-referrer', ...headers },
});

/** Whether a form came from a page of this very origin; browsers send `Origin` with every POST (Fetch §3.2). */
export const sameOrigin = (call: Call): boolean =>
  call.headers.origin === undefined || call.headers.origin === call.url.origin;
