import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ProxyServer, ProxyServerOptions } from 'http-proxy';
import type { CallEnd } from '../outbound/breaker.ts';
import { guardedLookup, mayDial } from './dial.ts';
import { readFailure } from './failure.ts';
import type { Guard } from './guard.ts';
import { IDLE_UPGRADE_MS, MAX_UPGRADES } from './limits.ts';
import type { Client, ProxyHooks } from './proxy.ts';
import { refuseUpgrade } from './refusal.ts';
import { rebuildHeaders } from './request-headers.ts';
import { answerCookies } from './response-headers.ts';
import type { Site } from './site.ts';

export type Upgrades = {
  /** Opens a WebSocket to the environment, for a request that may be passed on. Never throws. */
  open(request: IncomingMessage, socket: Duplex, head: Buffer, client: Client): void;
  /** Ends all of them. */
  destroy(): void;
};

/** What the environment says of its side of the handshake (RFC 6455 §4.2.2). */
const ANSWERED = ['sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions'] as const;

/**
 * WebSockets of one environment. http-proxy carries the bytes; what either side reads of the other's handshake is
 * rebuilt here, and a socket that ends takes its counterpart with it. http-proxy loads with the first of them.
 */
export function openUpgrades(site: Site, hooks: ProxyHooks, guard: Guard): Upgrades {
  const open = new Map<Duplex, Upgrade>();
  let carrier: Promise<ProxyServer> | undefined;

  async function openCarrier(): Promise<ProxyServer> {
    const { createProxyServer } = await import('http-proxy');
    const server = createProxyServer({ upgradeTimeout: site.timeoutMs });
    server.on('proxyReqWs', (asked, _request, socket) => open.get(socket)?.watch(asked));
    server.on('error', (error, _request, socket) => open.get(socket as Socket)?.fail(error));
    return server;
  }

  return {
    open(request, socket, head, client) {
      socket.on('error', () => socket.destroy());
      const pass = guard.admit();
      if (!pass) {
        refuseUpgrade(hooks, request, socket, 'environment_unavailable', guard.describe());
        return;
      }
      const upgrade = new Upgrade(site, hooks, request, socket, (end) => guard.settle(pass, end));
      if (open.size >= MAX_UPGRADES || !mayDial(site.upstream)) {
        upgrade.turnAway();
        return;
      }
      open.set(socket, upgrade);
      socket.once('close', () => {
        open.delete(socket);
        upgrade.end();
      });
      carrier ??= openCarrier();
      carrier
        .then(async (server) => {
          if (!socket.destroyed) await server.ws(outgoing(request, client, site), socket as Socket, target(site), head);
        })
        .catch((error: unknown) => upgrade.fail(error));
    },
    destroy() {
      for (const socket of open.keys()) socket.destroy();
    },
  };
}

class Upgrade {
  readonly #site: Site;
  readonly #hooks: ProxyHooks;
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  #settle: ((end: CallEnd) => void) | undefined;
  #asked: ClientRequest | undefined;
  #connected = false;
  #upstream: Duplex | undefined;
  #refused = false;
  /** Its person has left before the handshake was through; nothing else would notice. */
  readonly #leave = () => this.#socket.destroy();

  constructor(site: Site, hooks: ProxyHooks, request: IncomingMessage, socket: Duplex, settle: (end: CallEnd) => void) {
    this.#site = site;
    this.#hooks = hooks;
    this.#request = request;
    this.#socket = socket;
    this.#settle = settle;
    socket.once('end', this.#leave);
  }

  turnAway(): void {
    this.#settled('unknown');
    refuseUpgrade(this.#hooks, this.#request, this.#socket, 'environment_unavailable', 'no place for a WebSocket');
  }

  /** Sees the environment's answer before http-proxy repeats it. */
  watch(asked: ClientRequest): void {
    this.#asked = asked;
    asked.once('socket', (socket) => {
      socket.once(this.#site.upstream.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        this.#connected = true;
      });
    });
    asked.once('upgrade', (answer: IncomingMessage, upstream: Socket) => this.#begin(answer, upstream));
    asked.once('response', (answer: IncomingMessage) => {
      this.#settled('answered');
      answer.resume();
      this.#refuse('environment_error', `answered ${answer.statusCode} to a WebSocket`);
      asked.destroy();
    });
  }

  fail(error: unknown): void {
    const { reason, detail, end } = readFailure(error, this.#connected);
    this.#settled(end);
    this.#refuse(reason, detail);
  }

  /** The browser's side has closed. */
  end(): void {
    this.#settled('unknown');
    this.#asked?.destroy();
    this.#upstream?.destroy();
  }

  #begin(answer: IncomingMessage, upstream: Socket): void {
    this.#settled('answered');
    this.#upstream = upstream;
    if (answer.headers.upgrade?.toLowerCase() !== 'websocket') {
      this.#socket.destroy();
      return;
    }
    answer.headers = handshake(answer, this.#site);
    const socket = this.#socket as Socket;
    socket.off('end', this.#leave);
    socket.setTimeout(IDLE_UPGRADE_MS, () => socket.destroy());
    // What came before a regular end is still to be written.
    upstream.once('close', () => (upstream.readableEnded ? socket.destroySoon() : socket.destroy()));
  }

  /** Before the handshake is through there can be a page; afterwards both sockets end. */
  #refuse(reason: Parameters<ProxyHooks['refuse']>[0], detail: string): void {
    if (this.#refused) return;
    this.#refused = true;
    if (this.#upstream) this.#socket.destroy();
    else refuseUpgrade(this.#hooks, this.#request, this.#socket, reason, detail);
  }

  #settled(end: CallEnd): void {
    this.#settle?.(end);
    this.#settle = undefined;
  }
}

/** The browser's request as the environment reads it. http-proxy looks at nothing else of a request. */
function outgoing(request: IncomingMessage, client: Client, site: Site): IncomingMessage {
  const { url, httpVersionMajor, socket } = request;
  const headers: Record<string, string> = { connection: 'Upgrade', upgrade: 'websocket' };
  const rebuilt = rebuildHeaders(request, client, site, true);
  for (let index = 0; index < rebuilt.length; index += 2) headers[rebuilt[index] ?? ''] = rebuilt[index + 1] ?? '';
  return { method: 'GET', url, httpVersionMajor, headers, socket } as IncomingMessage;
}

/** A connection of its own for each, dialled as requests are. http-proxy writes into `ssl`. */
function target({ upstream: { protocol, hostname, port, servername, ca } }: Site): ProxyServerOptions {
  return {
    target: { protocol, hostname, host: hostname, port },
    agent: false,
    ssl: { lookup: guardedLookup, servername, ...(ca !== undefined && { ca }) },
  };
}

/** The headers of the 101 that the browser reads: the handshake's own, and cookies as its host may set them. */
function handshake({ headers }: IncomingMessage, site: Site): IncomingMessage['headers'] {
  const kept: IncomingMessage['headers'] = { connection: 'Upgrade', upgrade: 'websocket' };
  for (const name of ANSWERED) {
    const value = headers[name];
    if (typeof value === 'string') kept[name] = value;
  }
  const cookies = answerCookies(headers, site);
  if (cookies.length > 0) kept['set-cookie'] = cookies;
  return kept;
}
