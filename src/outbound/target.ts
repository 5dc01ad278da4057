import { isIP } from 'node:net';
import { classifyAddress } from './addresses.ts';
import { OutboundError } from './outbound.ts';

/** The URL of a call, or an `OutboundError` of kind `scheme`. */
export function readTarget(text: string): URL {
  if (!URL.canParse(text)) throw new OutboundError('scheme', 'not an absolute URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw new OutboundError('scheme', `${url.host}: user info in the URL`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) {
    throw new OutboundError('scheme', `${url.host}: only https is spoken, and http on loopback`);
  }
  return url;
}

/** Whether the URL says that this machine is meant (RFC 6761 §6.3); where a name leads is judged when it is dialled. */
export function isLoopback(url: URL): boolean {
  const host = hostOf(url);
  return host === 'localhost' || host.endsWith('.localhost') || classifyAddress(host) === 'loopback';
}

/** The IP address that stands in the URL itself, IPv6 without brackets; `undefined` for a name. */
export function literalOf(url: URL): string | undefined {
  const host = hostOf(url);
  return isIP(host) === 0 ? undefined : host;
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$|\.$/g, '');
