const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 255, value & 255]);
const vector = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes]);

/** A handshake message as TLS records of at most so many bytes each. */
export function records(message: Buffer, size = 16_384): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    parts.push(Buffer.from([22, 3, 1]), vector(message.subarray(at, at + size)));
  }
  return Buffer.concat(parts);
}

export const serverNameExtension = (name: string): Buffer =>
  Buffer.concat([
    u16(0),
    vector(vector(Buffer.concat([Buffer.from([0]), vector(Buffer.from(name, 'latin1'))]))),
  ]);

/** A ClientHello message (without records) with these extensions, each complete. */
export function helloMessage(extensions: readonly Buffer[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    vector(Buffer.from([0x13, 0x01])),
    Buffer.from([1, 0]),
    vector(Buffer.concat(extensions)),
  ]);
  return Buffer.concat([Buffer.from([1]), u24(body.length), body]);
}

/** The first flight of a TLS client. */
export function clientHello(name: string | undefined, recordSize?: number): Buffer {
  const versions = Buffer.concat([u16(43), vector(Buffer.from([2, 3, 4]))]);
  const extensions = name === undefined ? [versions] : [versions, serverNameExtension(name)];
  return records(helloMessage(extensions), recordSize);
}
