import type { Dispatcher } from 'undici';
import type { Connection, Connections } from './connections.ts';
import { isLostConnection } from './fault.ts';
import { type OutboundAnswer, OutboundError, type OutboundRequest } from './outbound.ts';
import { ACCEPTED_CODINGS, readBody } from './read-body.ts';

type Head = Dispatcher.ResponseData;

/** Interim answers (1xx, RFC 9110 §15.2) before the answer itself. No other limit counts them. */
const MAX_INTERIM_ANSWERS = 8;

/**
 * Request → complete answer. Only what can be asked again goes over a connection that was used before: its server
 * may be closing it at this very moment, and what is lost is then sent once more over a fresh one (RFC 9112 §9.3.1).
 * Throws `OutboundError`, or what undici and the streams throw.
 */
export async function exchange(
  connections: Connections,
  target: URL,
  request: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  const { repeatable = request.method !== 'POST' } = request;
  let connection = connections.take(target.origin, !repeatable);
  try {
    const send = () => sendOver(connection, target, request, signal);
    const head = await send().catch((error: unknown) => {
      if (!connection.usedBefore || !isLostConnection(error)) throw error;
      connection.end();
      connection = connections.take(target.origin, true);
      return send();
    });
    const answer = await receive(head, target.host, signal);
    connection.keep();
    return answer;
  } catch (error) {
    connection.end();
    throw error;
  }
}

async function sendOver(
  { dispatcher }: Connection,
  target: URL,
  { method = 'GET', headers = {}, body }: OutboundRequest,
  signal: AbortSignal,
): Promise<Head> {
  const { host: _, ...theirs } = headers;
  const sent = typeof body === 'function' ? await body() : body;
  let interim = 0;
  const asked = dispatcher.request({
    origin: target.origin,
    path: target.pathname + target.search,
    method,
    headers: { ...theirs, 'accept-encoding': ACCEPTED_CODINGS, 'user-agent': 'wayhome' },
    ...(sent !== undefined && { body: sent }),
    signal,
    onInfo() {
      if (++interim > MAX_INTERIM_ANSWERS) throw new OutboundError('too_large', `${target.host}: interim answers`);
    },
  });
  // undici looks at the signal only once it is connected.
  const head = await Promise.race([asked, rejectionOf(signal)]);
  // A body that is thrown away emits an error of its own, which nobody else would hear.
  head.body.on('error', () => {});
  return head;
}

async function receive(
  { statusCode: status, headers, body }: Head,
  host: string,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  if (status >= 300 && status < 400) throw new OutboundError('redirect', `${host} answered ${status}`);
  const texts = textsOf(headers);
  return { status, headers: texts, body: await readBody(body, texts['content-encoding'] ?? '', signal) };
}

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

/** Without a prototype: a server may call a header `constructor` or `__proto__`, or leave it out. */
function textsOf(headers: Head['headers']): Readonly<Record<string, string>> {
  const texts: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) texts[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return texts;
}
