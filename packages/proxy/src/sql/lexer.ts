/**
 * A token of SQL as PostgreSQL's scanner makes them (manual, section 4.1). `word`: an identifier or key word that was not
 * quoted, in lower case. `name`: a quoted identifier. Operators come one character at a time: only their place matters.
 */
export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'parameter' | 'symbol';
  /** The identifier as the server understands it, the text of a string, the character of a symbol; else empty. */
  readonly text: string;
}

/** What can change the meaning of the same text. */
export interface LexicalState {
  /** False where it is off or could be: then a backslash in '...' is ambiguous, and refused. */
  readonly standardStrings: boolean;
  /** False where the text is in an encoding that names are not understood in: then names must be ASCII. */
  readonly unicodeNames: boolean;
}

export type LexResult =
  | { readonly kind: 'tokens'; readonly tokens: readonly Token[] }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Splits a text into tokens. What PostgreSQL would refuse, and what two versions of it read differently, is malformed. */
export function tokenize(text: string, state: LexicalState): LexResult {
  const lexer = new Lexer(text, state);
  try {
    return { kind: 'tokens', tokens: lexer.run() };
  } catch (error) {
    if (error instanceof LexError) return { kind: 'malformed', reason: error.message };
    throw error;
  }
}

/** Only used inside of this file: a scanner is read best without a result to unpack at each step. */
class LexError extends Error {}

/** As the server does it: ASCII letters only. */
const lowerCase = (word: string): string =>
  /[A-Z]/.test(word) ? word.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : word;

/** `NAMEDATALEN` - 1: the server cuts longer identifiers off, so two spellings can mean the same table. */
const NAME_BYTES = 63;
const SPACES = new Set(' \t\n\r\f\v');
// Every character that is not ASCII belongs to identifiers, spaces of Unicode included.
const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const WORD_CHARACTER = /[A-Za-z0-9_$\u0080-\uffff]/;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const PARAMETER = /\$[0-9]+/y;
// Since PostgreSQL 16 also 0x, 0o, 0b and underscores between digits.
const NUMBER =
  /0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][-+]?[0-9](?:_?[0-9])*)?/y;
const SYMBOLS = new Set('()[],;.:+-*/%^<>=~!@#&|`?');
/** What stands between two parts of one literal: spaces and `--` comments with at least one line break (section 4.1.2.1). */
const CONTINUATION = /(?:[ \t\f\v]|--[^\n\r]*(?=[\n\r]))*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y;
/** A quote after a literal that continues none. Grammar has hardly any place for it, and readers differ about comments. */
const NEXT_QUOTE = /(?:[ \t\n\r\f\v]|--[^\n\r]*(?:[\n\r]|$))*'/y;

class Lexer {
  readonly #text: string;
  readonly #state: LexicalState;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(text: string, state: LexicalState) {
    this.#text = text;
    this.#state = state;
  }

  run(): readonly Token[] {
    while (this.#at < this.#text.length) this.#next();
    return this.#tokens;
  }

  #next(): void {
    const text = this.#text;
    const character = text[this.#at]!;
    const following = text[this.#at + 1];
    if (SPACES.has(character)) this.#at++;
    else if (character === '-' && following === '-') this.#lineComment();
    else if (character === '/' && following === '*') this.#blockComment();
    else if (character === "'") this.#string(1, 'plain');
    else if (character === '"') this.#add('name', this.#cut(this.#quoted(1)));
    else if (this.#prefixed(character, following)) return;
    else this.#unquoted(character);
  }

  /** Literals that begin with a letter. The letter must touch the quote, or it is a name of its own. */
  #prefixed(character: string, following: string | undefined): boolean {
    const letter = character.toLowerCase();
    if (following === "'") {
      if (letter === 'e') this.#string(2, 'escape');
      else if (letter === 'b' || letter === 'x' || letter === 'n') this.#string(2, 'plain');
      else return false;
      return true;
    }
    if (letter !== 'u' || following !== '&') return false;
    const quote = this.#text[this.#at + 2];
    if (quote === "'") this.#unicodeString();
    else if (quote === '"') this.#unicodeName();
    else return false;
    return true;
  }

  #unquoted(character: string): void {
    const word = this.#match(WORD);
    if (word !== undefined) {
      this.#add('word', this.#cut(lowerCase(word)));
      return;
    }
    const number = this.#match(NUMBER);
    if (number !== undefined) {
      this.#mustEnd('a number');
      this.#add('number', '');
      return;
    }
    if (character === '$') this.#dollar();
    else if (SYMBOLS.has(character)) {
      this.#at++;
      this.#add('symbol', character);
    } else this.#fail(`a character that SQL has no use for (code ${character.charCodeAt(0)})`);
  }

  #dollar(): void {
    const tag = this.#match(DOLLAR_TAG);
    if (tag !== undefined) {
      const end = this.#text.indexOf(tag, this.#at);
      if (end < 0) this.#fail('a dollar-quoted string that does not end');
      this.#add('string', this.#text.slice(this.#at, end));
      this.#at = end + tag.length;
      return;
    }
    if (this.#match(PARAMETER) === undefined) this.#fail('a dollar sign that begins nothing');
    this.#mustEnd('a parameter');
    this.#add('parameter', '');
  }

  /** Old versions read `1from` as two tokens, new ones not at all. */
  #mustEnd(what: string): void {
    const next = this.#text[this.#at];
    if (next !== undefined && WORD_CHARACTER.test(next)) this.#fail(`${what} that runs into a word`);
  }

  #lineComment(): void {
    while (this.#at < this.#text.length && !/[\n\r]/.test(this.#text[this.#at]!)) this.#at++;
  }

  /** They nest (section 4.1.5). */
  #blockComment(): void {
    let depth = 0;
    do {
      const pair = this.#text.slice(this.#at, this.#at + 2);
      if (pair === '') this.#fail('a comment that does not end');
      if (pair === '/*') depth++;
      if (pair === '*/') depth--;
      this.#at += pair === '/*' || pair === '*/' ? 2 : 1;
    } while (depth > 0);
  }

  /** A continued literal keeps the manner of its first part. */
  #string(prefix: number, manner: 'plain' | 'escape'): void {
    this.#at += prefix;
    let value = this.#stringPart(manner);
    while (this.#match(CONTINUATION) !== undefined) value += this.#stringPart(manner);
    if (this.#looksAt(NEXT_QUOTE)) this.#fail('two strings side by side');
    this.#add('string', value);
  }

  /** From behind the opening quote to behind the closing one. Escapes are left as they are. */
  #stringPart(manner: 'plain' | 'escape'): string {
    const text = this.#text;
    for (let i = this.#at; i < text.length; i++) {
      const character = text[i];
      if (character === '\\') {
        if (manner === 'escape') i++;
        else if (!this.#state.standardStrings)
          this.#fail('a backslash in a string while standard_conforming_strings may be off');
      } else if (character === "'") {
        if (text[i + 1] === "'") i++;
        else {
          const value = text.slice(this.#at, i).replaceAll("''", "'");
          this.#at = i + 1;
          return value;
        }
      }
    }
    return this.#fail('a string that does not end');
  }

  #unicodeString(): void {
    if (!this.#state.standardStrings) this.#fail("U&'...' while standard_conforming_strings may be off");
    this.#string(3, 'plain');
    this.#unicodeEscapeCharacter();
  }

  #unicodeName(): void {
    const raw = this.#quoted(3);
    this.#add('name', this.#cut(this.#decode(raw, this.#unicodeEscapeCharacter())));
  }

  /** The identifier between double quotes, of which a doubled one stands for itself. */
  #quoted(prefix: number): string {
    const start = this.#at + prefix;
    let end = start;
    for (;;) {
      end = this.#text.indexOf('"', end);
      if (end < 0) this.#fail('a quoted identifier that does not end');
      if (this.#text[end + 1] !== '"') break;
      end += 2;
    }
    if (end === start) this.#fail('an empty quoted identifier');
    this.#at = end + 1;
    return this.#text.slice(start, end).replaceAll('""', '"');
  }

  /** `UESCAPE 'c'` behind a U& literal; a backslash without it. Comments in between are not understood. */
  #unicodeEscapeCharacter(): string {
    const clause = this.#match(/[ \t\n\r\f\v]*[uU][eE][sS][cC][aA][pP][eE](?![A-Za-z0-9_$\u0080-\uffff])/y);
    if (clause === undefined) {
      if (this.#looksAt(/(?:[ \t\n\r\f\v]|--[^\n\r]*(?:[\n\r]|$)|\/\*)*[uU][eE][sS][cC][aA][pP][eE]/y))
        this.#fail('UESCAPE behind a comment');
      if (this.#looksAt(/[ \t\n\r\f\v]*\/\*/y)) this.#fail('a comment behind a U& literal');
      return '\\';
    }
    const clauseEnd = this.#match(/[ \t\n\r\f\v]*'([^'"+0-9a-fA-F \t\n\r\f\v])'(?!')/y);
    if (clauseEnd === undefined) this.#fail('UESCAPE without a usable character');
    return clauseEnd.at(-2)!;
  }

  /** Section 4.1.2.3. */
  #decode(raw: string, sign: string): string {
    let name = '';
    for (let i = 0; i < raw.length; ) {
      if (raw[i] !== sign) name += raw[i++];
      else if (raw[i + 1] === sign) {
        name += sign;
        i += 2;
      } else {
        const long = raw[i + 1] === '+';
        const digits = long ? raw.slice(i + 2, i + 8) : raw.slice(i + 1, i + 5);
        const code = /^[0-9a-fA-F]+$/.test(digits) ? Number.parseInt(digits, 16) : -1;
        if (digits.length !== (long ? 6 : 4) || code <= 0 || code > 0x10ffff)
          this.#fail('an invalid Unicode escape');
        name += long ? String.fromCodePoint(code) : String.fromCharCode(code);
        i += long ? 8 : 5;
      }
    }
    if (!name.isWellFormed()) this.#fail('half of a surrogate pair');
    return name;
  }

  /** The identifier as long as the server keeps it, without half a character at its end. */
  #cut(name: string): string {
    if (!this.#state.unicodeNames && /[^\0-\x7f]/.test(name))
      this.#fail('a name that is not ASCII in an encoding that is not UTF-8');
    // No UTF-16 unit takes more than three bytes.
    if (name.length * 3 <= NAME_BYTES) return name;
    const bytes = Buffer.from(name);
    if (bytes.length <= NAME_BYTES) return name;
    let end = NAME_BYTES;
    while ((bytes[end]! & 0xc0) === 0x80) end--;
    return bytes.toString('utf8', 0, end);
  }

  #add(kind: Token['kind'], text: string): void {
    this.#tokens.push({ kind, text });
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #looksAt(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  #fail(what: string): never {
    throw new LexError(`it has ${what}`);
  }
}
