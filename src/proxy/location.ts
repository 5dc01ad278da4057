import type { Site } from './site.ts';

/** Where a reference in a header of the environment's leads. */
export type Leads =
  /** To a page of this host; `to` names no other origin than this one. */
  | { readonly is: 'here'; readonly to: string }
  | { readonly is: 'elsewhere'; readonly to: string; readonly url: URL }
  /** Browsers cannot follow it either. */
  | { readonly is: 'nowhere' };

/**
 * Reads `Location` or `Content-Location` (RFC 9110 §10.2.2, §8.7) as a browser at this host does. The environment's
 * own origin, under the name that it is reached by here or under this host's with a scheme or port of its own, becomes
 * this host's; everything else keeps its bytes.
 */
export function readReference(reference: string, site: Site): Leads {
  if (!URL.canParse(reference, site.origin)) return { is: 'nowhere' };
  const url = new URL(reference, site.origin);
  if (url.origin === site.origin) return { is: 'here', to: reference };
  if (!isOwn(url, site)) return { is: 'elsewhere', to: reference, url };
  return { is: 'here', to: `${site.origin}${url.pathname}${url.search}${url.hash}` };
}

function isOwn({ protocol, host, hostname }: URL, site: Site): boolean {
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return hostname === site.hostname || host === site.upstream.authority;
}

/** `Refresh: 5; url=…` (HTML, "shared declarative refresh steps"): what stands before the address, and the address. */
const REFRESH = /^(\s*[\d.]*\s*[;,]?\s*(?:url\s*=\s*)?)(["']?)(.*?)\2\s*$/i;

/** The same for a `Refresh` header; one without an address is left alone. */
export function readRefresh(refresh: string, site: Site): string | undefined {
  const [, before = '', quote = '', reference = ''] = REFRESH.exec(refresh) ?? [];
  if (reference === '') return refresh;
  const leads = readReference(reference, site);
  return leads.is === 'nowhere' ? undefined : `${before}${quote}${leads.to}${quote}`;
}

/** Statuses whose `Location` a browser follows by itself (RFC 9110 §15.4). */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What `decide` makes of a redirect that leaves this host; `undefined` for every other answer. */
export function catchRedirect<T>(
  status: number,
  location: string | readonly string[] | undefined,
  site: Site,
  decide: (url: URL) => T | undefined,
): T | undefined {
  if (typeof location !== 'string' || !REDIRECTS.has(status)) return undefined;
  const leads = readReference(location, site);
  return leads.is === 'elsewhere' ? decide(leads.url) : undefined;
}
