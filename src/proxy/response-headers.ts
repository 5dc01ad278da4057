import type { IncomingHttpHeaders } from 'node:http';
import { confineCookie } from './cookies.ts';
import { UpstreamFault } from './failure.ts';
import { readReference, readRefresh } from './location.ts';
import { namedInConnection } from './request-headers.ts';
import type { Site } from './site.ts';

/** What an environment's answer does not bring to the browser. Everything else passes. */
const DROPPED: ReadonlySet<string> = new Set([
  // Of one connection only (RFC 9110 §7.6.1); the router frames its answers itself.
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Would move browsers past the router (RFC 7838).
  'alt-svc',
  // Takes every cookie of the registrable domain, the router's included (Clear-Site-Data §4.1).
  'clear-site-data',
  // How this host is reached is the operator's to say.
  'public-key-pins',
  'public-key-pins-report-only',
  'strict-transport-security',
  // No worker is served here (see proxy.ts).
  'service-worker-allowed',
  // Orders to a web server in front, which takes what the router sends for the router's own.
  'x-accel-redirect',
  'x-lighttpd-send-file',
  'x-reproxy-url',
  'x-sendfile',
  'x-sendfile2',
]);

const DIGITS = /^\d{1,15}$/;

/**
 * `name, value, name, value, …` of an environment's answer for the browser. `headers` is as undici reads it: lower-case
 * names, several lines of one name as a list. `content-length` is left where it says how long the body will be.
 * Throws `UpstreamFault` where the answer could be read in two ways.
 */
export function answerHeaders(headers: IncomingHttpHeaders, status: number, site: Site): string[] {
  const answer: string[] = [];
  if (Array.isArray(headers.location)) throw new UpstreamFault('two Location headers');
  const dropped = namedInConnection(lineOf(headers.connection));
  const framed = checkFraming(headers, status);
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || DROPPED.has(name) || dropped?.has(name)) continue;
    if (name === 'content-length' && !framed) continue;
    if (typeof value === 'string') add(answer, name, value, site);
    else for (const line of value) add(answer, name, line, site);
  }
  return answer;
}

/** `Set-Cookie` lines as this host may set them. */
export function answerCookies(headers: IncomingHttpHeaders, site: Site): string[] {
  const lines: string | readonly string[] = headers['set-cookie'] ?? [];
  return (typeof lines === 'string' ? [lines] : lines)
    .map((line) => confine(line, site))
    .filter((line) => line !== undefined);
}

function add(answer: string[], name: string, value: string, site: Site): void {
  const told = translate(name, value, site);
  if (told !== undefined) answer.push(name, told);
}

function translate(name: string, value: string, site: Site): string | undefined {
  switch (name) {
    case 'set-cookie':
      return confine(value, site);
    case 'location':
    case 'content-location': {
      const leads = readReference(value, site);
      return leads.is === 'nowhere' ? undefined : leads.to;
    }
    case 'refresh':
      return readRefresh(value, site);
    default:
      return value;
  }
}

const confine = (line: string, { origin, hostname, upstream }: Site): string | undefined =>
  confineCookie(line, [hostname, upstream.hostname], origin.startsWith('https:'));

/** Whether `content-length` holds for the body (RFC 9112 §6.3). undici has counted no byte yet. */
function checkFraming(headers: IncomingHttpHeaders, status: number): boolean {
  const coding: string | readonly string[] | undefined = headers['transfer-encoding'];
  const length: string | readonly string[] | undefined = headers['content-length'];
  if (coding !== undefined && (typeof coding !== 'string' || coding.toLowerCase() !== 'chunked')) {
    throw new UpstreamFault('a transfer coding other than chunked');
  }
  if (length === undefined) return false;
  if (coding !== undefined) throw new UpstreamFault('Content-Length beside Transfer-Encoding');
  if (typeof length !== 'string' || !DIGITS.test(length)) throw new UpstreamFault('Content-Length is no length');
  return status !== 204;
}

const lineOf = (value: string | readonly string[] | undefined): string | undefined =>
  value === undefined || typeof value === 'string' ? value : value.join(',');
