import { parse } from 'tldts';

/**
 * Whether a domain is a public suffix: a rule of the Public Suffix List itself, its private section (github.io)
 * and its wildcards (every name below *.ck) included. A name under a top-level domain that the list does not
 * know, such as globex.example, is an ordinary name; that top-level domain alone is a suffix.
 */
export function isPublicSuffix(domain: string): boolean {
  return parse(domain, { allowPrivateDomains: true, detectIp: false }).publicSuffix === domain;
}
