import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { classifyAddress } from './addresses.ts';
import { OutboundError } from './outbound.ts';

/** `dns.lookup` with `all: true`; tests hand in their own. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export const lookupBySystem: Lookup = (hostname, options, callback) => systemLookup(hostname, options, callback);

type MayReach = (address: string) => boolean;

/** Which addresses may be reached over TLS. */
export const mayReach =
  (allowPrivate: boolean): MayReach =>
  (address) => {
    const is = classifyAddress(address);
    return is === 'public' || (allowPrivate && is !== 'never');
  };

/**
 * A connector that judges the very address it dials, at the moment of dialling, so that a name which resolves
 * differently a moment later gains nothing (DNS rebinding). One refused address among several refuses the name.
 * Plain http reaches loopback only, and needs `allowPrivate` as every other address that is not public.
 */
export function guardConnector(
  build: typeof buildConnector,
  options: buildConnector.BuildOptions,
  { allowPrivate, lookup }: { readonly allowPrivate: boolean; readonly lookup: Lookup },
): buildConnector.connector {
  const guarded = (may: MayReach): buildConnector.connector => {
    const connect = build({ ...options, allowH2: false, lookup: guardLookup(lookup, may) });
    return (target, callback) => {
      // A literal is dialled without a lookup.
      if (isIP(target.hostname) === 0 || may(target.hostname)) connect(target, callback);
      else callback(refuseAddress(target.hostname), null);
    };
  };
  const overTls = guarded(mayReach(allowPrivate));
  const overTcp = guarded((address) => allowPrivate && classifyAddress(address) === 'loopback');
  return (target, callback) => (target.protocol === 'https:' ? overTls : overTcp)(target, callback);
}

const guardLookup =
  (lookup: Lookup, may: MayReach): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      const bad = addresses?.find(({ address }) => !may(address));
      if (error || bad || !first) callback(error ?? refuseAddress(hostname), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

export const refuseAddress = (host: string): OutboundError =>
  new OutboundError('address_refused', `${host} is, or resolves to, an address that is not public; see allow_private`);
