import type { Socket } from 'node:net';
import type { BodyLength, BodySink } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';
import { passableTrailers } from '../http/trailers.ts';
import { reset } from '../relay/reset.ts';

/** Bytes up to this many are copied together with what frames them: one write is cheaper than three. */
const JOINED_BYTES = 16_384;
const CRLF = '\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** Writes one message of HTTP/1 to a socket: its head, then its body as content comes in, framed as the head says. */
export class MessageWriter implements BodySink {
  readonly transient = true;
  onDrain: () => void = () => {};
  readonly #socket: Socket;
  readonly #chunked: boolean;
  readonly #onEnd: (complete: boolean) => void;
  #head: string | undefined;
  /** Bytes of content that the head has promised and that did not come yet. */
  #left: number;
  #over = false;
  #waiting = false;

  /** `onEnd` is called once, when the last byte was written (`true`) or the message was given up. */
  constructor(
    socket: Socket,
    head: string,
    length: BodyLength,
    chunked: boolean,
    onEnd: (complete: boolean) => void,
  ) {
    this.#socket = socket;
    this.#head = head;
    this.#chunked = chunked;
    this.#onEnd = onEnd;
    this.#left =
      length.kind === 'none' ? 0 : length.kind === 'length' ? length.length : Number.POSITIVE_INFINITY;
    // What comes within this turn goes out together with the head; nothing waits longer.
    queueMicrotask(this.#flush);
  }

  write(bytes: Buffer): boolean {
    if (this.#over || bytes.length === 0) return true;
    if (bytes.length > this.#left) {
      this.abort('the body is longer than its length');
      return true;
    }
    this.#left -= bytes.length;
    const before = this.#takeHead() + (this.#chunked ? `${bytes.length.toString(16)}\r\n` : '');
    return this.#room(this.#send(before, bytes, this.#chunked ? CRLF : ''));
  }

  end(trailers: readonly HeaderField[]): void {
    if (this.#over) return;
    if (this.#left !== 0 && this.#left !== Number.POSITIVE_INFINITY) {
      this.abort('the body is shorter than its length');
      return;
    }
    const last = this.#takeHead() + (this.#chunked ? lastChunk(trailers) : '');
    if (last !== '') this.#socket.write(last, 'latin1');
    this.#finish(true);
  }

  abort(_reason: string): void {
    if (this.#over) return;
    this.#head = undefined;
    reset(this.#socket);
    this.#finish(false);
  }

  #takeHead(): string {
    const head = this.#head;
    if (head === undefined) return '';
    this.#head = undefined;
    return head;
  }

  readonly #flush = (): void => {
    const head = this.#takeHead();
    if (head !== '') this.#socket.write(head, 'latin1');
  };

  #send(before: string, bytes: Buffer, after: string): boolean {
    const socket = this.#socket;
    if (before === '' && after === '') return socket.write(this.#kept(bytes));
    if (bytes.length <= JOINED_BYTES) {
      const joined = Buffer.allocUnsafe(before.length + bytes.length + after.length);
      joined.write(before, 0, 'latin1');
      bytes.copy(joined, before.length);
      if (after !== '') joined.write(after, before.length + bytes.length, 'latin1');
      return socket.write(joined);
    }
    socket.cork();
    socket.write(before, 'latin1');
    let room = socket.write(Buffer.from(bytes));
    if (after !== '') room = socket.write(after, 'latin1');
    socket.uncork();
    return room;
  }

  /** The TLS library takes what it is given at once unless an earlier write is under way; everything else has to wait as a copy. */
  #kept(bytes: Buffer): Buffer {
    const socket = this.#socket;
    return 'encrypted' in socket && socket.writableLength === 0 ? bytes : Buffer.from(bytes);
  }

  #room(room: boolean): boolean {
    if (room) return true;
    if (!this.#waiting) {
      this.#waiting = true;
      this.#socket.once('drain', () => {
        this.#waiting = false;
        if (!this.#over) this.onDrain();
      });
    }
    return false;
  }

  #finish(complete: boolean): void {
    this.#over = true;
    this.#onEnd(complete);
  }
}

function lastChunk(trailers: readonly HeaderField[]): string {
  const passed = passableTrailers(trailers);
  if (passed.length === 0) return LAST_CHUNK;
  return `0\r\n${passed.map(({ name, value }) => `${name}: ${value}\r\n`).join('')}\r\n`;
}
