import type { Location, Source } from '../ast/location.ts';
import type { RegoVersion } from '../ast/module.ts';
import { RegoError } from '../error.ts';
import { FUTURE_KEYWORDS, type Token, type TokenKind } from './token.ts';

/** Deeper nesting than any person writes; each level is a handful of JavaScript calls. */
const MAX_DEPTH = 500;

/** A place in the row of tokens, with what the grammar needs to know of the module so far. */
export class Cursor {
  readonly source: Source;
  readonly version: RegoVersion;
  readonly #keywords: Set<string>;
  readonly #shared: Shared;
  #tokens: readonly Token[];
  #index = 0;

  constructor(source: Source, tokens: readonly Token[], version: RegoVersion, parent?: Cursor) {
    this.source = source;
    this.version = version;
    this.#tokens = tokens;
    this.#keywords =
      parent === undefined ? new Set(version === 'v1' ? FUTURE_KEYWORDS : []) : parent.#keywords;
    // Trying one reading of a text and then another costs tokens; hostile text could make it try for ever.
    this.#shared =
      parent === undefined ? { depth: 0, wildcards: 0, budget: tokens.length * 20 + 10_000 } : parent.#shared;
  }

  get token(): Token {
    return this.#tokens[this.#index]!;
  }

  get next(): Token {
    return this.#tokens[Math.min(this.#index + 1, this.#tokens.length - 1)]!;
  }

  get previous(): Token {
    return this.#tokens[Math.max(this.#index - 1, 0)]!;
  }

  /** To come back to with `restore`. */
  get mark(): number {
    return this.#index;
  }

  restore(mark: number): void {
    this.#index = mark;
  }

  advance(): Token {
    const token = this.token;
    if (token.kind !== 'eof') this.#index += 1;
    this.#shared.budget -= 1;
    if (this.#shared.budget < 0) throw this.error(token, 'the text is too ambiguous to be parsed');
    return token;
  }

  is(kind: TokenKind): boolean {
    return this.token.kind === kind;
  }

  /** Takes a token of this kind when it is the next one. */
  accept(kind: TokenKind): boolean {
    if (!this.is(kind)) return false;
    this.advance();
    return true;
  }

  /** @param note what was expected, for the message */
  expect(kind: TokenKind, note = `expected ${kind}`): Token {
    if (!this.is(kind)) throw this.unexpected(note);
    return this.advance();
  }

  /** Turns words of `future.keywords` into keywords; v1 begins with all of them. */
  activate(words: Iterable<string>): void {
    for (const word of words) this.#keywords.add(word);
  }

  isActive(word: string): boolean {
    return this.#keywords.has(word);
  }

  /** Whether the next token is this keyword. `if.x` and the like are references. */
  isKeyword(word: string): boolean {
    const { token } = this;
    if (token.text !== word || (token.kind !== 'keyword' && token.kind !== 'ident')) return false;
    if (token.kind === 'ident' && !this.#keywords.has(word)) return false;
    return !this.#dotted();
  }

  acceptKeyword(word: string): boolean {
    if (!this.isKeyword(word)) return false;
    this.advance();
    return true;
  }

  /** Whether the next token can be a name: no keyword, or one that begins a reference. */
  isName(): boolean {
    const { token } = this;
    if (token.kind === 'keyword') return this.#dotted();
    if (token.kind !== 'ident') return false;
    return token.text === 'contains' || !this.#keywords.has(token.text) || this.#dotted();
  }

  #dotted(): boolean {
    return this.next.kind === '.' && !this.next.spaced;
  }

  /** Whether the next token stands on a later line than the last one, or closes something. */
  get atLineStart(): boolean {
    return this.token.row > this.previous.endRow;
  }

  /** Runs `parse` one level deeper. */
  nested<T>(parse: () => T): T {
    this.#shared.depth += 1;
    if (this.#shared.depth > MAX_DEPTH) throw this.error(this.token, 'the text is nested too deeply');
    try {
      return parse();
    } finally {
      this.#shared.depth -= 1;
    }
  }

  /** A new name for a `_`. */
  wildcard(): string {
    this.#shared.wildcards += 1;
    return `$${this.#shared.wildcards}`;
  }

  locate(token: Token): Location {
    const { row, column, start, end } = token;
    return { source: this.source, row, column, start, end };
  }

  /** From the beginning of a token to the end of the last one taken. */
  since(token: Token): Location {
    const { row, column, start } = token;
    return { source: this.source, row, column, start, end: Math.max(token.end, this.previous.end) };
  }

  error(token: Token, message: string): RegoError {
    return new RegoError('rego_parse_error', message, this.locate(token));
  }

  /** The error of a token that the grammar does not have here, as OPA words it. */
  unexpected(note?: string): RegoError {
    const { token } = this;
    const keyword = token.kind === 'keyword' || (token.kind === 'ident' && this.#keywords.has(token.text));
    const name = keyword ? `${token.text} keyword` : `${token.kind} token`;
    return this.error(token, `unexpected ${name}${note === undefined ? '' : `: ${note}`}`);
  }
}

interface Shared {
  depth: number;
  wildcards: number;
  budget: number;
}
