import type { BodyFraming } from './framing.ts';

export type BodyResult =
  | {
      readonly kind: 'body';
      /** To be sent on, framed anew. */
      readonly output: readonly Buffer[];
      /** True with the last byte of the body; what came behind it was dropped. */
      readonly done: boolean;
    }
  | { readonly kind: 'fault'; readonly detail: string };

export interface BodyLimits {
  readonly chunkLineBytes: number;
  readonly trailerBytes: number;
}

/** Reads a body as it comes in and frames it anew, so that nothing reaches the upstream that was not understood. */
export interface BodyReader {
  push(chunk: Buffer): BodyResult;
}

export function bodyReader(framing: BodyFraming, limits: BodyLimits): BodyReader {
  switch (framing.kind) {
    case 'none':
      return { push: () => ({ kind: 'body', output: [], done: true }) };
    case 'length':
      return new LengthReader(framing.length);
    case 'chunked':
      return new ChunkedReader(limits);
    default: {
      const unreachable: never = framing;
      return unreachable;
    }
  }
}

class LengthReader implements BodyReader {
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  push(chunk: Buffer): BodyResult {
    const taken = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= taken.length;
    return { kind: 'body', output: taken.length === 0 ? [] : [taken], done: this.#left === 0 };
  }
}

const CR = 13;
const LF = 10;
const CRLF = Buffer.from('\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
/** RFC 9112 section 7.1: size in hexadecimal, then extensions. 13 digits are exact as a number. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/;
/** RFC 9112 section 5, one line of a trailer section. */
const FIELD_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done';

/** Chunk extensions and trailer fields are read strictly and dropped: both may be, and few ever mean them. */
class ChunkedReader implements BodyReader {
  readonly #limits: BodyLimits;
  #state: State = 'size';
  #left = 0;
  #line = '';
  #trailerBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  push(chunk: Buffer): BodyResult {
    const output: Buffer[] = [];
    let at = 0;
    while (at < chunk.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const end = Math.min(chunk.length, at + this.#left);
        this.#data(chunk.subarray(at, end), output);
        at = end;
        continue;
      }
      const detail = this.#lineByte(chunk[at]!, output);
      if (detail !== undefined) return { kind: 'fault', detail };
      at += 1;
    }
    return { kind: 'body', output, done: this.#state === 'done' };
  }

  #data(bytes: Buffer, output: Buffer[]): void {
    output.push(Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF);
    this.#left -= bytes.length;
    if (this.#left === 0) this.#state = 'data-end';
  }

  /** Takes a byte of a line; answers what is wrong, if anything is. */
  #lineByte(byte: number, output: Buffer[]): string | undefined {
    const afterCr = this.#line.endsWith('\r');
    if (byte === LF) {
      if (!afterCr) return 'a line of a chunked body ends in LF without CR';
      const line = this.#line.slice(0, -1);
      this.#line = '';
      return this.#takeLine(line, output);
    }
    if (afterCr) return 'CR without LF in a chunked body';
    if (this.#state === 'data-end' && byte !== CR) return 'a chunk is longer than its size';
    this.#line += String.fromCharCode(byte);
    if (this.#line.length > this.#limits.chunkLineBytes) return 'a line of a chunked body is too long';
    return undefined;
  }

  #takeLine(line: string, output: Buffer[]): string | undefined {
    switch (this.#state) {
      case 'size':
        return this.#takeSize(line);
      case 'data-end':
        this.#state = 'size';
        return undefined;
      case 'trailer':
        return this.#takeTrailer(line, output);
      default:
        return undefined;
    }
  }

  #takeSize(line: string): string | undefined {
    const parts = SIZE_LINE.exec(line);
    if (parts === null) return 'a malformed chunk size';
    this.#left = Number.parseInt(parts[1]!, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'data';
    return undefined;
  }

  #takeTrailer(line: string, output: Buffer[]): string | undefined {
    if (line === '') {
      output.push(LAST_CHUNK);
      this.#state = 'done';
      return undefined;
    }
    this.#trailerBytes += line.length + 2;
    if (this.#trailerBytes > this.#limits.trailerBytes) return 'the trailer section is too large';
    return FIELD_LINE.test(line) ? undefined : 'a malformed trailer field';
  }
}
