/**
 * The public listener: raw request in, answer out. Fastify carries bodies, limits and `inject()`; what is
 * served where is decided here, on the raw path, because a router that decodes or normalises would route
 * another address than the one that was sent.
 */
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import { asksForWebSocket } from '../proxy/proxy.ts';
import { type Address, EXCHANGE, findAddress, METHODS } from './addresses.ts';
import { type Answer, metadata, NOTHING_DONE } from './answer.ts';
import { backchannelLogout } from './backchannel-logout.ts';
import { onlyLooks, readCall } from './call.ts';
import { endSession } from './end-session.ts';
import { enter } from './enter.ts';
import { exchange } from './exchange.ts';
import { preflight, readerOf } from './exchange-answer.ts';
import type { Live, Surface } from './live.ts';
import { acknowledgeFeed, readFeed } from './logout-feed.ts';
import { continueSignOut, finishLeg } from './logout-legs.ts';
import { frameFor } from './pages/layout.ts';
import { proxiedAt, serveProxied, upgradeProxied } from './proxied.ts';
import { FOR_SCRIPTS, refuse } from './refuse.ts';
import { authorize, resume, token, userinfo } from './relying-parties.ts';
import { finishLogin } from './return.ts';
import { signOut } from './sign-out.ts';
import { startLogin } from './start.ts';
import type { Trace, Turn } from './turn.ts';

/**
 * The largest form that is read (a token is at most 16 KiB), the same at a return address (a SAML Response, encrypted,
 * in base64), and the largest set of request headers. Bytes.
 */
const MAX_BODY = 65_536;
const MAX_ANSWER = 524_288;
const MAX_HEADERS = 32_768;

/** Where environments' answers arrive. */
const ANSWERS = '/return/';

/** How long a client may take over its headers and over its whole request. Milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** How long a connection may stay without a request. Milliseconds. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** Status lines for what the HTTP parser gave up on, by its code. */
const UNREADABLE = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** On every answer (OWASP ASVS 5.0 §3.4): an address may hold a token, and no answer may be kept or framed. */
const ALWAYS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

export function openApp(surface: Surface): FastifyInstance {
  // A client that keeps its connection would hold up the end by as long as it likes.
  let closing = false;
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY,
    serverFactory: (handle) => openServer(surface, handle, () => closing),
    // The framework's own routing sees two addresses only.
    rewriteUrl: ({ url }) => (url?.startsWith(ANSWERS) ? ANSWERS : '/'),
    clientErrorHandler: ({ code }, socket) => {
      if (!socket.writable) return;
      const line = Object.hasOwn(UNREADABLE, code) ? UNREADABLE[code as keyof typeof UNREADABLE] : '400 Bad Request';
      socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      // Who only opens a connection and says nothing has asked for nothing.
      if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return;
      const reason = code === 'HPE_HEADER_OVERFLOW' ? 'header_too_large' : 'request_malformed';
      surface.audit.record({ event: 'request.refused', reason, detail: 'not readable as HTTP' });
    },
  });
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );

  const serve = async (request: FastifyRequest, reply: FastifyReply) =>
    write(reply.hijack().raw, await answer(surface, request), closing);
  app.all('/', serve);
  app.all(ANSWERS, { bodyLimit: MAX_ANSWER }, serve);
  app.setNotFoundHandler(serve);
  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    const reason = { 413: 'body_too_large', 415: 'media_type_not_supported', 400: 'request_malformed' } as const;
    const known = Object.hasOwn(reason, error.statusCode ?? 0)
      ? reason[error.statusCode as keyof typeof reason]
      : undefined;
    const refused = finish(surface, surface.live(), request, known ? new Refusal(known) : error, {});
    write(reply.hijack().raw, refused, closing);
  });
  return app;
}

/** Requests to the hosts of environments leave before anything of the surface looks at them, their bodies unread. */
function openServer(surface: Surface, handle: RequestListener, closing: () => boolean): Server {
  const limits = {
    maxHeaderSize: MAX_HEADERS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 2_000,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Elsewhere an upgrade that is asked for is none, and the request is served as it is (RFC 9110 §7.8).
    shouldUpgradeCallback: (request: IncomingMessage) =>
      asksForWebSocket(request.headers) && proxiedAt(surface.live(), request) !== undefined,
  };
  const server = createServer(limits, (request, response) => {
    const proxied = proxiedAt(surface.live(), request);
    if (proxied) serveProxied(surface, proxied, request, response, (answer) => write(response, answer, closing()));
    else handle(request, response);
  });
  return server.on('upgrade', (request, socket, head) => upgradeProxied(surface, request, socket, head));
}

async function answer(surface: Surface, request: FastifyRequest): Promise<Answer> {
  const live = surface.live();
  const trace: Trace = {};
  let at: Address['at'] | undefined;
  try {
    const call = readCall(request.raw, request.originalUrl, request.body, live.trustedProxies);
    const address = findAddress(live.addresses, call.path);
    if (!address) throw new Refusal('address_unknown');
    at = address.at;
    const methods = METHODS[at];
    if (call.method === 'OPTIONS' && at === 'exchange') return preflight(live, call.header('origin'));
    const turn = { surface, live, call, now: surface.clock(), trace };
    if (call.method === 'OPTIONS' && (at === 'token' || at === 'userinfo')) return await act(address, turn);
    if (call.method === 'OPTIONS')
      return { status: 204, headers: { allow: ['OPTIONS', 'HEAD', ...methods].join(', ') } };
    if (call.method !== 'HEAD' && !methods.includes(call.method)) {
      return withHeader(
        finish(surface, live, request, new Refusal('method_not_allowed'), trace, at),
        'allow',
        methods.join(', '),
      );
    }
    if (at === 'metadata') return metadata(live.metadata);
    if (at === 'jwks') return metadata(await live.jwks());
    if (address.at === 'description') return describe(live, address.environment);
    if (onlyLooks(call, FOR_SCRIPTS.has(at))) return NOTHING_DONE;
    const wait = live.rateLimit?.take(call.clientIp, Date.now()) ?? 0;
    if (wait > 0) {
      return withHeader(
        finish(surface, live, request, new Refusal('rate_limited'), trace, at),
        'retry-after',
        String(wait),
      );
    }
    return await act(address, turn);
  } catch (error) {
    return finish(surface, live, request, error, trace, at);
  }
}

function act(address: Address, turn: Turn): Answer | Promise<Answer> {
  switch (address.at) {
    case 'login':
      return startLogin(turn, address.portal);
    case 'return':
      return finishLogin(turn, address.environment);
    case 'backchannel_logout':
      return backchannelLogout(turn, address.environment);
    case 'feed':
      return readFeed(turn, address.environment);
    case 'feed_ack':
      return acknowledgeFeed(turn, address.environment);
    case 'enter':
      return enter(turn, address.environment, address.portal);
    case 'exchange':
      return exchange(turn);
    case 'authorize':
      return authorize(turn);
    case 'resume':
      return resume(turn, address.uid);
    case 'token':
      return token(turn);
    case 'userinfo':
      return userinfo(turn);
    case 'end_session':
      return endSession(turn);
    case 'logout':
      return signOut(turn, address.portal);
    case 'logout_run':
      return continueSignOut(turn, address.run);
    case 'logout_return':
      return finishLeg(turn, address.environment);
    case 'metadata':
    case 'jwks':
    case 'description':
      throw new Error(`${address.at} does not act`);
  }
}

/** What an environment's administrator reads about this router. */
function describe({ delegates }: Live, name: EnvironmentName): Answer {
  const description = delegates.get(name)?.describe?.();
  if (!description) throw new Refusal('address_unknown', `environment ${name} has nothing to read`);
  return metadata(description.body, description.contentType);
}

function finish(
  surface: Surface,
  live: Live,
  request: FastifyRequest,
  error: unknown,
  trace: Trace,
  at?: Address['at'],
): Answer {
  // What cannot be read is still answered as its address answers.
  const [path = ''] = request.originalUrl.split('?', 1);
  const place = at ?? (path === EXCHANGE ? 'exchange' : live.addresses.get(path)?.at);
  if (place === 'exchange') trace.allowOrigin = readerOf(live, request.headers.origin, trace.environment);
  const refused = refuse(surface, live, frameFor(live, request.headers['accept-language']), error, trace, place);
  return leavesUnread(request) ? withHeader(refused, 'connection', 'close') : refused;
}

/** A body that nobody will read would stand before the next request on this connection. */
const leavesUnread = ({ raw: { complete, headers } }: FastifyRequest): boolean =>
  !complete && (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0');

const withHeader = (answer: Answer, name: string, value: string): Answer => ({
  ...answer,
  headers: { ...answer.headers, [name]: value },
});

/** One head, written as it is: nothing between here and the socket has a say in it any more. */
function write(response: ServerResponse, { status, headers, cookies, body = '' }: Answer, closing: boolean): void {
  const head: OutgoingHttpHeaders = { ...ALWAYS, ...headers };
  if (status !== 204) head['content-length'] = Buffer.byteLength(body);
  if (cookies && cookies.length > 0) head['set-cookie'] = cookies as string[];
  if (closing) head.connection = 'close';
  response.writeHead(status, head).end(body);
}
