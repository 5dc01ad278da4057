import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { withoutOurCookies } from './cookies.ts';
import type { Client } from './proxy.ts';
import type { Site } from './site.ts';

/**
 * What of a person's request reaches the environment. Everything else is dropped: what belongs to one connection only
 * (RFC 9110 §7.6.1), what says who asks (ours is put in its place), names with an underscore, which CGI takes for
 * names with a hyphen, and every name that nobody has thought about. `authorization` is passed on: browsers keep it to
 * one origin, this host's, so it was meant for the environment; the router reads none here.
 */
const PASSED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'access-control-request-headers',
  'access-control-request-method',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-type',
  'cookie',
  'dnt',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'origin',
  'pragma',
  'purpose',
  'range',
  'referer',
  'save-data',
  'sec-ch-ua',
  'sec-ch-ua-arch',
  'sec-ch-ua-bitness',
  'sec-ch-ua-form-factors',
  'sec-ch-ua-full-version',
  'sec-ch-ua-full-version-list',
  'sec-ch-ua-mobile',
  'sec-ch-ua-model',
  'sec-ch-ua-platform',
  'sec-ch-ua-platform-version',
  'sec-ch-ua-wow64',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-gpc',
  'sec-purpose',
  'traceparent',
  'tracestate',
  'upgrade-insecure-requests',
  'user-agent',
  'x-csrf-token',
  'x-csrftoken',
  'x-requested-with',
  'x-xsrf-token',
]);

/** Of a WebSocket's opening handshake (RFC 6455 §4.1). */
const PASSED_OF_UPGRADES: ReadonlySet<string> = new Set([
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
]);

/** `name, value, name, value, …`, lower case, without the framing (`content-length`, `connection`), which its sender adds. */
export function rebuildHeaders({ headers }: IncomingMessage, client: Client, site: Site, upgrade = false): string[] {
  const rebuilt = ['host', site.toldAuthority];
  const dropped = namedInConnection(headers.connection);
  for (const name in headers) {
    if (!PASSED.has(name) && !(upgrade && PASSED_OF_UPGRADES.has(name))) continue;
    if (dropped?.has(name)) continue;
    const value = headers[name];
    if (typeof value !== 'string') continue;
    const told = tell(name, value, site);
    if (told !== '') rebuilt.push(name, told);
  }
  addForwarded(rebuilt, client, site);
  return rebuilt;
}

/** Whether a request names its host twice: two servers could read two hosts (RFC 9112 §3.2; node takes the first). */
export function namesHostTwice({ rawHeaders }: IncomingMessage): boolean {
  let seen = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (seen) return true;
    seen = true;
  }
  return false;
}

/** Names that are of one connection only because `Connection` says so; `undefined` when it says nothing special. */
export function namedInConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || /^(?:keep-alive|close|upgrade)$/i.test(connection)) return undefined;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}

function tell(name: string, value: string, { origin, toldOrigin }: Site): string {
  switch (name) {
    case 'cookie':
      return withoutOurCookies(value);
    // An environment that is told its own name compares these with it before it takes a form.
    case 'origin':
      return value === origin ? toldOrigin : value;
    case 'referer':
      return value.startsWith(`${origin}/`) ? `${toldOrigin}${value.slice(origin.length)}` : value;
    default:
      return value;
  }
}

const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/** RFC 7239 and its forerunners, naming one hop: the person's address as the router knows it. */
function addForwarded(headers: string[], { ip, proto }: Client, { authority }: Site): void {
  const address = ip.replace(MAPPED, '');
  const family = isIP(address);
  const host = authority.includes(':') ? `"${authority}"` : authority;
  // A trusted proxy may have named something else than an address (RFC 7239 §6).
  const by = family === 4 ? address : family === 6 ? `"[${address}]"` : 'unknown';
  headers.push('forwarded', `for=${by};host=${host};proto=${proto}`);
  if (family !== 0) headers.push('x-forwarded-for', address);
  headers.push('x-forwarded-host', authority, 'x-forwarded-proto', proto);
}
