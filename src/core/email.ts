import { domainToASCII, domainToUnicode } from 'node:url';

/**
 * An email address in the one form that is compared, checked and sent on: all in lower case, domain in ASCII.
 *
 * Narrower than RFC 5321 §4.1.2 on purpose: no quoted local parts, no comments, no address literals, no
 * non-ASCII local parts. Each of those has been read as two different addresses by two different programs.
 */
export type Email = { readonly address: string; readonly domain: string };

// RFC 5322 §3.2.3 dot-atom, at most 64 octets (RFC 5321 §4.5.3.1.1).
const LOCAL_PART = /^(?=.{1,64}$)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const NON_ASCII = /\P{ASCII}/u;

export function parseEmail(value: unknown): Email | undefined {
  if (typeof value !== 'string' || value.length > 254) return undefined;
  const at = value.indexOf('@');
  if (at < 1 || value.indexOf('@', at + 1) !== -1) return undefined;
  const local = value.slice(0, at);
  if (!LOCAL_PART.test(local)) return undefined;
  const domain = parseDomain(value.slice(at + 1));
  if (!domain) return undefined;
  const address = `${local.toLowerCase()}@${domain}`;
  return address.length <= 254 ? { address, domain } : undefined;
}

/**
 * A registrable-looking host name: two labels or more, lower case, internationalised names as A-labels
 * (RFC 5891). No trailing dot, no IP address.
 */
export function parseDomain(text: string): string | undefined {
  if (text.length === 0 || text.length > 253) return undefined;
  const lower = text.toLowerCase();
  const ascii = NON_ASCII.test(lower) ? domainToASCII(lower) : lower;
  if (ascii.length === 0 || ascii.length > 253) return undefined;
  // A name that only becomes this one by mapping (full-width letters, ignored characters) is a look-alike.
  if (ascii !== lower && domainToUnicode(ascii) !== lower) return undefined;
  const labels = ascii.split('.');
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return undefined;
  // An A-label must be a real one: `xn--` followed by what is not Punycode becomes '' here.
  if (ascii.includes('xn--') && domainToASCII(ascii) !== ascii) return undefined;
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : ascii;
}
