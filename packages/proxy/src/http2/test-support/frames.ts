/** Frames of HTTP/2 as no library would write them (RFC 9113 section 4, RFC 7541 section 6.2.2: literals without indexing). */

export type Pairs = readonly (readonly [name: string, value: string])[];

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const TYPES = [
  'data',
  'headers',
  'priority',
  'rst',
  'settings',
  'push',
  'ping',
  'goaway',
  'window',
  'continuation',
] as const;

export type FrameType = (typeof TYPES)[number];

export interface Frame {
  readonly type: FrameType;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

export function frame(
  type: FrameType,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = TYPES.indexOf(type);
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A whole head, in as many frames as it needs. */
export function headers(stream: number, pairs: Pairs, flags = END_STREAM): Buffer {
  const block = fieldBlock(pairs);
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME) {
    const last = at + MAX_FRAME >= block.length ? END_HEADERS : 0;
    const part = block.subarray(at, at + MAX_FRAME);
    frames.push(
      at === 0 ? frame('headers', flags | last, stream, part) : frame('continuation', last, stream, part),
    );
  }
  return Buffer.concat(frames);
}

const MAX_FRAME = 16_384;

export const data = (stream: number, text: string, flags = 0): Buffer =>
  frame('data', flags, stream, Buffer.from(text));

export const reset = (stream: number, code: number): Buffer => frame('rst', 0, stream, number32(code));

export const settings = (): Buffer => frame('settings', 0, 0);

export const goaway = (lastStream: number, code: number): Buffer =>
  frame('goaway', 0, 0, Buffer.concat([number32(lastStream), number32(code)]));

export const fieldBlock = (pairs: Pairs): Buffer =>
  Buffer.concat(
    pairs.map(([name, value]) => Buffer.concat([Buffer.from([0]), literal(name), literal(value)])),
  );

/** RFC 7541 sections 5.1 and 5.2, without Huffman code. */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length = [Math.min(bytes.length, 127)];
  if (bytes.length >= 127) {
    let rest = bytes.length - 127;
    for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** Takes bytes cut anywhere, and returns the frames that are complete. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): Frame[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const frames: Frame[] = [];
    while (this.#bytes.length >= 9) {
      const end = 9 + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) break;
      frames.push({
        type: TYPES[this.#bytes[3]!]!,
        flags: this.#bytes[4]!,
        stream: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, end),
      });
      this.#bytes = this.#bytes.subarray(end);
    }
    return frames;
  }
}
