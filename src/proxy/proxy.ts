/**
 * The contract of an environment whose own pages are reached through the router, on a host of their own. This room
 * owns what of a person's request reaches the environment and what of its answer reaches the browser, how many
 * requests may be under way, and what happens when either side misbehaves or leaves. It leaves to others which
 * requests are for this host, who the client is, and what a redirect to a portal means. Control leaves it as an answer
 * written to the response, or as a connection that has ended; nothing in it throws or rejects.
 *
 * Requests travel by undici, upgrades by http-proxy (docs/decisions/0005).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Reason } from '../core/reason.ts';
import { Exchange, type Ground } from './exchange.ts';
import { openGuard } from './guard.ts';
import { openLanes } from './lanes.ts';
import { METHODS, refuseRequest, refuseUpgrade } from './refusal.ts';
import { framingOf } from './request-body.ts';
import { namesHostTwice } from './request-headers.ts';
import type { ProxySettings } from './settings.ts';
import { readSite, type Site } from './site.ts';
import { refuseTarget } from './target.ts';
import { openUpgrades } from './upgrade.ts';

export type Proxy = {
  /** Answers the request, now or later. Its body must not have been read. */
  carry(request: IncomingMessage, response: ServerResponse, client: Client): void;
  /** The same for a server's `upgrade` event; only WebSockets are. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, client: Client): void;
  /** Ends what would go on for as long as it likes (upgraded connections), and leaves what comes to an end. */
  drain(): void;
  /** Ends everything that is under way; what comes afterwards is refused. */
  close(): Promise<void>;
};

/** Who asks, as the caller found out from the proxies that it trusts. */
export type Client = { readonly ip: string; readonly proto: 'http' | 'https' };

/** An answer in place of the environment's own redirect. `cookies` are `Set-Cookie` lines. */
export type Caught = { readonly location: string; readonly cookies?: readonly string[] };

/** An answer of the router's own. The proxy adds `content-length` and what every answer of ours carries. */
export type RefusalPage = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type ProxyHooks = {
  /** Asked about every redirect that leaves this host; `undefined` lets it pass. */
  catchRedirect(location: URL, request: IncomingMessage): Caught | undefined;
  /** Makes the page, and the one audit line. `detail` is for the operator. */
  refuse(reason: Reason, detail: string | undefined, request: IncomingMessage): RefusalPage;
  /** Milliseconds of a clock that is never set back; `performance.now` unless set. */
  now?: () => number;
};

/** Whether an `Upgrade` is one that `upgrade` takes; any other is best served as the plain request that it is, too. */
export const asksForWebSocket = ({ upgrade }: IncomingMessage['headers']): boolean =>
  upgrade?.toLowerCase() === 'websocket';

type Refused = { readonly reason: Reason; readonly detail?: string };

/** Throws a `TypeError` where an origin in the settings is none. Connects nothing before the first request. */
export function openProxy(settings: ProxySettings, hooks: ProxyHooks): Proxy {
  const site = readSite(settings);
  const lanes = openLanes(site);
  const guard = openGuard(hooks.now ?? (() => performance.now()), () => lanes.turnAwayAll('the breaker has opened'));
  const upgrades = openUpgrades(site, hooks, guard);
  const ground: Ground = { site, hooks, lanes, guard };

  return {
    carry(request, response, client) {
      const refused = refusedAtOnce(request, site) ?? refusedBody(request, site);
      if (refused) {
        refuseRequest(hooks, request, response, refused.reason, refused.detail);
        return;
      }
      const pass = guard.admit();
      if (pass) lanes.enter(new Exchange(ground, request, response, client, pass));
      else refuseRequest(hooks, request, response, 'environment_unavailable', guard.describe());
    },
    upgrade(request, socket, head, client) {
      const refused = refusedAtOnce(request, site) ?? refusedUpgrade(request, site);
      if (refused) refuseUpgrade(hooks, request, socket, refused.reason, refused.detail);
      else upgrades.open(request, socket, head, client);
    },
    drain: () => upgrades.destroy(),
    async close() {
      upgrades.destroy();
      await lanes.destroy();
    },
  };
}

/** What is refused whatever the environment would say, cheapest first. */
function refusedAtOnce(request: IncomingMessage, site: Site): Refused | undefined {
  const { method = '', url = '', headers } = request;
  if (!METHODS.has(method)) return { reason: 'method_not_allowed' };
  const reason = refuseTarget(url, site.paths);
  if (reason) return { reason, detail: 'request target' };
  if (namesHostTwice(request)) return { reason: 'request_malformed', detail: 'two Host headers' };
  // A worker would outlive the environment's pages and answer in their place (Service Workers §6.1).
  if (headers['service-worker'] !== undefined) return { reason: 'address_unknown', detail: 'a service worker' };
  return undefined;
}

function refusedBody(request: IncomingMessage, { maxBody }: Site): Refused | undefined {
  switch (framingOf(request)) {
    case 'malformed':
      return { reason: 'request_malformed', detail: 'the way its body is sent' };
    case 'length':
      return Number(request.headers['content-length']) > maxBody
        ? { reason: 'body_too_large', detail: 'longer than max_body' }
        : undefined;
    case 'chunked':
    case 'none':
      return undefined;
  }
}

/**
 * Browsers let every page open a WebSocket to every host, with that host's cookies, and say in `Origin` whose page it
 * is (RFC 6455 §10.2). The environment knows its host by another name and may not have looked, so we do: pages of this
 * host may, and so may what is no browser and sends none.
 */
function refusedUpgrade({ method, headers }: IncomingMessage, { origin }: Site): Refused | undefined {
  if (method !== 'GET') return { reason: 'method_not_allowed' };
  if (!asksForWebSocket(headers)) return { reason: 'request_malformed', detail: 'not a WebSocket' };
  if (headers.origin !== undefined && headers.origin !== origin) {
    return { reason: 'address_unknown', detail: 'a WebSocket for a page of another origin' };
  }
  return undefined;
}
