import { type BlockList, isIP } from 'node:net';
import { matchLanguage, preferredLanguages } from './accept-language.ts';
import type { Facts } from './facts.ts';
import type { PortalName } from './names.ts';

/** The `when` of a discovery rule. Every part that is present must hold. */
export type Condition = {
  /** The name is in lower case. */
  readonly header?: { readonly name: string; readonly in: ReadonlySet<string> };
  readonly query?: { readonly name: string; readonly in: ReadonlySet<string> };
  /** Lower case, with the port where there is one. */
  readonly host?: ReadonlySet<string>;
  readonly portal?: ReadonlySet<string>;
  readonly clientIp?: BlockList;
  /** Lower case; holds when the most preferred language is one of these, or a regional form of it. */
  readonly language?: ReadonlySet<string>;
  /** At least one of them holds. */
  readonly any?: readonly Condition[];
  readonly all?: readonly Condition[];
  readonly not?: Condition;
};

/** How deeply conditions may stand in one another; the `when` itself is the first level. */
export const DEEPEST_CONDITION = 8;

/**
 * Whether a condition holds, and what was looked at until that was known: the last thing seen decided. Never throws.
 */
export function matchCondition(when: Condition, facts: Facts, portal: PortalName): { holds: boolean; saw: string } {
  const saw = new Set<string>();
  const holds = evaluate(when, facts, portal, (what, value) => saw.add(`${what}=${value ?? ''}`));
  return { holds, saw: [...saw].join(' ') };
}

type Look = (what: string, value: string | undefined) => void;

function evaluate(when: Condition, facts: Facts, portal: PortalName, look: Look): boolean {
  const { header, query, host, clientIp, language } = when;
  const isIn = (values: ReadonlySet<string>, what: string, value: string | undefined): boolean => {
    look(what, value);
    return value !== undefined && values.has(value);
  };
  if (header && !isIn(header.in, header.name, facts.header(header.name))) return false;
  if (query && !isIn(query.in, query.name, facts.query(query.name))) return false;
  if (host && !isIn(host, 'host', facts.host)) return false;
  if (when.portal && !isIn(when.portal, 'portal', portal)) return false;
  if (clientIp) {
    look('client_ip', facts.clientIp);
    if (!addressIn(clientIp, facts.clientIp)) return false;
  }
  if (language) {
    const [preferred] = preferredLanguages(facts.header('accept-language'));
    look('language', preferred);
    if (preferred === undefined || matchLanguage(preferred, language) === undefined) return false;
  }
  const holds = (nested: Condition) => evaluate(nested, facts, portal, look);
  if (when.all && !when.all.every(holds)) return false;
  if (when.any && !when.any.some(holds)) return false;
  return !when.not || !holds(when.not);
}

/** Whether an IP address in text is in the list; an IPv4-mapped IPv6 address counts as its IPv4 address. */
export function addressIn(list: BlockList, address: string): boolean {
  const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
  const version = isIP(plain);
  return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
}

/** Adds `10.0.0.0/8`, `2001:db8::/32` or a single address; `false` when the text is none of them. */
export function addRange(list: BlockList, text: string): boolean {
  const [, address, bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = address === undefined ? 0 : isIP(address);
  if (!address || version === 0) return false;
  const type = version === 4 ? 'ipv4' : 'ipv6';
  const prefix = bits === undefined ? (version === 4 ? 32 : 128) : Number(bits);
  if (prefix > (version === 4 ? 32 : 128)) return false;
  list.addSubnet(address, prefix, type);
  return true;
}
