import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import { CERTIFICATE, CERTIFICATE_KEY } from './loopback-certificate.ts';

/** A server on loopback that closes with its test. */
export type LoopbackServer = { readonly port: number; readonly url: string; readonly connections: () => number };

export const serve = (t: Test, answer: RequestListener): Promise<LoopbackServer> =>
  listen(t, createServer(answer), 'http');

export const serveTls = (t: Test, answer: RequestListener): Promise<LoopbackServer> =>
  listen(t, createTlsServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, answer), 'https');

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
