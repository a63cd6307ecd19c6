import type { BuiltinContext, BuiltinDeclaration } from '../builtin.ts';
import { ANY, objectOf, STRING } from '../types/index.ts';
import { numberFromBigInt, RegoObject, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { stringAt } from './operands.ts';

/** A random UUID (RFC 9562, section 5.4), the same for the same key all through an evaluation. */
const random = (args: readonly Value[], context: BuiltinContext): Value => {
  const key = `uuid.rfc4122:${stringAt(args, 0)}`;
  const known = context.cache.get(key) as string | undefined;
  if (known !== undefined) return known;
  const bytes = Buffer.alloc(16);
  for (let index = 0; index < bytes.length; index++) bytes[index] = Math.floor(context.random() * 256);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const text = bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  context.cache.set(key, text);
  return text;
};

const WITH_DASHES = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The four ways in which a UUID may be written. */
const bytesOf = (text: string): Buffer | undefined => {
  const bare = text.replace(/^urn:uuid:/i, '').replace(/^\{(.*)\}$/, '$1');
  if (!WITH_DASHES.test(bare) && !/^[0-9a-f]{32}$/i.test(text)) return undefined;
  return Buffer.from(bare.replaceAll('-', ''), 'hex');
};

const variantOf = (byte: number): string => {
  if ((byte & 0xc0) === 0x80) return 'RFC4122';
  if ((byte & 0xe0) === 0xc0) return 'Microsoft';
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved';
};

const DOMAINS = ['Person', 'Group', 'Org'];

/** 100 nanoseconds between the start of the Gregorian calendar and 1970. */
const GREGORIAN_OFFSET = 122_192_928_000_000_000n;

const parse = (args: readonly Value[]): Value | undefined => {
  const bytes = bytesOf(stringAt(args, 0));
  if (bytes === undefined) return undefined;
  const version = bytes[6]! >> 4;
  const result = new RegoObject([
    ['version', version],
    ['variant', variantOf(bytes[8]!)],
  ]);
  if (version === 1 || version === 2) addTimeFields(result, bytes);
  if (version === 2) {
    result.set('id', bytes.readUInt32BE(0));
    result.set('domain', DOMAINS[bytes[9]!] ?? `Domain${bytes[9]}`);
  }
  return result;
};

const addTimeFields = (result: RegoObject, bytes: Buffer): void => {
  const high = BigInt(bytes.readUInt16BE(6) & 0x0fff);
  const ticks = (high << 48n) | (BigInt(bytes.readUInt16BE(4)) << 32n) | BigInt(bytes.readUInt32BE(0));
  const node = bytes.subarray(10);
  const scope = (node[0]! & 2) === 0 ? 'global' : 'local';
  result.set('time', numberFromBigInt((ticks - GREGORIAN_OFFSET) * 100n));
  result.set('nodeid', Array.from(node, (byte) => byte.toString(16).padStart(2, '0')).join('-'));
  result.set('macvariables', `${scope}:${(node[0]! & 1) === 0 ? 'unicast' : 'multicast'}`);
  result.set('clocksequence', bytes.readUInt16BE(8) & 0x3fff);
};

export const uuidBuiltins: readonly BuiltinDeclaration[] = [
  builtin('uuid.rfc4122', [STRING], STRING, random, { nondeterministic: true }),
  builtin('uuid.parse', [STRING], objectOf(STRING, ANY), parse),
];
