/** Cookies as a browser keeps them (RFC 6265bis), as far as the demo's parties can tell the difference. */

type Cookie = {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly secure: boolean;
  readonly sameSite: 'strict' | 'lax' | 'none';
  /** Milliseconds since 1970; absent for the life of the browser. */
  readonly expires?: number;
};

/** Where a request comes from, for SameSite: `cross` when another site's page or form led to it. */
export type Sending = { readonly method: string; readonly cross: boolean };

export class Jar {
  /** By host name without its port: cookies do not tell ports apart (RFC 6265 §8.5). */
  readonly #hosts = new Map<string, Map<string, Cookie>>();

  keep(url: URL, setCookies: readonly string[]): void {
    for (const text of setCookies) {
      const cookie = parseCookie(text, url);
      if (!cookie) continue;
      const cookies = this.#hosts.get(url.hostname) ?? new Map<string, Cookie>();
      this.#hosts.set(url.hostname, cookies);
      const key = `${cookie.name};${cookie.path}`;
      if (cookie.expires !== undefined && cookie.expires <= Date.now()) cookies.delete(key);
      else cookies.set(key, cookie);
    }
  }

  /** The `Cookie` header for a top-level request; empty where there is nothing to send. */
  header(url: URL, { method, cross }: Sending): string {
    const sent: string[] = [];
    for (const cookie of this.#hosts.get(url.hostname)?.values() ?? []) {
      if (cookie.expires !== undefined && cookie.expires <= Date.now()) continue;
      if (!pathMatches(url.pathname, cookie.path) || (cookie.secure && !isTrusted(url))) continue;
      if (cross && (cookie.sameSite === 'strict' || (cookie.sameSite === 'lax' && method !== 'GET'))) continue;
      sent.push(`${cookie.name}=${cookie.value}`);
    }
    return sent.join('; ');
  }
}

function parseCookie(text: string, url: URL): Cookie | undefined {
  const [pair = '', ...rest] = text.split(';');
  const at = pair.indexOf('=');
  if (at < 1) return undefined;
  const name = pair.slice(0, at).trim();
  const attributes = new Map<string, string>();
  for (const attribute of rest) {
    const [key = '', value = ''] = attribute.split('=', 2);
    attributes.set(key.trim().toLowerCase(), value.trim());
  }
  const path = attributes.get('path') || '/';
  const secure = attributes.has('secure');
  if (secure && !isTrusted(url)) return undefined;
  if (name.startsWith('__Host-') && (!secure || path !== '/' || attributes.has('domain'))) return undefined;
  const sameSite = attributes.get('samesite')?.toLowerCase();
  const expires = expiry(attributes);
  return {
    name,
    value: pair.slice(at + 1).trim(),
    path,
    secure,
    sameSite: sameSite === 'none' && secure ? 'none' : sameSite === 'strict' ? 'strict' : 'lax',
    ...(expires !== undefined && { expires }),
  };
}

/** Max-Age wins over Expires (RFC 6265 §5.3). */
function expiry(attributes: ReadonlyMap<string, string>): number | undefined {
  const maxAge = attributes.get('max-age');
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Date.now() + Number(maxAge) * 1000;
  const expires = Date.parse(attributes.get('expires') ?? '');
  return Number.isNaN(expires) ? undefined : expires;
}

/** Where browsers take and send `Secure` cookies: https, and localhost with what is below it (Secure Contexts §3.1). */
const isTrusted = (url: URL): boolean => url.protocol === 'https:' || /^(?:.+\.)?localhost$/.test(url.hostname);

const pathMatches = (path: string, cookiePath: string): boolean =>
  path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
