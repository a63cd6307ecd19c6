import { type Address, formatAddress, parseAddress } from './address.ts';

/** A block of addresses: all that share the first `prefix` bits. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly value: bigint;
  readonly prefix: number;
}

/**
 * Reads `10.0.0.0/8` or a single address. Bits after the prefix are cleared, as existing policies may carry them.
 * Undefined when the text is neither.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!address) return undefined;
  const width = widthOf(address.family);
  const length = slash < 0 ? String(width) : text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > width) return undefined;
  const prefix = Number(length);
  const shift = BigInt(width - prefix);
  return { family: address.family, value: (address.value >> shift) << shift, prefix };
}

/** The one spelling of a block; always with its prefix length. */
export const formatCidr = (cidr: Cidr): string => `${formatAddress(cidr)}/${cidr.prefix}`;

/** Whether the address lies in the block. Families never mix: a v4 block does not contain v4-mapped v6 addresses. */
export function cidrContains(cidr: Cidr, address: Address): boolean {
  if (cidr.family !== address.family) return false;
  const shift = BigInt(widthOf(cidr.family) - cidr.prefix);
  return cidr.value >> shift === address.value >> shift;
}

/** Whether some address lies in both: one block always contains the other's first address then. */
export const cidrsOverlap = (a: Cidr, b: Cidr): boolean => cidrContains(a, b) || cidrContains(b, a);

/** Whether every address of `inner` lies in `outer`. */
export const cidrWithin = (inner: Cidr, outer: Cidr): boolean =>
  inner.prefix >= outer.prefix && cidrContains(outer, inner);

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);
