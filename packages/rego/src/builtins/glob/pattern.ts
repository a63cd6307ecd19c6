import { type CharClass, ClassBuilder } from '../regex/char-class.ts';
import { Regexp } from '../regex/regexp.ts';
import type { RegexpNode } from '../regex/syntax.ts';

/** How deep `{...}` may stand in each other. */
const MAX_DEPTH = 100;

/**
 * Compiles a glob of gobwas/glob.
 * @param delimiters single code points that `*` and `?` do not match
 * @throws Error where the glob cannot be read
 */
export const compileGlob = (pattern: string, delimiters: readonly string[]): Regexp => {
  const parser = new GlobParser(pattern, delimiters);
  const items: RegexpNode[] = [START, parser.parse(), END];
  return new Regexp({ root: { kind: 'concat', items }, groupNames: [''] });
};

const START: RegexpNode = { kind: 'assert', assertion: 'text-start' };
const END: RegexpNode = { kind: 'assert', assertion: 'text-end' };
const ANY = new ClassBuilder().addRange(0, 0x10ffff).build(false, false);

class GlobParser {
  readonly #chars: readonly string[];
  readonly #single: CharClass;
  #position = 0;
  #depth = 0;

  constructor(pattern: string, delimiters: readonly string[]) {
    this.#chars = [...pattern];
    const stops = new ClassBuilder();
    for (const delimiter of delimiters) stops.addRange(delimiter.codePointAt(0)!, delimiter.codePointAt(0)!);
    this.#single = stops.build(true, false);
  }

  parse(): RegexpNode {
    const node = this.#sequence();
    if (this.#position < this.#chars.length) throw new Error(`unexpected ${this.#chars[this.#position]}`);
    return node;
  }

  #sequence(): RegexpNode {
    const items: RegexpNode[] = [];
    while (this.#position < this.#chars.length) {
      const char = this.#chars[this.#position]!;
      if (this.#depth > 0 && (char === ',' || char === '}')) break;
      this.#position++;
      items.push(this.#item(char));
    }
    return { kind: 'concat', items: items.length === 0 ? [{ kind: 'empty' }] : items };
  }

  #item(char: string): RegexpNode {
    switch (char) {
      case '*':
        return many(this.#take('*') ? ANY : this.#single);
      case '?':
        return { kind: 'class', set: this.#single };
      case '[':
        return { kind: 'class', set: this.#class() };
      case '{':
        return this.#alternatives();
      case '\\':
        return this.#escaped();
      default:
        return literal(char);
    }
  }

  #escaped(): RegexpNode {
    const char = this.#chars[this.#position++];
    return char === undefined ? { kind: 'empty' } : literal(char);
  }

  #alternatives(): RegexpNode {
    if (++this.#depth > MAX_DEPTH) throw new Error('glob nests too deeply');
    const items = [this.#sequence()];
    while (this.#take(',')) items.push(this.#sequence());
    if (!this.#take('}')) throw new Error('unexpected end of input');
    this.#depth--;
    return { kind: 'alternate', items };
  }

  /** `[a-c]` or `[abc]`, with `!` for all others; the two forms cannot be mixed. */
  #class(): CharClass {
    const negated = this.#take('!');
    const builder = new ClassBuilder();
    if (this.#chars[this.#position + 1] === '-' && this.#chars[this.#position] !== ']') this.#range(builder);
    else this.#list(builder);
    if (!this.#take(']')) throw new Error('expected close range character');
    return builder.build(negated, false);
  }

  #range(builder: ClassBuilder): void {
    const low = this.#chars[this.#position]!.codePointAt(0)!;
    const high = this.#chars[this.#position + 2]?.codePointAt(0);
    if (high === undefined) throw new Error('unexpected end of input');
    if (high < low)
      throw new Error(
        `hi character '${this.#chars[this.#position + 2]}' should be greater than lo '${this.#chars[this.#position]}'`,
      );
    builder.addRange(low, high);
    this.#position += 3;
  }

  #list(builder: ClassBuilder): void {
    const start = this.#position;
    for (; this.#position < this.#chars.length && this.#chars[this.#position] !== ']'; this.#position++) {
      if (this.#chars[this.#position] === '\\') this.#position++;
      const code = this.#chars[this.#position]?.codePointAt(0);
      if (code !== undefined) builder.addRange(code, code);
    }
    if (this.#position === start) throw new Error('could not parse range');
  }

  #take(char: string): boolean {
    if (this.#chars[this.#position] !== char) return false;
    this.#position++;
    return true;
  }
}

const literal = (char: string): RegexpNode => ({ kind: 'char', code: char.codePointAt(0)! });

const many = (set: CharClass): RegexpNode => ({
  kind: 'repeat',
  item: { kind: 'class', set },
  min: 0,
  max: Number.POSITIVE_INFINITY,
  greedy: true,
});
