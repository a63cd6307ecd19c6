import type { BodyReceiver } from '../exchange/body.ts';
import type { ResponseFraming } from './framing.ts';
import { Malformed } from './malformed.ts';
import { type HeaderField, parseTrailerLine } from './trailers.ts';

export interface BodyLimits {
  readonly chunkLineBytes: number;
  readonly trailerBytes: number;
}

const NO_TRAILERS: readonly HeaderField[] = [];

/**
 * Takes the framing off a body as it comes in. What the receiver gets is content; what is behind the end stays with the
 * caller. Throws `Malformed`.
 */
export interface BodyDecoder {
  /** The end has been read; of a body without a byte, from the beginning and without a word to the receiver. */
  readonly done: boolean;
  /** The receiver is full: the rest is to be offered again once it has room. */
  readonly stalled: boolean;
  /** Takes bytes from `at` on and answers where it stopped: at the end of the body, or at the end of the bytes, or full. */
  push(bytes: Buffer, at: number, receiver: BodyReceiver): number;
}

export function bodyDecoder(framing: ResponseFraming, limits: BodyLimits): BodyDecoder {
  switch (framing.kind) {
    case 'none':
      return new LengthDecoder(0);
    case 'length':
      return new LengthDecoder(framing.length);
    case 'chunked':
      return new ChunkedDecoder(limits);
    case 'until-close':
      return new LengthDecoder(Number.POSITIVE_INFINITY);
    default:
      return framing satisfies never;
  }
}

class LengthDecoder implements BodyDecoder {
  #left: number;
  stalled = false;
  done: boolean;

  constructor(length: number) {
    this.#left = length;
    this.done = length === 0;
  }

  push(bytes: Buffer, at: number, receiver: BodyReceiver): number {
    const available = bytes.length - at;
    const taken = Math.min(available, this.#left);
    this.#left -= taken;
    this.stalled = false;
    if (taken > 0)
      this.stalled = !receiver.data(taken === bytes.length ? bytes : bytes.subarray(at, at + taken));
    if (this.#left === 0) {
      this.done = true;
      receiver.end(NO_TRAILERS);
    }
    return at + taken;
  }
}

const CR = 13;
const LF = 10;
/** RFC 9112 section 7.1: size in hexadecimal, then extensions. 13 digits are exact as a number. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/;

type State = 'size' | 'data' | 'data-end' | 'trailer';

/** Chunk extensions are read strictly and dropped (RFC 9112 section 7.1.1): few ever mean them, and they belong to one connection. */
class ChunkedDecoder implements BodyDecoder {
  readonly #limits: BodyLimits;
  readonly #trailers: HeaderField[] = [];
  #state: State = 'size';
  #left = 0;
  #line = '';
  #trailerBytes = 0;
  stalled = false;
  done = false;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  push(bytes: Buffer, from: number, receiver: BodyReceiver): number {
    let at = from;
    this.stalled = false;
    while (at < bytes.length && !this.done && !this.stalled) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = 'data-end';
        this.stalled = !receiver.data(bytes.subarray(at, end));
        at = end;
      } else {
        at = this.#readLine(bytes, at, receiver);
      }
    }
    return at;
  }

  /** Takes bytes of a line up to its end, or as many as there are. */
  #readLine(bytes: Buffer, from: number, receiver: BodyReceiver): number {
    const found = bytes.indexOf(LF, from);
    const end = found < 0 ? bytes.length : found + 1;
    const room = this.#limits.chunkLineBytes + 2 - this.#line.length;
    const tooLong = end - from > room;
    this.#line += bytes.toString('latin1', from, tooLong ? from + room : end);
    if (this.#state === 'data-end' && this.#line.charCodeAt(0) !== CR)
      throw new Malformed('a chunk is longer than its size');
    const at = this.#line.search(/[\r\n\0]/);
    if (at >= 0 && at < this.#line.length - 2) throw badLine(this.#line, at);
    if (tooLong) throw new Malformed('a line of a chunked body is too long');
    if (found < 0) {
      if (at >= 0 && at === this.#line.length - 2) throw badLine(this.#line, at);
      if (this.#line.endsWith('\0')) throw badLine(this.#line, at);
      return end;
    }
    if (at !== this.#line.length - 2 || this.#line[at] !== '\r') throw badLine(this.#line, at);
    const line = this.#line.slice(0, -2);
    this.#line = '';
    this.#take(line, receiver);
    return end;
  }

  #take(line: string, receiver: BodyReceiver): void {
    switch (this.#state) {
      case 'size':
        this.#takeSize(line);
        return;
      case 'data-end':
        if (line !== '') throw new Malformed('a chunk is longer than its size');
        this.#state = 'size';
        return;
      case 'trailer':
        this.#takeTrailer(line, receiver);
        return;
      case 'data':
        return;
      default:
        this.#state satisfies never;
    }
  }

  #takeSize(line: string): void {
    const parts = SIZE_LINE.exec(line);
    if (parts === null) throw new Malformed('a malformed chunk size');
    this.#left = Number.parseInt(parts[1]!, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'data';
  }

  #takeTrailer(line: string, receiver: BodyReceiver): void {
    if (line === '') {
      this.done = true;
      receiver.end(this.#trailers);
      return;
    }
    this.#trailerBytes += line.length + 2;
    if (this.#trailerBytes > this.#limits.trailerBytes)
      throw new Malformed('the trailer section is too large');
    this.#trailers.push(parseTrailerLine(line));
  }
}

function badLine(line: string, at: number): Malformed {
  if (line[at] === '\n') return new Malformed('a line of a chunked body ends in LF without CR');
  return new Malformed(
    line[at] === '\r' ? 'CR without LF in a chunked body' : 'a NUL byte in a chunked body',
  );
}
