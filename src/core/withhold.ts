import { parseDomain, parseEmail } from './email.ts';

/** Stands in a record for a value that was there and is not kept. */
export const WITHHELD = '…';

/** Longer values are identifiers of something; a country, a plan or a version is short. Characters. */
const LONGEST = 64;

/** An at sign however it was escaped, an IPv4 or IPv6 address anywhere, and what only a terminal would see. */
const PERSONAL = /[@＠﹫]|%(?:25)*40|(?:\d{1,3}\.){3}\d{1,3}|::|(?:[0-9a-f]{1,4}:){3}|[\p{Cc}\p{Cf}]/iu;

/** Headers of which nothing is kept, whatever a rule does with them: they identify a browser or admit it. */
export const NEVER_KEPT =
  /^(?:cookie|set-cookie|authorization|proxy-authorization|user-agent|sec-ch-ua.*|.*-ip|x-forwarded-for|forwarded)$/;

/**
 * What a record keeps of a header's or parameter's value. An email is reduced to `@` and its domain, and what
 * may identify a person is withheld; of the rest, values that rules name and values that are short are kept.
 */
export function withhold(value: string, named: ReadonlySet<string>): string {
  if (value === '') return value;
  const email = parseEmail(value.trim());
  if (email) return `@${email.domain}`;
  if (PERSONAL.test(value)) return WITHHELD;
  return value.length <= LONGEST || named.has(value) || parseDomain(value) ? value : WITHHELD;
}

/** A kept value as discovery may read it again: a domain is an address in it once more, of nobody. */
export const restore = (kept: string): string => (kept.startsWith('@') ? `-${kept}` : kept);
