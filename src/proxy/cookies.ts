/** How every cookie of the router begins (http/cookies.ts); browsers guard such names in any case (RFC 6265bis §4.1.3). */
const OURS = /^__host-wayhome/i;
const MAYBE_OURS = /__host-wayhome/i;

/** A `Cookie` header (RFC 6265bis §4.2.1) without the router's own; `''` when nothing is left. */
export function withoutOurCookies(header: string): string {
  if (!MAYBE_OURS.test(header)) return header;
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !OURS.test(pair))
    .join('; ');
}

/**
 * A `Set-Cookie` line of an environment as its own host may set it; `undefined` when it may not.
 *
 * - Names of the router's are not the environment's to set, and a cookie without a name could pass for one when it is
 *   sent back (RFC 6265bis §5.7 drops those that do; we drop them all).
 * - `Domain` is taken away where it names this host or the environment's own, so that the cookie stays with this host;
 *   any other domain would hand the cookie to hosts of other environments and of the router, and drops it.
 * - `Secure` is added where browsers reach this host by https.
 */
export function confineCookie(line: string, hostnames: readonly string[], secure: boolean): string | undefined {
  const [pair = '', ...attributes] = line.split(';');
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(equals, 0)).trim();
  if (name === '' || OURS.test(name)) return undefined;
  const kept: string[] = [pair.trim()];
  let isSecure = false;
  for (const attribute of attributes) {
    const [key = '', value = ''] = splitOnce(attribute);
    switch (key.toLowerCase()) {
      case '':
        continue;
      case 'domain':
        // Without a value it is ignored (RFC 6265bis §5.6.3).
        if (value !== '' && !hostnames.includes(value.replace(/^\./, '').toLowerCase())) return undefined;
        continue;
      case 'secure':
        isSecure = true;
    }
    kept.push(attribute.trim());
  }
  if (secure && !isSecure) kept.push('Secure');
  return kept.join('; ');
}

function splitOnce(attribute: string): [string, string] {
  const equals = attribute.indexOf('=');
  return equals === -1
    ? [attribute.trim(), '']
    : [attribute.slice(0, equals).trim(), attribute.slice(equals + 1).trim()];
}
