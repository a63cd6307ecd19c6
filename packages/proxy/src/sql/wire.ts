/** PostgreSQL's protocol 3 (manual, chapter 55 "Frontend/Backend Protocol"): a type byte, a length that counts itself, the content. */

/** How a reader takes messages of a type: put together, handed on as they come, or not at all. */
export type Handling = 'whole' | 'stream' | 'unknown';

export type Frame =
  /** Header included. */
  | { readonly kind: 'message'; readonly type: string; readonly bytes: Buffer }
  /** Pieces of messages that are handed on; well-formed so far. */
  | { readonly kind: 'stream'; readonly bytes: Buffer }
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed'; readonly reason: string };

const HEADER = 5;
const MORE: Frame = { kind: 'more' };
/** The server's own bound for one message (`PQ_LARGE_MESSAGE_LIMIT`, 1 GiB less a bit). */
const MAX_LENGTH = 0x3fffffff;

/** Takes a stream of messages apart, wherever it is cut. Pulled, so that its user can wait between two of them. */
export class FrameReader {
  readonly #handling: (type: string) => Handling;
  readonly #maxWhole: (type: string) => number;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** What is still to come of a message that is handed on. */
  #streaming = 0;

  constructor(handling: (type: string) => Handling, maxWhole: (type: string) => number) {
    this.#handling = handling;
    this.#maxWhole = maxWhole;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** Bytes that were not taken yet. */
  get size(): number {
    return this.#size;
  }

  /** The rest of a message is still to come of which the beginning was handed on. */
  get midMessage(): boolean {
    return this.#streaming > 0;
  }

  next(): Frame {
    if (this.#size === 0) return MORE;
    if (this.#streaming > 0) return this.#stream();
    if (this.#size < HEADER) return MORE;
    const header = this.#front(HEADER);
    const type = String.fromCharCode(header[0]!);
    const length = header.readUInt32BE(1);
    const handling = this.#handling(type);
    if (handling === 'unknown')
      return malformed(`a message of the type 0x${header[0]!.toString(16)} has no place here`);
    if (length < 4 || length > MAX_LENGTH) return malformed('a message has an impossible length');
    if (handling === 'stream') return this.#stream();
    if (length + 1 > this.#maxWhole(type))
      return malformed(`a message of ${length + 1} bytes is longer than ${this.#maxWhole(type)}`);
    return this.#size < length + 1 ? MORE : { kind: 'message', type, bytes: this.#take(length + 1) };
  }

  /** As much as there is in the first chunk of messages to hand on, so that many small ones are one piece. */
  #stream(): Frame {
    const chunk = this.#chunks[0]!;
    let end = Math.min(this.#streaming, chunk.length);
    this.#streaming -= end;
    while (this.#streaming === 0 && end + HEADER <= chunk.length) {
      const length = chunk.readUInt32BE(end + 1);
      if (this.#handling(String.fromCharCode(chunk[end]!)) !== 'stream' || length < 4 || length > MAX_LENGTH)
        break;
      const available = Math.min(length + 1, chunk.length - end);
      this.#streaming = length + 1 - available;
      end += available;
    }
    return { kind: 'stream', bytes: this.#take(end) };
  }

  /** The first bytes, in one piece, without taking them. */
  #front(length: number): Buffer {
    if (this.#chunks[0]!.length < length) this.#merge(length);
    return this.#chunks[0]!;
  }

  #take(length: number): Buffer {
    const first = this.#front(length);
    this.#size -= length;
    if (first.length === length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(length);
    return first.subarray(0, length);
  }

  /** Joins chunks until the first has at least this length: each byte is copied once for each message. */
  #merge(length: number): void {
    let count = 0;
    for (let size = 0; size < length; count++) size += this.#chunks[count]!.length;
    this.#chunks.splice(0, count, Buffer.concat(this.#chunks.slice(0, count)));
  }
}

const malformed = (reason: string): Frame => ({ kind: 'malformed', reason });

/** One message. */
export function message(type: string, ...content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 4);
  const header = Buffer.alloc(HEADER);
  header.write(type, 'latin1');
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, ...content]);
}

/** A string with its NUL. One inside of it would end it early, so there is none. */
export const cString = (text: string): Buffer => Buffer.from(`${text.replaceAll('\0', '')}\0`);

export interface ErrorReport {
  readonly severity: 'ERROR' | 'FATAL';
  /** SQLSTATE (manual, appendix A). */
  readonly sqlState: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** An ErrorResponse (manual, section 55.8). */
export function errorResponse({ severity, sqlState, message: text, detail, hint }: ErrorReport): Buffer {
  const fields: [string, string | undefined][] = [
    ['S', severity],
    ['V', severity],
    ['C', sqlState],
    ['M', text],
    ['D', detail],
    ['H', hint],
  ];
  const written = fields.flatMap(([code, value]) => (value === undefined ? [] : [cString(code + value)]));
  return message('E', ...written, Buffer.from([0]));
}

/** Walks over the content of a message; any read beyond its end makes it malformed. */
export class ContentReader {
  readonly #bytes: Buffer;
  #at: number;
  /** Something was not as it must be. */
  overrun = false;

  constructor(bytes: Buffer, from = HEADER) {
    this.#bytes = bytes;
    this.#at = from;
  }

  /** Everything was read, and well. */
  get complete(): boolean {
    return !this.overrun && this.#at === this.#bytes.length;
  }

  /** The bytes of a string, without its NUL. */
  string(): Buffer {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) this.overrun = true;
    if (this.overrun) return Buffer.alloc(0);
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return value;
  }

  int16(): number {
    return this.take(2)?.readInt16BE() ?? 0;
  }

  int32(): number {
    return this.take(4)?.readInt32BE() ?? 0;
  }

  /** That many bytes; undefined beyond the end. */
  take(length: number): Buffer | undefined {
    if (length < 0 || this.#at + length > this.#bytes.length) this.overrun = true;
    if (this.overrun) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Buffer {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }
}
