import { parseDomain } from '../core/email.ts';
import type { DomainClaim } from '../core/email-domains.ts';

type Entry =
  | string
  | {
      readonly domain?: string | undefined;
      readonly subdomains?: 'included' | undefined;
      readonly public_mail?: 'accepted' | undefined;
    };

/** One entry of `email_domains` in its canonical form; `undefined` for one whose fault has been reported. */
export function readDomainEntry(
  entry: Entry | undefined,
): (DomainClaim & { readonly publicMail: boolean }) | undefined {
  const { domain: text, subdomains, public_mail: publicMail } = typeof entry === 'object' ? entry : { domain: entry };
  const domain = text === undefined ? undefined : parseDomain(text);
  if (domain === undefined) return undefined;
  return { domain, subdomains: subdomains === 'included', publicMail: publicMail === 'accepted' };
}
