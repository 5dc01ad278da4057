import { getDomain, parse } from 'tldts';

/**
 * Whether a domain is a public suffix: a rule of the Public Suffix List itself, its private section (github.io)
 * and its wildcards (every name below ck) included. Names under a top-level domain that the list does not know,
 * such as globex.example, are ordinary.
 */
export function isPublicSuffix(domain: string): boolean {
  const { publicSuffix, isIcann, isPrivate } = parse(domain, { allowPrivateDomains: true, detectIp: false });
  return publicSuffix === domain && (isIcann === true || isPrivate === true);
}

/**
 * The part of a host name that belongs to one owner, and below which cookies are shared: one label below a public
 * suffix. `undefined` for IP addresses and for public suffixes themselves.
 */
export const registrableDomain = (host: string): string | undefined =>
  getDomain(host, { allowPrivateDomains: true }) ?? undefined;

/** Whether a host name is below a top-level domain of the Internet, rather than of a network of one's own. */
export const isPublicName = (host: string): boolean => parse(host).isIcann === true;
