import { GraphqlError, type Position } from './ast.ts';

/** `punctuation` tokens have their own text as their kind. */
export interface Token {
  readonly kind: 'Name' | 'Int' | 'Float' | 'String' | 'BlockString' | '<EOF>' | 'punctuation';
  readonly text: string;
  readonly position: Position;
}

/** How an error names a token. */
export const describe = ({ kind, text }: Token): string => {
  if (kind === 'punctuation') return text;
  return kind === '<EOF>' ? kind : `${kind} "${text}"`;
};

const IGNORED = /(?:[\ufeff\t ,\r\n]|#[^\r\n]*)+/y;
const PUNCTUATION = /\.\.\.|[!$&():=@[\]{}|]/y;
const NAME = /[_A-Za-z][_0-9A-Za-z]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?(?![\w.])/y;
const BLOCK = /"""((?:\\"""|[\s\S])*?)"""/y;
const STRING = /"((?:[^"\\\r\n]|\\u[0-9A-Fa-f]{4}|\\["\\/bfnrt])*)"/y;

/** Splits a document into tokens (GraphQL specification, section 2.1); the last one is the end. */
export class Lexer {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    this.#count(this.#take(IGNORED)?.[0] ?? '');
    const position = { line: this.#line, column: this.#at - this.#lineStart + 1 };
    if (this.#at >= this.#text.length) return { kind: '<EOF>', text: '', position };
    const punctuation = this.#take(PUNCTUATION);
    if (punctuation !== undefined) return { kind: 'punctuation', text: punctuation[0], position };
    const name = this.#take(NAME);
    if (name !== undefined) return { kind: 'Name', text: name[0], position };
    const number = this.#take(NUMBER);
    if (number !== undefined) {
      const isFloat = number[1] !== undefined || number[2] !== undefined;
      return { kind: isFloat ? 'Float' : 'Int', text: number[0], position };
    }
    return this.#string(position);
  }

  #string(position: Position): Token {
    const block = this.#take(BLOCK);
    if (block !== undefined) {
      this.#count(block[0]);
      const text = blockText(block[1]!.replaceAll('\\"""', '"""'));
      return { kind: 'BlockString', text, position: inside(position, 3) };
    }
    const string = this.#take(STRING);
    if (string !== undefined)
      return { kind: 'String', text: unescapeString(string[1]!), position: inside(position, 1) };
    const char = this.#text.charAt(this.#at);
    if (char === '"') throw new GraphqlError('Unterminated string', position);
    throw new GraphqlError(`Cannot parse the unexpected character ${JSON.stringify(char)}`, position);
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  /** Counts the line ends of a text that was just taken. */
  #count(text: string): void {
    const start = this.#at - text.length;
    for (const end of text.matchAll(/\r\n|\n|\r/g)) {
      this.#line++;
      this.#lineStart = start + end.index + end[0].length;
    }
  }
}

/** gqlparser says of a string where it begins behind its quotes. */
const inside = ({ line, column }: Position, quotes: number): Position => ({ line, column: column + quotes });

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

const unescapeString = (text: string): string =>
  text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/g, (_all, hex: string | undefined, char: string) =>
    hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );

/** Takes away the common indentation, and blank lines at both ends (section 2.9.4). */
const blockText = (raw: string): string => {
  const lines = raw.split(/\r\n|\n|\r/);
  const indents = lines
    .slice(1)
    .flatMap((line) => (line.trim() === '' ? [] : [/^[ \t]*/.exec(line)![0].length]));
  const common = indents.length === 0 ? 0 : Math.min(...indents.slice(0, 10_000));
  const shifted = lines.map((line, index) => (index === 0 ? line : line.slice(common)));
  while (shifted.length > 0 && shifted[0]!.trim() === '') shifted.shift();
  while (shifted.length > 0 && shifted.at(-1)!.trim() === '') shifted.pop();
  return shifted.join('\n');
};
