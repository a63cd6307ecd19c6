/** Distinguished Encoding Rules (ITU-T X.690), as far as a certificate needs them. Written here, read in `der-reader.ts`. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific tag number of a structure; for an implicit string it is not constructed. */
export const contextTag = (number: number, constructed = true): number =>
  0x80 | (constructed ? 0x20 : 0) | number;

/** X.690 section 8.1.3: one byte below 128, else the number of length bytes and then the length. */
function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  if (length < 0x100) return Buffer.of(0x81, length);
  if (length < 0x1_0000) return Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
}

export const element = (tag: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(tag), lengthBytes(content.length), content]);

export const sequence = (...items: readonly Uint8Array[]): Buffer =>
  element(TAG.sequence, Buffer.concat(items));
export const set = (item: Uint8Array): Buffer => element(TAG.set, item);
export const octets = (content: Uint8Array): Buffer => element(TAG.octetString, content);
export const utf8 = (text: string): Buffer => element(TAG.utf8, Buffer.from(text));
export const boolean = (value: boolean): Buffer => element(TAG.boolean, Buffer.of(value ? 0xff : 0));
export const nothing = (): Buffer => element(TAG.null, Buffer.alloc(0));

/** A number that is not negative, from its big-endian bytes, which begin with no more zero bits than the sign needs. */
export const integer = (bytes: Uint8Array): Buffer =>
  element(TAG.integer, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);

/** `unused` is how many bits at the end do not count. */
export const bits = (content: Uint8Array, unused = 0): Buffer =>
  element(TAG.bitString, Buffer.concat([Buffer.of(unused), content]));

/** To the second: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-T:]/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050
    ? element(TAG.utcTime, Buffer.from(digits.slice(2)))
    : element(TAG.generalizedTime, Buffer.from(digits));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

/** From the dotted form. The first two numbers share a byte (X.690 section 8.19.4). */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}
