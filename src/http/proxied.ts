/**
 * Hosts of environments whose pages are reached through the router. Nothing of the router's own origin is served
 * there, and none of these hosts' pages here. One address on them is ours: `/.wayhome/login`, where a login passes on
 * its way to the environment, so that the browser can say whose login it is should the environment end it with a
 * redirect to the portal.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { EnvironmentName } from '../core/names.ts';
import { type Reason, Refusal } from '../core/reason.ts';
import type { Proxy as HostProxy, ProxyHooks } from '../proxy/proxy.ts';
import { type Answer, appendParam, redirect } from './answer.ts';
import { type Call, clientOf, onlyLooks, readCall } from './call.ts';
import { caughtState, clearCaughtCookie, setCaughtCookie } from './cookies.ts';
import { ENTRANCE, readEntrance } from './entrance.ts';
import type { Live, Surface } from './live.ts';
import { frameFor } from './pages/layout.ts';
import { refuse } from './refuse.ts';

export type LiveProxy = { readonly environment: EnvironmentName; readonly proxy: HostProxy };

/** The environment whose host a request names; `undefined` for the router's own, and for every other. */
export function proxiedAt({ proxied, trustedProxies }: Live, request: IncomingMessage): LiveProxy | undefined {
  if (proxied.size === 0) return undefined;
  return proxied.get(clientOf(request, trustedProxies).host.replace(/:\d{1,5}$/, ''));
}

/** `write`: how answers of our own are written. */
export function serveProxied(
  surface: Surface,
  { environment, proxy }: LiveProxy,
  request: IncomingMessage,
  response: ServerResponse,
  write: (answer: Answer) => void,
): void {
  const live = surface.live();
  if (!request.url?.startsWith(ENTRANCE)) {
    proxy.carry(request, response, clientFor(live, request));
    return;
  }
  try {
    const call = readCall(request, request.url, undefined, live.trustedProxies);
    write(onlyLooks(call) ? { status: 204, headers: {} } : enterHost(live, call));
  } catch (error) {
    const frame = frameFor(live, request.headers['accept-language']);
    write(refuse(surface, live, frame, error, { environment }));
  }
}

/** `upgrade` of the server: only the hosts of environments take one. */
export function upgradeProxied(surface: Surface, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const live = surface.live();
  const to = proxiedAt(live, request);
  if (to) to.proxy.upgrade(request, socket, head, clientFor(live, request));
  else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

const clientFor = ({ publicOrigin, trustedProxies }: Live, request: IncomingMessage) => ({
  ip: clientOf(request, trustedProxies).ip,
  proto: publicOrigin.startsWith('https:') ? ('https' as const) : ('http' as const),
});

/** On to the environment's login page, with the login's state left at its host. */
function enterHost(live: Live, call: Call): Answer {
  if (call.method !== 'GET') throw new Refusal('method_not_allowed');
  const entrance = readEntrance(call.path, call.query);
  if (!entrance) throw new Refusal('request_malformed', 'not an address that the router made');
  return redirect('GET', entrance.next, [setCaughtCookie(entrance.state, live.loginLifetime)]);
}

/** What a proxy asks back. */
export function proxyHooks(surface: () => Surface, environment: EnvironmentName, catches: boolean): ProxyHooks {
  return {
    catchRedirect: (location, request) =>
      catches ? catchDelivery(surface().live(), environment, location.href, request) : undefined,
    refuse: (reason: Reason, detail, request) => {
      const live = surface().live();
      const frame = frameFor(live, request.headers['accept-language']);
      const {
        status,
        headers,
        body = '',
      } = refuse(surface(), live, frame, new Refusal(reason, detail), {
        environment,
      });
      return { status, headers, body };
    },
  };
}

/**
 * An environment that ends its login at the portal itself: its token comes to us instead. Without a login of ours in
 * this browser the token is nobody's answer and is dropped; the person enters properly, and is known there already.
 */
function catchDelivery(live: Live, environment: EnvironmentName, location: string, request: IncomingMessage) {
  for (const [name, { open }] of live.portals) {
    const caught = open.readDelivery(location);
    if (!caught) continue;
    const state = caughtState(request.headers.cookie ?? '');
    if (state === undefined) {
      const entry = `${live.publicOrigin}/enter/${environment}/${name}`;
      return { location: [...caught.query].reduce((url, [param, value]) => appendParam(url, param, value), entry) };
    }
    const back = appendParam(`${live.publicOrigin}/return/${environment}`, 'state', state);
    return { location: appendParam(back, 'access_token', caught.token), cookies: [clearCaughtCookie()] };
  }
  return undefined;
}
