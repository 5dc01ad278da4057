import { type BlockList, isIP } from 'node:net';

/** A block of IP addresses: the first `prefix` bits of `bits` are fixed, the others are zero. */
export type AddressRange = { readonly version: 4 | 6; readonly bits: bigint; readonly prefix: number };

/** No record holds more of a client's address than this: the block of a provider, not of a household. Bits. */
const FINEST = { 4: 24, 6: 48 } as const;
const WIDTH = { 4: 32, 6: 128 } as const;

/** The CIDRs of a list that `addRange` (rule.ts) filled. */
export const rangesOf = (list: BlockList): AddressRange[] =>
  list.rules.flatMap((rule) => parseRange(rule.slice(rule.lastIndexOf(' ') + 1)) ?? []);

/** `10.0.0.0/8`, `2001:db8::/32`; `undefined` for anything else. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = '', bits = ''] = text.split('/');
  const whole = parseAddress(address);
  const prefix = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  return whole && prefix <= WIDTH[whole.version] ? cut(whole, prefix) : undefined;
}

export function describeRange({ version, bits, prefix }: AddressRange): string {
  const groups = Array.from({ length: version === 4 ? 4 : 8 }, (_, index, size = version === 4 ? 8n : 16n) => {
    const group = BigInt.asUintN(Number(size), bits >> (BigInt(WIDTH[version]) - size * BigInt(index + 1)));
    return group.toString(version === 4 ? 10 : 16);
  });
  return `${version === 4 ? groups.join('.') : canonical(groups.join(':'))}/${prefix}`;
}

/**
 * The largest block around an address in which every one of these ranges holds all addresses or none, so that
 * any of them decides the same for the block as for the address. Never smaller than a /24 or a /48, also where
 * a range is; `undefined` when the text is no address.
 */
export function coarsen(address: string, ranges: readonly AddressRange[]): AddressRange | undefined {
  const whole = parseAddress(address);
  if (!whole) return undefined;
  let prefix = 0;
  for (const range of ranges) {
    if (range.version !== whole.version) continue;
    const shared = sharedBits(whole, range);
    prefix = Math.max(prefix, shared >= range.prefix ? range.prefix : shared + 1);
  }
  return cut(whole, Math.min(prefix, FINEST[whole.version]));
}

/** Whether one of these ranges holds a part of the block and not all of it. */
export const isSplitBy = (block: AddressRange, ranges: readonly AddressRange[]): boolean =>
  ranges.some(
    (range) =>
      range.version === block.version && range.prefix > block.prefix && sharedBits(block, range) >= block.prefix,
  );

/** The block's first address. */
export const firstAddress = (block: AddressRange): string => describeRange(block).split('/', 1)[0] ?? '';

function parseAddress(text: string): AddressRange | undefined {
  if (isIP(text) === 4) return { version: 4, bits: join(text.split('.'), 8n, 10), prefix: 32 };
  // A zone (`%eth0`) is part of no block.
  if (isIP(text) !== 6 || text.includes('%')) return undefined;
  const [before = '', after] = canonical(text).split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after ? after.split(':') : [];
  const gap = after === undefined ? 0 : 8 - head.length - tail.length;
  const bits = join([...head, ...Array<string>(gap).fill('0'), ...tail], 16n, 16);
  // IPv4-mapped (RFC 4291 §2.5.5.2) counts as its IPv4 address, as it does in rules.
  return bits >> 32n === 0xffffn
    ? { version: 4, bits: BigInt.asUintN(32, bits), prefix: 32 }
    : { version: 6, bits, prefix: 128 };
}

/** RFC 5952 form, a dotted tail included. */
const canonical = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);

const join = (groups: readonly string[], size: bigint, base: 10 | 16): bigint =>
  groups.reduce((bits, group) => (bits << size) | BigInt(Number.parseInt(group, base)), 0n);

function cut({ version, bits }: AddressRange, prefix: number): AddressRange {
  const rest = BigInt(WIDTH[version] - prefix);
  return { version, bits: (bits >> rest) << rest, prefix };
}

function sharedBits(a: AddressRange, b: AddressRange): number {
  const differing = a.bits ^ b.bits;
  return differing === 0n ? WIDTH[a.version] : WIDTH[a.version] - differing.toString(2).length;
}
