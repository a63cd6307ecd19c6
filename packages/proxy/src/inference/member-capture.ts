/** Longest name and longest value that are looked at, in bytes. */
const NAME_BYTES = 64;
const VALUE_BYTES = 8192;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const isOpening = (byte: number): boolean => byte === 0x7b || byte === 0x5b;
const isClosing = (byte: number): boolean => byte === 0x7d || byte === 0x5d;

/**
 * Finds the value of one member of the object that a JSON text is, as the text comes in: a response of any length is looked
 * through, and no more is kept than that value. Of a text that is not JSON it makes nothing that matters.
 */
export class MemberCapture {
  readonly #name: string;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The string at the object's top level that was read last: before a colon, a name. */
  #string: number[] | undefined;
  #value: number[] | undefined;
  #found: string | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** The text of the value once it is complete. */
  get value(): string | undefined {
    return this.#found;
  }

  push(bytes: Buffer): void {
    if (this.#found !== undefined) return;
    for (const byte of bytes) {
      this.#next(byte);
      if (this.#found !== undefined) return;
    }
  }

  #next(byte: number): void {
    if (this.#inString) {
      this.#inside(byte);
      return;
    }
    if (byte === QUOTE) {
      this.#inString = true;
      if (this.#depth === 1) this.#string = [];
    } else if (isOpening(byte)) this.#depth++;
    else if (isClosing(byte)) this.#depth--;
    const ends = (byte === COMMA && this.#depth === 1) || (isClosing(byte) && this.#depth === 0);
    if (ends && this.#value !== undefined) {
      this.#found = Buffer.from(this.#value).toString('utf8');
      return;
    }
    this.#keep(byte);
    if (byte === COLON && this.#depth === 1 && this.#value === undefined && this.#isName()) this.#value = [];
  }

  #inside(byte: number): void {
    this.#keep(byte);
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      return;
    }
    if (this.#depth === 1 && (this.#string?.length ?? NAME_BYTES) < NAME_BYTES) this.#string!.push(byte);
  }

  #keep(byte: number): void {
    if (this.#value === undefined) return;
    if (this.#value.length >= VALUE_BYTES) this.#value = undefined;
    else this.#value.push(byte);
  }

  #isName(): boolean {
    return this.#string !== undefined && Buffer.from(this.#string).toString('latin1') === this.#name;
  }
}
