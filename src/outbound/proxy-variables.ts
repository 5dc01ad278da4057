import { BlockList, isIP } from 'node:net';
import { isLoopback, literalOf } from './target.ts';

/** A proxy for https. */
export type ProxyAddress = {
  /** `http://…` or `https://…`, without credentials. */
  readonly url: string;
  /** Value of `Proxy-Authorization` (RFC 7617); in no message. */
  readonly authorization?: string;
};

/** The proxy that leads to a target; `undefined`: it is reached directly. */
export type ProxyFor = (target: URL) => ProxyAddress | undefined;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads HTTPS_PROXY and NO_PROXY; the lower-case spelling wins, an empty value is none, and a proxy without a
 * scheme is http (all three as curl has it). Loopback is never reached through a proxy, which would take it for
 * its own. Throws an `Error`, which does not repeat the value, when HTTPS_PROXY cannot be used.
 */
export function readProxyVariables(variables: Variables): ProxyFor {
  const given = variables.https_proxy || variables.HTTPS_PROXY;
  if (!given) return () => undefined;
  const proxy = parseProxy(given);
  const isDirect = parseNoProxy(variables.no_proxy || variables.NO_PROXY || '');
  return (target) => (target.protocol !== 'https:' || isLoopback(target) || isDirect(target) ? undefined : proxy);
}

/**
 * NO_PROXY: entries apart by commas or spaces. `*` is everything; `acme.com` is itself and what is below it,
 * `.acme.com` and `*.acme.com` only what is below; an address is itself; these may end in `:port`.
 * `10.0.0.0/8` is the literal addresses in it. What cannot be read matches nothing.
 */
export function parseNoProxy(list: string): (target: URL) => boolean {
  const entries = list.split(/[\s,]+/).flatMap((text) => parseEntry(text) ?? []);
  return (target) => entries.some((matches) => matches(target));
}

function parseProxy(text: string): ProxyAddress {
  const complete = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(complete) ? new URL(complete) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new Error('HTTPS_PROXY is not the address of an http(s) proxy');
  const credentials = `${decode(url.username)}:${decode(url.password)}`;
  return {
    url: url.origin,
    ...(credentials !== ':' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parseEntry(text: string): ((target: URL) => boolean) | undefined {
  if (text === '') return undefined;
  if (text === '*') return () => true;
  if (text.includes('/')) return parseSubnet(text);
  const [, name = '', port] =
    isIP(text) === 6 ? [text, `[${text}]`] : (/^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? []);
  const below = name.startsWith('.') || name.startsWith('*.');
  const host = canonical(below ? name.slice(name.indexOf('.') + 1) : name);
  if (host === undefined) return undefined;
  return (target) => {
    const asked = target.hostname.replace(/\.$/, '');
    if (port !== undefined && port !== (target.port || '443')) return false;
    return (!below && asked === host) || (isIP(host) === 0 && asked.endsWith(`.${host}`));
  };
}

function parseSubnet(text: string): ((target: URL) => boolean) | undefined {
  const [address = '', bits = ''] = text.split('/');
  const version = isIP(address);
  if (version === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) return undefined;
  const subnet = new BlockList();
  subnet.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  return (target) => {
    const literal = literalOf(target);
    return literal !== undefined && subnet.check(literal, isIP(literal) === 4 ? 'ipv4' : 'ipv6');
  };
}

/** As `URL` spells hosts, so that both sides compare as text. */
function canonical(host: string): string | undefined {
  const address = `https://${host}/`;
  if (host === '' || !URL.canParse(address)) return undefined;
  return new URL(address).hostname.replace(/\.$/, '');
}
