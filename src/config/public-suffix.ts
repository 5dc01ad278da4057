import { parse } from 'tldts';

/**
 * Whether a domain is a public suffix: a rule of the Public Suffix List itself, its private section (github.io)
 * and its wildcards (every name below ck) included. Names under a top-level domain that the list does not know,
 * such as globex.example, are ordinary.
 */
export function isPublicSuffix(domain: string): boolean {
  const { publicSuffix, isIcann, isPrivate } = parse(domain, { allowPrivateDomains: true, detectIp: false });
  return publicSuffix === domain && (isIcann === true || isPrivate === true);
}
