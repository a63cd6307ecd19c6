/** Netlink messages for a machine with little-endian numbers, which x86-64 and arm64 are (netlink(7)). */

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

const NLA_F_NESTED = 0x8000;

/** Attributes and messages begin at multiples of four bytes. */
const padded = (bytes: Uint8Array): Buffer => {
  const result = Buffer.alloc((bytes.length + 3) & ~3);
  result.set(bytes);
  return result;
};

export const attribute = (type: number, value: Uint8Array): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(4 + value.length, 0);
  header.writeUInt16LE(type, 2);
  return Buffer.concat([header, padded(value)]);
};

/** An attribute made of attributes. */
export const nested = (type: number, parts: readonly Uint8Array[]): Buffer =>
  attribute(type | NLA_F_NESTED, Buffer.concat(parts));

export const textAttribute = (type: number, value: string): Buffer =>
  attribute(type, Buffer.from(`${value}\0`));

/** nf_tables has its integers in network byte order. */
export const numberAttribute = (type: number, value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return attribute(type, bytes);
};

export const message = (type: number, flags: number, sequence: number, payload: Uint8Array): Buffer => {
  const body = padded(payload);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags | NLM_F_REQUEST, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
};
