import type { Socket } from 'node:net';
import { cString, FrameReader, message } from '../wire.ts';

export interface Heard {
  readonly type: string;
  readonly bytes: Buffer;
}

/** One end of a connection that speaks the protocol message by message. */
export class WirePeer {
  readonly socket: Socket;
  readonly #reader = new FrameReader(
    () => 'whole',
    () => 1e7,
  );
  #raw = Buffer.alloc(0);
  #framed = false;
  readonly #waiting: (() => void)[] = [];
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (this.#framed) this.#reader.push(chunk);
      else this.#raw = Buffer.concat([this.#raw, chunk]);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#end());
    socket.on('end', () => this.#end());
  }

  #end(): void {
    this.closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** That many bytes that have no type. */
  async bytes(count: number): Promise<Buffer> {
    while (this.#raw.length < count) {
      if (this.closed) throw new Error('closed');
      await this.#change();
    }
    const taken = this.#raw.subarray(0, count);
    this.#raw = this.#raw.subarray(count);
    return taken;
  }

  /** A start-up packet, whose length comes first. */
  async packet(): Promise<Buffer> {
    const length = (await this.bytes(4)).readUInt32BE();
    return this.bytes(length - 4);
  }

  /** The next message; undefined at the end. */
  async next(): Promise<Heard | undefined> {
    if (!this.#framed) {
      this.#framed = true;
      this.#reader.push(this.#raw);
    }
    for (;;) {
      const frame = this.#reader.next();
      if (frame.kind === 'message') return frame;
      if (frame.kind !== 'more') throw new Error('not the protocol');
      if (this.closed) return undefined;
      await this.#change();
    }
  }

  /** The types of messages up to and including one of this type. */
  async until(type: string): Promise<Heard[]> {
    const heard: Heard[] = [];
    for (;;) {
      const one = await this.next();
      if (one === undefined) return heard;
      heard.push(one);
      if (one.type === type) return heard;
    }
  }

  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  async ended(): Promise<void> {
    while (!this.closed) await this.#change();
  }
}

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16s = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [i, value] of values.entries()) bytes.writeInt16BE(value, i * 2);
  return bytes;
};

export const query = (text: string | Buffer): Buffer =>
  message('Q', typeof text === 'string' ? cString(text) : Buffer.concat([text, Buffer.from([0])]));
export const parse = (name: string, text: string): Buffer =>
  message('P', cString(name), cString(text), int16s(0));
export const bind = (portal: string, name: string): Buffer =>
  message('B', cString(portal), cString(name), int16s(0, 0, 0));
export const execute = (portal: string): Buffer => message('E', cString(portal), int32(0));
export const sync = (): Buffer => message('S');

/** What a server says at the end of a login. */
export const greeting = (settings: Readonly<Record<string, string>> = {}, key: Buffer = int32(1)): Buffer => {
  const all = { standard_conforming_strings: 'on', client_encoding: 'UTF8', ...settings };
  return Buffer.concat([
    message('R', int32(0)),
    ...Object.entries(all).map(([name, value]) => message('S', cString(name), cString(value))),
    message('K', int32(77), key),
    message('Z', Buffer.from('I')),
  ]);
};
