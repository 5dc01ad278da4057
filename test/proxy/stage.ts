import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import type { EnvironmentName } from '../../src/core/names.ts';
import { REASONS, type Reason } from '../../src/core/reason.ts';
import { type Proxy as OpenProxy, openProxy, type ProxyHooks } from '../../src/proxy/proxy.ts';
import type { ProxySettings } from '../../src/proxy/settings.ts';

/** Whose pages are carried in these tests. Browsers see `https://globex.login.acme.test`. */
export const HOST = 'globex.login.acme.test';
export const ORIGIN = `https://${HOST}`;
export const CLIENT = { ip: '198.51.100.7', proto: 'https' } as const;

export const settings = (upstream: string, more: Partial<ProxySettings> = {}): ProxySettings => ({
  environment: 'globex' as EnvironmentName,
  host: HOST,
  origin: ORIGIN,
  upstream,
  paths: ['/'],
  tells: 'host',
  maxBody: 1024 * 1024,
  timeout: 1,
  ...more,
});

export type Stage = {
  /** `http://127.0.0.1:…`: where browsers come in. */
  readonly url: string;
  readonly proxy: OpenProxy;
  /** Connections of browsers that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Reasons of what was refused, oldest first. */
  readonly refused: Reason[];
  readonly details: (string | undefined)[];
  close(): Promise<void>;
};

/** A server that hands everything to a proxy; refusals answer with their reason as body. */
export async function openStage(
  upstream: string,
  more: Partial<ProxySettings> = {},
  hooks: Partial<ProxyHooks> = {},
): Promise<Stage> {
  const refused: Reason[] = [];
  const details: (string | undefined)[] = [];
  const proxy = openProxy(settings(upstream, more), {
    catchRedirect: () => undefined,
    refuse: (reason, detail) => {
      refused.push(reason);
      details.push(detail);
      return { status: REASONS[reason].status, headers: { 'content-type': 'text/plain' }, body: reason };
    },
    ...hooks,
  });
  const front = createServer({ maxHeaderSize: 32_768 }, (request, response) => proxy.carry(request, response, CLIENT));
  front.on('upgrade', (request, socket, head) => proxy.upgrade(request, socket, head, CLIENT));
  front.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
  const { url, sockets } = await openServer(front);
  return {
    url,
    proxy,
    sockets,
    refused,
    details,
    close: async () => {
      await proxy.close();
      await end(front);
    },
  };
}

export type Upstream = {
  readonly url: string;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  readonly opened: () => number;
  close(): Promise<void>;
};

/** An environment's own HTTP server. */
export async function openUpstream(listener: RequestListener): Promise<Upstream & { readonly server: Server }> {
  const server = createServer(listener);
  return { ...(await openServer(server)), server };
}

/** An environment that writes bytes of its own: called with each connection. */
export const openRawUpstream = (onConnection: (socket: Socket) => void): Promise<Upstream> =>
  openServer(createNetServer(onConnection));

/** One that answers every request, whatever it is, with these bytes. */
export const answering = (...pieces: (string | Buffer)[]): Promise<Upstream> =>
  openRawUpstream((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      for (const piece of pieces) socket.write(piece);
    });
  });

export async function openServer(server: Server | NetServer): Promise<Upstream> {
  const sockets = new Set<Socket>();
  let opened = 0;
  server.on('connection', (socket: Socket) => {
    opened++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  const url = await listen(server);
  return {
    url,
    sockets,
    opened: () => opened,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return end(server);
    },
  };
}

/** Resolves once it holds, asked again on every turn of the event loop; rejects after three seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 3000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('it never held');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function listen(server: Server | NetServer): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

function end(server: Server | NetServer): Promise<void> {
  if ('closeAllConnections' in server) server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
