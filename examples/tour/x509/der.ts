/** Distinguished Encoding Rules (ITU-T X.690), as far as a certificate needs them. */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
};

/** X.690, 8.1.3: short form below 128, else the number of length bytes and then the length. */
const lengthBytes = (length: number): Buffer => {
  if (length < 0x80) return Buffer.of(length);
  const bytes = Buffer.from(
    length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, '0'),
    'hex',
  );
  return Buffer.concat([Buffer.of(0x80 | bytes.length), bytes]);
};

const element = (tag: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(tag), lengthBytes(content.length), content]);

export const sequence = (...items: readonly Uint8Array[]): Buffer =>
  element(TAG.sequence, Buffer.concat(items));
export const set = (item: Uint8Array): Buffer => element(TAG.set, item);
export const octets = (content: Uint8Array): Buffer => element(TAG.octetString, content);
export const utf8 = (text: string): Buffer => element(TAG.utf8, Buffer.from(text));
export const yes = (): Buffer => element(TAG.boolean, Buffer.of(0xff));

/** A number that is not negative, from its big-endian bytes. */
export const integer = (bytes: Uint8Array): Buffer =>
  element(TAG.integer, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);

/** `unused` is how many bits at the end do not count. */
export const bits = (content: Uint8Array, unused = 0): Buffer =>
  element(TAG.bitString, Buffer.concat([Buffer.of(unused), content]));

/** Context-specific: `[number]` of a structure, constructed or (for implicit strings) not. */
export const tagged = (number: number, content: Uint8Array, constructed = true): Buffer =>
  element(0x80 | (constructed ? 0x20 : 0) | number, content);

/** Years 1950 to 2049, to the second (RFC 5280, 4.1.2.5.1). */
export const utcTime = (time: Date): Buffer =>
  element(TAG.utcTime, Buffer.from(`${time.toISOString().replaceAll(/[-T:]/g, '').slice(2, 14)}Z`));

const base128 = (value: number): number[] => {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
};

/** From the dotted form. The first two numbers share a byte (X.690, 8.19.4). */
export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
};
