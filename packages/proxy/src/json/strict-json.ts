import { isUtf8 } from 'node:buffer';
import type { Limits } from '../limits.ts';
import type { JsonObject, JsonValue } from './json-value.ts';

export type JsonLimits = Pick<Limits, 'jsonDepth' | 'jsonValues' | 'jsonNumberLength'>;

export type JsonResult =
  | { readonly kind: 'value'; readonly value: JsonValue }
  /** `offset`: where, in bytes from the beginning. */
  | { readonly kind: 'fault'; readonly reason: string; readonly offset: number };

/**
 * Parses a JSON text (RFC 8259) of which every reader makes the same: valid UTF-8 without byte order mark, no name twice in one
 * object, no NUL in a name (some readers stop there), no half of a surrogate pair, no number beyond a double.
 * The caller bounds the length of the text; the limits bound what is made of it.
 */
export function parseStrictJson(input: Buffer | string, limits: JsonLimits): JsonResult {
  if (typeof input === 'string' ? !input.isWellFormed() : !isUtf8(input))
    return { kind: 'fault', reason: 'not valid UTF-8', offset: 0 };
  const text = typeof input === 'string' ? input : input.toString('utf8');
  try {
    return { kind: 'value', value: new Parser(text, limits).document() };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { kind: 'fault', reason: error.message, offset: Buffer.byteLength(text.slice(0, error.at)) };
  }
}

/** Leaves the recursion; never leaves this file. */
class Fault extends Error {
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const FOUR_HEX = /^[0-9A-Fa-f]{4}$/;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const LITERALS: readonly (readonly [text: string, value: JsonValue])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class Parser {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  document(): JsonValue {
    this.#skipWhitespace();
    const value = this.#value();
    this.#skipWhitespace();
    if (this.#at < this.#text.length) throw this.#fault('something follows the value');
    return value;
  }

  #value(): JsonValue {
    this.#values += 1;
    if (this.#values > this.#limits.jsonValues)
      throw this.#fault(`more than ${this.#limits.jsonValues} values`);
    switch (this.#text.charCodeAt(this.#at)) {
      case OPEN_BRACE:
        return this.#object();
      case OPEN_BRACKET:
        return this.#array();
      case QUOTE:
        return this.#string();
      default: {
        const literal = this.#literal();
        return literal === undefined ? this.#number() : literal;
      }
    }
  }

  #object(): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#enter();
    if (!this.#accept(CLOSE_BRACE)) {
      do {
        this.#skipWhitespace();
        const start = this.#at;
        if (this.#text.charCodeAt(start) !== QUOTE) throw this.#fault('a name is expected');
        const name = this.#string();
        if (members.has(name)) throw new Fault('a name appears twice in one object', start);
        if (name.includes('\0')) throw new Fault('a name contains NUL', start);
        this.#expect(COLON, '":" is expected');
        this.#skipWhitespace();
        members.set(name, this.#value());
      } while (this.#accept(COMMA));
      this.#expect(CLOSE_BRACE, '"," or "}" is expected');
    }
    this.#depth -= 1;
    return members;
  }

  #array(): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.#enter();
    if (!this.#accept(CLOSE_BRACKET)) {
      do {
        this.#skipWhitespace();
        items.push(this.#value());
      } while (this.#accept(COMMA));
      this.#expect(CLOSE_BRACKET, '"," or "]" is expected');
    }
    this.#depth -= 1;
    return items;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > this.#limits.jsonDepth)
      throw this.#fault(`nested more than ${this.#limits.jsonDepth} deep`);
    this.#at += 1;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let read = '';
    let from = start + 1;
    let at = from;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        read += text.slice(from, at);
        const length = text[at + 1] === 'u' ? 6 : 2;
        read += this.#escape(text.slice(at + 1, at + length), at);
        at += length;
        from = at;
      } else if (code >= 0x20) {
        at += 1;
      } else {
        // NaN, which no comparison holds for, comes behind the end of the text.
        throw new Fault(at < text.length ? 'a control character in a string' : 'a string does not end', at);
      }
    }
    this.#at = at + 1;
    if (from === start + 1) return text.slice(from, at);
    read += text.slice(from, at);
    if (!read.isWellFormed()) throw new Fault('half of a surrogate pair', start);
    return read;
  }

  #escape(letters: string, at: number): string {
    if (letters.startsWith('u') && FOUR_HEX.test(letters.slice(1)))
      return String.fromCharCode(Number.parseInt(letters.slice(1), 16));
    const character = ESCAPES.get(letters);
    if (character === undefined) throw new Fault('an escape that JSON does not have', at);
    return character;
  }

  #literal(): JsonValue | undefined {
    for (const [literal, value] of LITERALS) {
      if (!this.#text.startsWith(literal, this.#at)) continue;
      this.#at += literal.length;
      return value;
    }
    return undefined;
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (!match) throw this.#fault('a value is expected');
    const [digits, fraction, exponent] = match;
    if (digits.length > this.#limits.jsonNumberLength)
      throw this.#fault(`a number of more than ${this.#limits.jsonNumberLength} characters`);
    const value = Number(digits);
    if (!Number.isFinite(value)) throw this.#fault('a number that is too large');
    this.#at += digits.length;
    const exact = fraction !== undefined || exponent !== undefined || Number.isSafeInteger(value);
    return exact ? value : BigInt(digits);
  }

  #skipWhitespace(): void {
    // Most texts have none.
    if (this.#text.charCodeAt(this.#at) > 0x20) return;
    WHITESPACE.lastIndex = this.#at;
    WHITESPACE.exec(this.#text);
    this.#at = WHITESPACE.lastIndex;
  }

  #accept(code: number): boolean {
    this.#skipWhitespace();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at += 1;
    return true;
  }

  #expect(code: number, otherwise: string): void {
    if (!this.#accept(code)) throw this.#fault(otherwise);
  }

  #fault(reason: string): Fault {
    return new Fault(reason, this.#at);
  }
}
