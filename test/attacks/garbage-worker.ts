/**
 * The hostile servers, in a thread of their own: what floods the router must not hold up those who measure it. Tells
 * their ports at the start, and what arrived whenever it is asked.
 */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { CERTIFICATE, CERTIFICATE_KEY } from '../outbound/loopback-certificate.ts';
import { KEYS, TOKENS } from './garbage-answers.ts';
import { KINDS } from './garbage-kinds.ts';
import { openGarbage } from './garbage-server.ts';
import { nonceIn, okJson } from './honest-provider.ts';

const plain = await openGarbage(({ at, kind, text }, socket) => {
  if (at === 'says') socket.write(okJson(TOKENS[kind]?.(nonceIn(text)) ?? ''));
  else if (at === 'kept') socket.write(KEYS[kind] ?? '');
  else KINDS[kind]?.speak(socket);
});
// Signed by nobody whom the router knows.
const tls = createServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (_, response) => response.end());
tls.on('tlsClientError', () => {});
await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));

parentPort?.postMessage({ port: plain.port, tlsPort: (tls.address() as AddressInfo).port });
parentPort?.on('message', () => parentPort?.postMessage(plain.arrived));
