import { type Address, formatAddress, parseAddress } from './address.ts';

/** A network: all addresses from `first` to `last`. */
export interface Cidr {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefix: number;
}

/** Reads `address/length`, as Go's `net.ParseCIDR`; bits behind the prefix are cleared. */
export const parseCidr = (text: string): Cidr | undefined => {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^\d{1,3}$/.test(length) || Number(length) > address.bits) return undefined;
  return networkOf(address, Number(length));
};

/** The network of this prefix length that an address is in. */
export const networkOf = ({ bits, value }: Address, prefix: number): Cidr => {
  const hosts = (1n << BigInt(bits - prefix)) - 1n;
  const first = (value | hosts) ^ hosts;
  return { bits, first, last: first | hosts, prefix };
};

/** An address as the network of itself, or a network. */
export const parseCidrOrAddress = (text: string): Cidr | undefined => {
  const address = parseAddress(text);
  return address === undefined ? parseCidr(text) : networkOf(address, address.bits);
};

export const containsCidr = (outer: Cidr, inner: Cidr): boolean => {
  const [a, b] = [unmapped(outer), unmapped(inner)];
  return a.bits === b.bits && a.first <= b.first && b.last <= a.last;
};

export const cidrsIntersect = (a: Cidr, b: Cidr): boolean =>
  a.bits === b.bits && a.first <= b.last && b.first <= a.last;

export const formatCidr = (cidr: Cidr): string =>
  `${formatAddress({ bits: cidr.bits, value: cidr.first })}/${cidr.prefix}`;

/** An IPv4 address written as IPv6 is that IPv4 address. */
const unmapped = (cidr: Cidr): Cidr => {
  if (cidr.bits === 32 || cidr.prefix < 96 || cidr.first >> 32n !== 0xffffn) return cidr;
  const low = 0xffff_ffffn;
  return { bits: 32, first: cidr.first & low, last: cidr.last & low, prefix: cidr.prefix - 96 };
};
