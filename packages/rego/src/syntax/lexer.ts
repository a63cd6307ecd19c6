import type { Location, Source } from '../ast/location.ts';
import type { Comment } from '../ast/module.ts';
import { RegoError } from '../error.ts';
import { decodeEscapes } from './strings.ts';
import { KEYWORDS, type Punctuation, type TemplatePart, type Token, type TokenKind } from './token.ts';

export interface Lexed {
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

/** Template strings inside template strings inside …; each level is one call. */
const MAX_TEMPLATE_DEPTH = 50;

const PUNCTUATION: ReadonlySet<string> = new Set('+-*/%&|=<>()[]{}.,;:'.split(''));
const PAIRS: ReadonlySet<string> = new Set(['==', '!=', '<=', '>=', ':=']);

const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:0|[1-9][0-9]*)?(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/**
 * Splits a text into tokens and comments.
 * Throws a RegoError (`rego_parse_error`) at the first character that begins nothing.
 */
export const lex = (source: Source): Lexed => new Lexer(source).run();

class Lexer {
  readonly #source: Source;
  readonly #text: string;
  readonly #comments: Comment[] = [];
  #at = 0;
  #row = 1;
  #lineStart = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#text = source.text;
  }

  run(): Lexed {
    const tokens: Token[] = [];
    for (;;) {
      const token = this.#next(0);
      tokens.push(token);
      if (token.kind === 'eof') return { tokens, comments: this.#comments };
    }
  }

  #next(depth: number): Token {
    const spaced = this.#skipSpace();
    const begin = { start: this.#at, row: this.#row, column: this.#at - this.#lineStart + 1, spaced };
    const character = this.#text[this.#at];
    if (character === undefined) return this.#token('eof', '', begin);
    if (/[A-Za-z_]/.test(character)) return this.#word(begin);
    if (isDigit(character) || (character === '.' && isDigit(this.#text[this.#at + 1])))
      return this.#number(begin);
    if (character === '"') return this.#token('string', this.#quoted(), begin);
    if (character === '`') return this.#token('raw string', this.#raw(), begin);
    if (character === '$') return this.#template(begin, depth);
    return this.#punctuation(begin);
  }

  /** Skips blanks and comments; whether there were any. */
  #skipSpace(): boolean {
    const start = this.#at;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === '\n') this.#newline();
      else if (character === ' ' || character === '\t' || character === '\r' || character === '\ufeff')
        this.#at += 1;
      else if (character === '#') this.#comment();
      else return this.#at > start;
    }
  }

  #newline(): void {
    this.#at += 1;
    this.#row += 1;
    this.#lineStart = this.#at;
  }

  #comment(): void {
    const start = this.#at;
    const newline = this.#text.indexOf('\n', start);
    this.#at = newline === -1 ? this.#text.length : newline;
    const text = this.#text.slice(start + 1, this.#at).replace(/\r$/, '');
    this.#comments.push({ text, location: this.#location(start) });
  }

  #word(begin: Begin): Token {
    IDENTIFIER.lastIndex = this.#at;
    const name = IDENTIFIER.exec(this.#text)![0];
    this.#at += name.length;
    return this.#token(KEYWORDS.has(name) ? 'keyword' : 'ident', name, begin);
  }

  #number(begin: Begin): Token {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)![0];
    this.#at += text.length;
    const after = this.#text[this.#at];
    if (after !== undefined && /[A-Za-z0-9_]/.test(after)) {
      throw this.#error(begin.start, isDigit(after) ? 'expected number' : 'illegal number format');
    }
    return this.#token('number', text.startsWith('.') ? `0${text}` : text, begin);
  }

  #quoted(): string {
    const start = this.#at;
    this.#at += 1;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === '\n') throw this.#error(start, 'non-terminated string');
      if (character === '"') break;
      this.#at += character === '\\' ? 2 : 1;
    }
    this.#at += 1;
    const decoded = decodeEscapes(this.#text.slice(start + 1, this.#at - 1));
    if (decoded === undefined) throw this.#error(start, 'illegal string literal');
    return decoded;
  }

  #raw(): string {
    const start = this.#at;
    const end = this.#text.indexOf('`', start + 1);
    if (end === -1) throw this.#error(start, 'non-terminated string');
    this.#at = start + 1;
    this.#advanceTo(end + 1);
    return this.#text.slice(start + 1, end);
  }

  /** Moves on over text that may have line ends. */
  #advanceTo(end: number): void {
    while (this.#at < end) {
      if (this.#text[this.#at] === '\n') this.#newline();
      else this.#at += 1;
    }
  }

  #template(begin: Begin, depth: number): Token {
    const quote = this.#text[this.#at + 1];
    if (quote !== '"' && quote !== '`') throw this.#error(this.#at, 'illegal token');
    if (depth >= MAX_TEMPLATE_DEPTH) throw this.#error(this.#at, 'template strings are nested too deeply');
    this.#at += 2;
    const parts: TemplatePart[] = [];
    let textStart = this.#at;
    const finishText = (): void => {
      const text = this.#templateText(textStart, quote === '"');
      if (text !== '') parts.push({ type: 'text', text });
    };
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || (character === '\n' && quote === '"')) {
        throw this.#error(begin.start, 'non-terminated string');
      }
      if (character === quote) break;
      if (character === '{') {
        finishText();
        this.#at += 1;
        parts.push({ type: 'expression', tokens: this.#templateExpression(begin.start, depth) });
        textStart = this.#at;
      } else if (character === '\n') {
        this.#newline();
      } else {
        this.#at += character === '\\' && this.#escapes(quote) ? 2 : 1;
      }
    }
    finishText();
    this.#at += 1;
    return { ...this.#token('template', '', begin), parts, multiline: quote === '`' };
  }

  /** In backticks only a brace can be escaped. */
  #escapes(quote: string): boolean {
    return quote === '"' || this.#text[this.#at + 1] === '{';
  }

  #templateText(start: number, escapes: boolean): string {
    const text = this.#text.slice(start, this.#at);
    if (!escapes) return text.replaceAll('\\{', '{');
    const decoded = decodeEscapes(text, '{');
    if (decoded === undefined) throw this.#error(start, 'illegal string literal');
    return decoded;
  }

  /** The tokens up to the brace that closes the expression, and an end after them. */
  #templateExpression(start: number, depth: number): readonly Token[] {
    const tokens: Token[] = [];
    let open = 0;
    for (;;) {
      const token = this.#next(depth + 1);
      if (token.kind === 'eof') throw this.#error(start, 'non-terminated string');
      if (token.kind === '{') open += 1;
      if (token.kind === '}' && open === 0) {
        tokens.push({ ...token, kind: 'eof' });
        return tokens;
      }
      if (token.kind === '}') open -= 1;
      tokens.push(token);
    }
  }

  #punctuation(begin: Begin): Token {
    const pair = this.#text.slice(this.#at, this.#at + 2);
    if (PAIRS.has(pair)) {
      this.#at += 2;
      return this.#token(pair as Punctuation, pair, begin);
    }
    const character = this.#text[this.#at]!;
    if (!PUNCTUATION.has(character)) throw this.#error(this.#at, 'illegal token');
    this.#at += 1;
    return this.#token(character as Punctuation, character, begin);
  }

  #token(kind: TokenKind, text: string, begin: Begin): Token {
    return { kind, text, ...begin, end: this.#at, endRow: this.#row };
  }

  #location(start: number): Location {
    const end = Math.max(start, this.#at);
    return { source: this.#source, row: this.#row, column: start - this.#lineStart + 1, start, end };
  }

  #error(start: number, message: string): RegoError {
    return new RegoError('rego_parse_error', message, this.#location(start));
  }
}

type Begin = Pick<Token, 'start' | 'row' | 'column' | 'spaced'>;

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= '0' && character <= '9';
