import { isIP } from 'node:net';

const GROUPS = 8;
const GROUP_BITS = 16;
/** IPv4 addresses count as their IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2), as `net.BlockList` has it. */
const MAPPED = '::ffff:';
const MAPPED_BITS = 96;

/**
 * The bits that all addresses of a range have in common, as text of 0 and 1: one range lies in another when its
 * bits begin with the other's. Takes what the schema has let pass: `10.0.0.0/8`, `2001:db8::/32`, one address.
 */
export function addressPrefix(range: string): string {
  const [address = '', length] = range.split('/');
  const isShort = isIP(address) === 4;
  const bits = bitsOf(isShort ? `${MAPPED}${address}` : address);
  return length === undefined ? bits : bits.slice(0, Number(length) + (isShort ? MAPPED_BITS : 0));
}

function bitsOf(address: string): string {
  // The last two groups may be written as an IPv4 address (RFC 4291 §2.2).
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => `${hex(a, b)}:${hex(c, d)}`);
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array<string>(GROUPS - front.length - back.length).fill('0');
  return [...front, ...zeros, ...back]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(GROUP_BITS, '0'))
    .join('');
}

const hex = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
