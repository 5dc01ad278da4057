import { type BlockList, isIP } from 'node:net';
import type { Facts } from './facts.ts';
import type { PortalName } from './names.ts';

/** The `when` of a discovery rule. Every part that is present must hold. */
export type Condition = {
  readonly header?: { readonly name: string; readonly in: ReadonlySet<string> };
  readonly query?: { readonly name: string; readonly in: ReadonlySet<string> };
  /** Lower case, with the port where there is one. */
  readonly host?: ReadonlySet<string>;
  readonly portal?: ReadonlySet<string>;
  readonly clientIp?: BlockList;
};

/** What a condition looked at, for the trail, and whether all of it held. */
export function matchCondition(when: Condition, facts: Facts, portal: PortalName): { holds: boolean; saw: string } {
  const saw: string[] = [];
  let holds = true;
  const look = (what: string, value: string | undefined, held: boolean) => {
    saw.push(`${what}=${value ?? ''}`);
    holds &&= held;
  };
  if (when.header) {
    const value = facts.header(when.header.name);
    look(when.header.name, value, value !== undefined && when.header.in.has(value));
  }
  if (when.query) {
    const value = facts.query(when.query.name);
    look(when.query.name, value, value !== undefined && when.query.in.has(value));
  }
  if (when.host) look('host', facts.host, when.host.has(facts.host));
  if (when.portal) look('portal', portal, when.portal.has(portal));
  if (when.clientIp) look('client_ip', facts.clientIp, addressIn(when.clientIp, facts.clientIp));
  return { holds, saw: saw.join(' ') };
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
