import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import { CERTIFICATE, CERTIFICATE_KEY } from './loopback-certificate.ts';

/** A server on loopback that closes with its test. */
export type LoopbackServer = { readonly port: number; readonly url: string; readonly connections: () => number };

/** A proxy for CONNECT (RFC 9110 §9.3.6); `tunnel` decides what becomes of a request for it. */
export type Connect = (request: IncomingMessage, client: Socket) => void;

export const serveConnect = (t: Test, tunnel: Connect): Promise<LoopbackServer> => {
  const server = createServer((_, response) => response.writeHead(418).end());
  server.on('connect', (request, client) =>
    tunnel(
      request,
      (client as Socket).on('error', () => {}),
    ),
  );
  return listen(t, server, 'http');
};

export const serve = (t: Test, answer: RequestListener): Promise<LoopbackServer> =>
  listen(t, createServer(answer), 'http');

export const serveTls = (
  t: Test,
  answer: RequestListener,
  options: ServerOptions = { cert: CERTIFICATE, key: CERTIFICATE_KEY },
): Promise<LoopbackServer> => listen(t, createTlsServer(options, answer), 'https');

/** Answers in bytes of the test's own making. */
export const serveBytes = (t: Test, speak: (socket: Socket) => void): Promise<LoopbackServer> =>
  listen(
    t,
    createTcpServer((socket) => speak(socket.on('error', () => {}))),
    'http',
  );

function listen(t: Test, server: Server, scheme: string): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket.on('error', () => {}));
  });
  server.on('tlsClientError', () => {});
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({ port, url: `${scheme}://127.0.0.1:${port}/`, connections: () => connections });
    });
  });
}
