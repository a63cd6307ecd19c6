/** One element: where it stands as a whole, and what is in it. */
export interface DerElement {
  readonly tag: number;
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** Reads elements one after the other. Any length that does not fit ends it with `RangeError`. */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  next(): DerElement {
    const start = this.#at;
    const tag = this.#byte();
    const length = this.#length();
    const from = this.#at;
    if (from + length > this.#bytes.length) throw new RangeError('a DER element is cut short');
    this.#at = from + length;
    return {
      tag,
      whole: this.#bytes.subarray(start, this.#at),
      content: this.#bytes.subarray(from, this.#at),
    };
  }

  /** The next element's content. `RangeError` where it has another tag. */
  expect(tag: number): Buffer {
    const found = this.next();
    if (found.tag !== tag) throw new RangeError(`a DER element has tag ${found.tag} instead of ${tag}`);
    return found.content;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('a DER element is cut short');
    this.#at += 1;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new RangeError('a DER length is not acceptable');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    return length;
  }
}
