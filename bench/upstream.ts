/**
 * The environment behind the proxies: a bare `node:http` server in the load's own process, so that it takes turns with
 * the load on the load's core, and nothing of it is charged to a proxy.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Bodies by path. */
export const PAGES = { '/1k': Buffer.alloc(1024, 'a'), '/100k': Buffer.alloc(100 * 1024, 'a') } as const;
export type Page = keyof typeof PAGES;

/** The host that browsers know it by, where a proxy cares. */
export const HOST = 'pages.acme.test';

export type Upstream = { readonly port: number; close(): void };

/** Answers `PAGES`, and echoes every byte of a connection that was upgraded. It never ends a connection by itself. */
export async function openUpstream(): Promise<Upstream> {
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const body = PAGES[request.url as Page];
    response.writeHead(body ? 200 : 404, { 'content-type': 'text/html', 'content-length': body?.length ?? 0 });
    response.end(body);
  });
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    );
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
