import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { classifyAddress } from '../outbound/addresses.ts';
import { CONNECT_TIMEOUT_MS } from './limits.ts';
import type { Upstream } from './site.ts';

/** The upstream is, or resolves to, an address that nothing of the router's may reach. */
class AddressRefused extends Error {
  readonly code = 'address_refused';
}

/**
 * Whether an upstream may be dialled as far as its name tells. The operator wrote it, so private and loopback addresses
 * may; metadata services and other special addresses may not, whoever wrote them.
 */
export const mayDial = ({ hostname }: Upstream): boolean =>
  isIP(hostname) === 0 || classifyAddress(hostname) !== 'never';

/** Resolves by the system, and judges what is about to be dialled: one bad address among several refuses the name. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[] = []) => {
    const [first] = addresses;
    const bad = addresses.some(({ address }) => classifyAddress(address) === 'never');
    if (error || bad || !first) callback(error ?? new AddressRefused(), []);
    else if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

/** How undici connects: HTTP/1.1 only, and TLS in the upstream's name whatever `Host` says. */
export function connectorFor(build: typeof buildConnector, upstream: Upstream): buildConnector.connector {
  const { ca, servername } = upstream;
  const connect = build({
    timeout: CONNECT_TIMEOUT_MS,
    allowH2: false,
    lookup: guardedLookup,
    ...(ca !== undefined && { ca }),
  });
  return (target, callback) => {
    // A literal is dialled without a lookup.
    if (mayDial(upstream)) connect({ ...target, servername }, callback);
    else callback(new AddressRefused(), null);
  };
}
