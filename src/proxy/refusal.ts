import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Reason } from '../core/reason.ts';
import type { ProxyHooks } from './proxy.ts';
import { framingOf } from './request-body.ts';

/** What may be asked for; CONNECT and TRACE would show or open what is behind the router. */
export const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** On every answer of our own (OWASP ASVS 5.0 §3.4). */
export const OUR_OWN = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Answers a request that is not passed on, or whose environment gave no answer; ends one whose answer has begun. */
export function refuseRequest(
  hooks: ProxyHooks,
  request: IncomingMessage,
  response: ServerResponse,
  reason: Reason,
  detail?: string,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  try {
    const { status, head, body } = describe(hooks, request, reason, detail);
    // A body that nobody reads would stand before the next request.
    if (!request.complete && framingOf(request) !== 'none') head.connection = 'close';
    response.writeHead(status, STATUS_CODES[status], head).end(body);
    request.resume();
  } catch {
    response.destroy();
  }
}

/** The same where there is a socket only: the connection ends with the answer. */
export function refuseUpgrade(
  hooks: ProxyHooks,
  request: IncomingMessage,
  socket: Duplex,
  reason: Reason,
  detail?: string,
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  try {
    const { status, head, body } = describe(hooks, request, reason, detail);
    const lines = Object.entries({ ...head, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
    socket.once('finish', () => socket.destroy());
  } catch {
    socket.destroy();
  }
}

function describe(hooks: ProxyHooks, request: IncomingMessage, reason: Reason, detail: string | undefined) {
  const { status, headers, body } = hooks.refuse(reason, detail, request);
  const head: OutgoingHttpHeaders = { ...OUR_OWN, ...headers, 'content-length': Buffer.byteLength(body) };
  if (reason === 'method_not_allowed') head.allow = [...METHODS].join(', ');
  return { status, head, body };
}
