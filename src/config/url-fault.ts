import { BlockList } from 'node:net';
import { addRange, addressIn } from '../core/rule.ts';

/** What is asked of a URL beside what is asked of all. */
export type Asked = {
  /** No path, query or fragment. */
  readonly origin?: true;
  readonly noQuery?: true;
  /** Parameters that the router adds itself. */
  readonly reserved?: readonly string[];
};

/**
 * Why a URL may not stand in the file, and what to do: absolute, `https:` (`http:` on loopback, or everywhere under
 * `insecure_development`), without user info and without fragment. The URL itself is never repeated: it may hold
 * a password.
 */
export function urlFault(
  text: string,
  insecure: boolean,
  asked: Asked = {},
): [message: string, remedy: string] | undefined {
  // `new URL` would quietly drop or convert these.
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes('\\') || !/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) {
    return [
      'must be an absolute URL of plain ASCII',
      'Write it in full: https://, host and path, escaped where needed.',
    ];
  }
  const url = new URL(text);
  const [, authority = ''] = /^[^:]+:\/\/([^/?#]*)/.exec(text) ?? [];
  if (authority.includes('@')) return ['must not hold a user name or password', 'Remove everything up to the @.'];
  if (text.includes('#')) return ['must not hold a fragment', 'Remove the # and what follows it.'];
  if (url.protocol === 'http:' && !insecure && !isLoopback(url.hostname)) {
    return ['must be https', 'Plain http is taken on loopback only, or under insecure_development: true.'];
  }
  if (asked.origin && (url.pathname !== '/' || text.includes('?'))) {
    return ['must be an origin, without path or query', 'Write https://login.example.com.'];
  }
  if (asked.noQuery && text.includes('?'))
    return ['must not hold a query', 'Origin and path are compared; remove the ?.'];
  const taken = asked.reserved?.find((name) => url.searchParams.has(name));
  if (taken !== undefined) return ['already holds a parameter that the router adds', `Remove ${taken} from its query.`];
  return undefined;
}

/** RFC 6761 §6.3 names and RFC 6890 addresses of the machine itself, as `URL` writes them. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^127\./.test(hostname) || hostname === '[::1]';
}

/** Addresses that mean something else on every network (RFC 6890), the cloud's metadata among them. */
const PRIVATE = new BlockList();
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::/96',
  'fc00::/7',
  'fe80::/10',
]) {
  addRange(PRIVATE, range);
}

/** Whether the host of a URL is an address or a name of the machine itself or of a private network. Resolves nothing. */
export function isPrivateHost(text: string): boolean {
  const { hostname } = new URL(text);
  return isLoopback(hostname) || addressIn(PRIVATE, hostname.replace(/^\[|\]$/g, ''));
}
