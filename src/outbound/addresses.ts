import { BlockList, isIP } from 'node:net';

/** `loopback` and `private` may be reached where the operator allows it; `never` may not be reached at all. */
export type AddressClass = 'public' | 'loopback' | 'private' | 'never';

/**
 * The IANA special-purpose registries (RFC 6890 and its updates) and the metadata services of cloud providers;
 * the first row that holds an address decides. IPv4 rows hold for IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) and for
 * NAT64 (RFC 6052 §2.1) too. What no row holds is public in IPv4, and `never` in IPv6.
 */
const RANGES: readonly (readonly [range: string, is: AddressClass, what: string])[] = [
  ['0.0.0.0/8', 'never', 'this network'],
  ['100.100.100.200/32', 'never', 'metadata (Alibaba)'],
  ['168.63.129.16/32', 'never', 'metadata (Azure)'],
  ['169.254.0.0/16', 'never', 'link-local, and metadata of most clouds'],
  ['192.0.0.0/24', 'never', 'protocol assignments, and metadata (Oracle)'],
  ['192.0.2.0/24', 'never', 'documentation'],
  ['192.88.99.0/24', 'never', '6to4 relays'],
  ['198.51.100.0/24', 'never', 'documentation'],
  ['203.0.113.0/24', 'never', 'documentation'],
  ['224.0.0.0/4', 'never', 'multicast'],
  ['240.0.0.0/4', 'never', 'reserved, and broadcast'],
  ['127.0.0.0/8', 'loopback', 'loopback'],
  ['10.0.0.0/8', 'private', 'private use'],
  ['100.64.0.0/10', 'private', 'shared address space (CGNAT)'],
  ['172.16.0.0/12', 'private', 'private use'],
  ['192.168.0.0/16', 'private', 'private use'],
  ['198.18.0.0/15', 'private', 'benchmarks; used inside some networks'],
  ['0.0.0.0/0', 'public', 'the rest of IPv4'],
  ['::1/128', 'loopback', 'loopback'],
  ['fd00:ec2::/32', 'never', 'metadata (AWS)'],
  ['fd20:ce::/32', 'never', 'metadata (Google)'],
  ['fc00::/7', 'private', 'unique local'],
  ['2001::/23', 'never', 'protocol assignments, Teredo'],
  ['2001:db8::/32', 'never', 'documentation'],
  ['2002::/16', 'never', '6to4: an IPv4 address in disguise'],
  ['3fff::/20', 'never', 'documentation'],
  ['2000::/3', 'public', 'global unicast'],
];

const ROWS = RANGES.map(([range, is]) => ({ is, holds: listOf(range) }));

/** What kind of address this is; `never` for text that is no IP address, and for one with a zone. */
export function classifyAddress(address: string): AddressClass {
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) return 'never';
  const type = family === 4 ? 'ipv4' : 'ipv6';
  return ROWS.find(({ holds }) => holds.check(address, type))?.is ?? 'never';
}

/** BlockList itself finds IPv4-mapped addresses in IPv4 ranges. */
function listOf(range: string): BlockList {
  const [address = '', bits] = range.split('/');
  const list = new BlockList();
  if (isIP(address) === 6) {
    list.addSubnet(address, Number(bits), 'ipv6');
  } else {
    list.addSubnet(address, Number(bits), 'ipv4');
    list.addSubnet(`64:ff9b::${address}`, 96 + Number(bits), 'ipv6');
  }
  return list;
}
