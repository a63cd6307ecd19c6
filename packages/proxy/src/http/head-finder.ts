import { Malformed } from './malformed.ts';

const NUL = 0;
const LF = 10;
const CR = 13;
const TLS_HANDSHAKE = 22;
const END = Buffer.from('\r\n\r\n');

export interface FoundHead {
  /** Holds the head at its beginning. */
  readonly bytes: Buffer;
  /** Length of the head, its empty line included. */
  readonly end: number;
  /** What came along behind the head. */
  readonly rest: Buffer;
}

/**
 * Finds where a message's head ends as its bytes come in. The usual head comes in one piece and costs one search; of any
 * other, every byte is looked at as it comes, so that what can never become a head is known at once.
 */
export class HeadFinder {
  readonly #maxBytes: number;
  readonly #onFirstLine: (bytes: Buffer, end: number) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #scanned = 0;
  #lineStart = 0;
  #lines = 0;

  /** `onFirstLine` may throw `Malformed`; it sees the line with its CR LF, once, before the head is complete. */
  constructor(maxBytes: number, onFirstLine: (bytes: Buffer, end: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onFirstLine = onFirstLine;
  }

  /** True when no byte has come yet. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** A head that has come in one piece: where it ends is not proof that what is before is one. */
  findWhole(chunk: Buffer): FoundHead | undefined {
    if (this.#length > 0) return undefined;
    const end = chunk.indexOf(END) + END.length;
    if (end < END.length || end > this.#maxBytes) return undefined;
    return { bytes: chunk, end, rest: chunk.subarray(end) };
  }

  /** Takes the next bytes and judges each; undefined until the head is complete. Throws `Malformed`. */
  push(chunk: Buffer): FoundHead | undefined {
    const before = this.#length;
    this.#append(chunk);
    const end = this.#scan();
    return end === undefined ? undefined : { bytes: this.#bytes, end, rest: chunk.subarray(end - before) };
  }

  /** Keeps at most one byte over the limit: that byte makes the fault. */
  #append(chunk: Buffer): void {
    if (this.#length === 0) {
      this.#bytes = chunk;
      this.#length = chunk.length;
      return;
    }
    const wanted = Math.min(this.#length + chunk.length, this.#maxBytes + 1);
    if (wanted > this.#bytes.length || this.#bytes.length === this.#length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#length, 512));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#length, 0, wanted - this.#length);
    this.#length = wanted;
  }

  #scan(): number | undefined {
    const bytes = this.#bytes;
    for (; this.#scanned < this.#length; this.#scanned++) {
      const at = this.#scanned;
      if (at >= this.#maxBytes) throw new Malformed(`the head is larger than ${this.#maxBytes} bytes`, 431);
      const byte = bytes[at]!;
      const afterCr = at > this.#lineStart && bytes[at - 1] === CR;
      if (byte === LF) {
        if (!afterCr) throw new Malformed('a line ends in LF without CR');
        if (this.#lines > 0 && at - 1 === this.#lineStart) return at + 1;
        if (this.#lines++ === 0) this.#onFirstLine(bytes, at + 1);
        this.#lineStart = at + 1;
      } else if (afterCr) {
        throw new Malformed('CR without LF');
      } else if (byte === NUL) {
        throw new Malformed('a NUL byte in the head');
      } else if (at === 0 && byte === TLS_HANDSHAKE) {
        throw new Malformed('this is TLS where plain HTTP is spoken (for a proxy, use an http:// proxy URL)');
      }
    }
    return undefined;
  }
}
