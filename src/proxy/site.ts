import { isIP } from 'node:net';
import type { ProxySettings } from './settings.ts';

/** What is the same for every request to one environment, worked out once. */
export type Site = {
  /** Origin as browsers see it. */
  readonly origin: string;
  /** Its host name, and the same with the port where it is not the scheme's. */
  readonly hostname: string;
  readonly authority: string;
  readonly paths: readonly string[];
  readonly upstream: Upstream;
  /** What the environment reads in `Host`. */
  readonly toldAuthority: string;
  /** What it reads in `Origin` and `Referer` where the browser names this host. */
  readonly toldOrigin: string;
  /** Bytes. */
  readonly maxBody: number;
  readonly timeoutMs: number;
};

export type Upstream = {
  readonly origin: string;
  readonly protocol: 'http:' | 'https:';
  /** Without the brackets of IPv6. */
  readonly hostname: string;
  readonly authority: string;
  readonly port: number;
  /** The name that its certificate is for (RFC 6066 §3); empty where it is an address, which TLS does not send. */
  readonly servername: string;
  readonly ca?: string;
};

/** Throws a `TypeError` where an origin cannot be read. */
export function readSite(settings: ProxySettings): Site {
  const { host, authority, origin } = readOrigin(settings.origin);
  const upstream = readUpstream(settings);
  const toldByHost = settings.tells === 'host';
  return {
    origin,
    hostname: host,
    authority,
    paths: settings.paths,
    upstream,
    toldAuthority: toldByHost ? authority : upstream.authority,
    toldOrigin: toldByHost ? origin : upstream.origin,
    maxBody: settings.maxBody,
    timeoutMs: settings.timeout * 1000,
  };
}

function readUpstream({ upstream, ca }: ProxySettings): Upstream {
  const { origin, authority, host, url } = readOrigin(upstream);
  const hostname = host.replace(/^\[|\]$/g, '');
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:';
  return {
    origin,
    protocol,
    hostname,
    authority,
    port: Number(url.port) || (protocol === 'https:' ? 443 : 80),
    servername: isIP(hostname) === 0 ? hostname : '',
    ...(ca !== undefined && { ca }),
  };
}

function readOrigin(text: string) {
  const url = new URL(text);
  return { url, origin: url.origin, authority: url.host, host: url.hostname };
}
