import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, operandError } from '../builtin.ts';
import { ANY, anyOf, arrayOf, BOOLEAN, objectOf, STRING, setOf, tuple } from '../types/index.ts';
import { isArray, isObject, isSet, RegoSet, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { formatAddress, parseAddress } from './net/address.ts';
import {
  type Cidr,
  cidrsIntersect,
  containsCidr,
  formatCidr,
  networkOf,
  parseCidr,
  parseCidrOrAddress,
} from './net/cidr.ts';
import { mergeCidrs } from './net/merge.ts';
import { checkSize, stringAt, wrongElement } from './operands.ts';

const cidrOf = (text: string): Cidr => {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new BuiltinError(`invalid CIDR address: ${text}`);
  return cidr;
};

const cidrOrAddressOf = (text: string): Cidr => {
  const cidr = parseCidrOrAddress(text);
  if (cidr === undefined)
    throw new BuiltinError(`not a valid textual representation of an IP address or CIDR: ${text}`);
  return cidr;
};

const contains = (args: readonly Value[]): Value =>
  containsCidr(cidrOf(stringAt(args, 0)), cidrOrAddressOf(stringAt(args, 1)));

const intersects = (args: readonly Value[]): Value =>
  cidrsIntersect(cidrOf(stringAt(args, 0)), cidrOf(stringAt(args, 1)));

interface Named {
  readonly name: Value;
  readonly cidr: Cidr;
}

/** The networks of an operand, each named by its index, key, or by itself. */
const namedAt = (args: readonly Value[], index: number, read: (text: string) => Cidr): Named[] => {
  const operand = args[index]!;
  const named = (name: Value, element: Value): Named => ({ name, cidr: read(textOf(element, index)) });
  if (typeof operand === 'string') return [named(operand, operand)];
  if (isArray(operand)) return operand.map((element, position) => named(position, element));
  if (isSet(operand)) return operand.sorted.map((element) => named(element, element));
  if (isObject(operand)) return Array.from(operand, ([key, element]) => named(key, element));
  throw operandError(index + 1, operand, 'string', 'array', 'set', 'object');
};

/** A string, or the string that an array begins with. */
const textOf = (element: Value, index: number): string => {
  const text = isArray(element) ? element[0] : element;
  if (typeof text === 'string') return text;
  throw new BuiltinError(`operand ${index + 1}: element must be string or non-empty array`);
};

const containsMatches = (args: readonly Value[], context: BuiltinContext): Value => {
  const outer = namedAt(args, 0, cidrOf);
  const inner = namedAt(args, 1, cidrOrAddressOf);
  const matches = new RegoSet();
  for (const a of outer) {
    context.spend(1 + inner.length);
    for (const b of inner) if (containsCidr(a.cidr, b.cidr)) matches.add([a.name, b.name]);
    if (matches.size > context.limits.maxCollectionSize) checkSize(matches.size, context);
  }
  return matches;
};

const expand = (args: readonly Value[], context: BuiltinContext): Value => {
  const { bits, first, last } = cidrOf(stringAt(args, 0));
  checkSize(Number(last - first + 1n), context);
  const addresses = new RegoSet();
  for (let value = first; value <= last; value++) addresses.add(formatAddress({ bits, value }));
  return addresses;
};

const merge = (args: readonly Value[], context: BuiltinContext): Value => {
  const operand = args[0]!;
  if (!isArray(operand) && !isSet(operand)) throw operandError(1, operand, 'set', 'array');
  const list = isArray(operand) ? operand : operand.sorted;
  context.spend(1 + list.length * 4);
  const cidrs = list.map((element) => {
    if (typeof element !== 'string') throw wrongElement(1, operand, element, 'string');
    return mergeable(element);
  });
  return new RegoSet(mergeCidrs(cidrs).map(formatCidr));
};

/** An IPv4 address without a length stands for the network of its class (RFC 791, section 3.2). */
const mergeable = (text: string): Cidr => {
  const address = parseAddress(text);
  if (address === undefined) return cidrOf(text);
  if (address.bits === 128) throw new BuiltinError('IPv6 invalid: needs prefix length');
  const octet = Number(address.value >> 24n);
  return networkOf(address, octet < 0x80 ? 8 : octet < 0xc0 ? 16 : 24);
};

const isValid = (args: readonly Value[]): Value =>
  typeof args[0] === 'string' && parseCidr(args[0]) !== undefined;

const lookup = (args: readonly Value[], context: BuiltinContext): Value => {
  const name = stringAt(args, 0);
  const literal = parseAddress(name);
  if (literal !== undefined) return new RegoSet([formatAddress(literal)]);
  const resolve = context.granted.lookupIpAddr;
  if (resolve === undefined) throw new BuiltinError('name lookup is not granted to this policy');
  const key = `net.lookup_ip_addr:${name}`;
  const known = context.cache.get(key) as RegoSet | undefined;
  if (known !== undefined) return known;
  const found = new RegoSet(resolve(name));
  context.cache.set(key, found);
  return found;
};

const NETWORK = anyOf(STRING, arrayOf(ANY));
const NETWORKS = anyOf(STRING, arrayOf(NETWORK), setOf(NETWORK), objectOf(STRING, NETWORK));

export const netBuiltins: readonly BuiltinDeclaration[] = [
  builtin('net.cidr_contains', [STRING, STRING], BOOLEAN, contains),
  builtin('net.cidr_overlap', [STRING, STRING], BOOLEAN, contains, { deprecated: true }),
  builtin('net.cidr_intersects', [STRING, STRING], BOOLEAN, intersects),
  builtin('net.cidr_contains_matches', [NETWORKS, NETWORKS], setOf(tuple(ANY, ANY)), containsMatches),
  builtin('net.cidr_expand', [STRING], setOf(STRING), expand),
  builtin('net.cidr_merge', [anyOf(arrayOf(STRING), setOf(STRING))], setOf(STRING), merge),
  builtin('net.cidr_is_valid', [ANY], BOOLEAN, isValid),
  builtin('net.lookup_ip_addr', [STRING], setOf(STRING), lookup, {
    nondeterministic: true,
    requires: 'lookupIpAddr',
  }),
];
