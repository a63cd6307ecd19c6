import type { Socket } from 'node:net';
import { type Frame, FrameReader, type FrameType } from './frames.ts';

/** The other side of a connection, written and read by hand. */
export class RawPeer {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  closed = false;
  readonly #reader = new FrameReader();
  #wake: () => void = () => {};

  constructor(socket: Socket, skip = 0) {
    this.socket = socket;
    let left = skip;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      const begin = Math.min(left, bytes.length);
      left -= begin;
      this.frames.push(...this.#reader.push(bytes.subarray(begin)));
      this.#wake();
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  write(...bytes: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** Waits for the first frame that fits, or undefined where the connection is closed without. */
  async frame(type: FrameType, fits: (frame: Frame) => boolean = () => true): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find((frame) => frame.type === type && fits(frame));
      if (found !== undefined || this.closed) return found;
      await this.#more();
    }
  }

  /** Waits for the end of a stream, and tells how it was answered. */
  async outcome(
    stream: number,
  ): Promise<{ kind: 'answer'; body: string } | { kind: 'reset'; code: number } | { kind: 'closed' }> {
    for (;;) {
      const mine = this.frames.filter((frame) => frame.stream === stream);
      if (mine.some(({ type, flags }) => (type === 'data' || type === 'headers') && (flags & 1) !== 0)) {
        const bodies = mine.filter(({ type }) => type === 'data').map(({ payload }) => payload);
        return { kind: 'answer', body: Buffer.concat(bodies).toString() };
      }
      const reset = mine.find(({ type }) => type === 'rst');
      if (reset !== undefined) return { kind: 'reset', code: reset.payload.readUInt32BE() };
      if (this.closed) return { kind: 'closed' };
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
