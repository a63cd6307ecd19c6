import { type CharClass, ClassBuilder } from './char-class.ts';
import { readBracketClass, readEscapedClass, readEscapedCode } from './class-syntax.ts';
import { PatternReader, RegexpSyntaxError } from './pattern-reader.ts';

/** What must hold between two characters. */
export type Assertion =
  | 'line-start'
  | 'line-end'
  | 'text-start'
  | 'text-end'
  | 'word-boundary'
  | 'no-word-boundary';

/** A pattern, read. `max` of a repetition is Infinity where it has no bound. */
export type RegexpNode =
  | { readonly kind: 'empty' }
  | { readonly kind: 'char'; readonly code: number }
  | { readonly kind: 'class'; readonly set: CharClass }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'concat'; readonly items: readonly RegexpNode[] }
  | { readonly kind: 'alternate'; readonly items: readonly RegexpNode[] }
  | {
      readonly kind: 'repeat';
      readonly item: RegexpNode;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    }
  | { readonly kind: 'capture'; readonly index: number; readonly item: RegexpNode };

/** A pattern's tree, with the names of its groups by number (the whole match is number 0). */
export interface ParsedRegexp {
  readonly root: RegexpNode;
  readonly groupNames: readonly string[];
}

interface Flags {
  readonly foldCase: boolean;
  readonly multiLine: boolean;
  readonly dotNewline: boolean;
  readonly ungreedy: boolean;
}

/** RE2's own bounds: the count in `{n,m}`, nested counts multiplied, and the depth of groups. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 1000;

const EMPTY: RegexpNode = { kind: 'empty' };
const NO_FLAGS: Flags = { foldCase: false, multiLine: false, dotNewline: false, ungreedy: false };

/**
 * Reads a pattern in RE2's syntax (https://github.com/google/re2/wiki/Syntax), with Perl's extensions as Go's
 * `regexp.Compile` allows them.
 * @throws RegexpSyntaxError with the text that Go gives
 */
export const parseRegexp = (pattern: string): ParsedRegexp => {
  const parser = new Parser(pattern);
  return parser.parse();
};

class Parser {
  readonly #in: PatternReader;
  readonly #names: string[] = [''];
  #flags = NO_FLAGS;
  #depth = 0;

  constructor(pattern: string) {
    this.#in = new PatternReader(pattern);
  }

  parse(): ParsedRegexp {
    const root = this.#alternation();
    if (!this.#in.done) throw new RegexpSyntaxError('unexpected )', this.#in.pattern);
    if (repeatWeight(root) > MAX_REPEAT)
      throw new RegexpSyntaxError('invalid repeat count', this.#in.pattern);
    return { root, groupNames: this.#names };
  }

  #alternation(): RegexpNode {
    const branches: RegexpNode[] = [this.#concatenation()];
    while (this.#in.take('|')) branches.push(this.#concatenation());
    return branches.length === 1 ? branches[0]! : { kind: 'alternate', items: branches };
  }

  #concatenation(): RegexpNode {
    const items: RegexpNode[] = [];
    while (!this.#in.done && this.#in.peek() !== '|' && this.#in.peek() !== ')') {
      const start = this.#in.position;
      const operator = this.#repeatOperator();
      if (operator !== undefined) {
        throw new RegexpSyntaxError('missing argument to repetition operator', this.#in.since(start));
      }
      const item = this.#atom();
      if (item !== undefined)
        items.push(...(Array.isArray(item) ? this.#quoted(item) : [this.#repeated(item)]));
    }
    if (items.length === 0) return EMPTY;
    return items.length === 1 ? items[0]! : { kind: 'concat', items };
  }

  /** The characters of `\Q...\E`: an operator after them holds for the last one. */
  #quoted(codes: RegexpNode[]): RegexpNode[] {
    const last = codes.pop();
    return last === undefined ? codes : [...codes, this.#repeated(last)];
  }

  #repeated(item: RegexpNode): RegexpNode {
    const start = this.#in.position;
    const operator = this.#repeatOperator();
    if (operator === undefined) return item;
    const afterFirst = this.#in.position;
    if (this.#repeatOperator() !== undefined) {
      throw new RegexpSyntaxError('invalid nested repetition operator', this.#in.since(start));
    }
    this.#in.position = afterFirst;
    return { kind: 'repeat', item, ...operator };
  }

  #repeatOperator(): { min: number; max: number; greedy: boolean } | undefined {
    const start = this.#in.position;
    const count = this.#repeatCount();
    if (count === undefined) return undefined;
    const [min, max] = count;
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || min > max) {
      throw new RegexpSyntaxError('invalid repeat count', this.#in.since(start));
    }
    const lazy = this.#in.take('?');
    return { min, max, greedy: lazy === this.#flags.ungreedy };
  }

  #repeatCount(): [number, number] | undefined {
    if (this.#in.take('*')) return [0, Infinity];
    if (this.#in.take('+')) return [1, Infinity];
    if (this.#in.take('?')) return [0, 1];
    // A brace that does not spell a count stands for itself.
    const braces = this.#in.takeMatch(/\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/y);
    if (braces === undefined) return undefined;
    const min = Number(braces[1]);
    if (braces[2] === undefined) return [min, min];
    return [min, braces[3] === undefined ? Infinity : Number(braces[3])];
  }

  #atom(): RegexpNode | RegexpNode[] | undefined {
    const char = this.#in.peek();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'class', set: readBracketClass(this.#in, this.#flags.foldCase) };
      case '.':
        this.#in.next();
        return { kind: 'class', set: this.#flags.dotNewline ? ANY : ANY_BUT_NEWLINE };
      case '^':
        this.#in.next();
        return { kind: 'assert', assertion: this.#flags.multiLine ? 'line-start' : 'text-start' };
      case '$':
        this.#in.next();
        return { kind: 'assert', assertion: this.#flags.multiLine ? 'line-end' : 'text-end' };
      case '\\':
        return this.#escape();
      default:
        return this.#literal(this.#in.next());
    }
  }

  #literal(code: number): RegexpNode {
    if (!this.#flags.foldCase) return { kind: 'char', code };
    const set = new ClassBuilder().addRange(code, code).build(false, true);
    return { kind: 'class', set };
  }

  #escape(): RegexpNode | RegexpNode[] {
    const assertion = this.#in.takeMatch(/\\([AzbB])/y);
    if (assertion !== undefined) return { kind: 'assert', assertion: ESCAPED_ASSERTIONS[assertion[1]!]! };
    if (this.#in.takeText('\\Q')) return this.#quotation();
    const set = readEscapedClass(this.#in, this.#flags.foldCase);
    if (set !== undefined) return { kind: 'class', set };
    return this.#literal(readEscapedCode(this.#in));
  }

  #quotation(): RegexpNode[] {
    const nodes: RegexpNode[] = [];
    while (!this.#in.done && !this.#in.takeText('\\E')) nodes.push(this.#literal(this.#in.next()));
    return nodes;
  }

  #group(): RegexpNode | undefined {
    const start = this.#in.position;
    if (++this.#depth > MAX_DEPTH)
      throw new RegexpSyntaxError('expression nests too deeply', this.#in.pattern);
    const outer = this.#flags;
    this.#in.next();
    let index: number | undefined;
    if (this.#in.peek() !== '?') index = this.#names.push('') - 1;
    else {
      const opening = this.#groupOpening(start);
      if (opening === 'flags-only') {
        this.#depth--;
        return undefined;
      }
      if (opening !== 'no-capture') index = this.#names.push(opening.name) - 1;
    }
    const item = this.#alternation();
    if (!this.#in.take(')')) throw new RegexpSyntaxError('missing closing )', this.#in.pattern);
    this.#flags = outer;
    this.#depth--;
    return index === undefined ? item : { kind: 'capture', index, item };
  }

  /** What follows `(?`: a name, flags for the group, or flags for the rest of the enclosing group. */
  #groupOpening(start: number): 'no-capture' | 'flags-only' | { name: string } {
    const named = this.#in.takeMatch(/\?P?</y);
    if (named !== undefined) {
      const name = this.#in.takeMatch(/([^>]*)>/y);
      if (name === undefined) throw new RegexpSyntaxError('invalid named capture', this.#in.rest(start));
      const text = name[1]!;
      if (!/^\w+$/.test(text)) throw new RegexpSyntaxError('invalid named capture', this.#in.since(start));
      if (this.#names.includes(text)) throw new RegexpSyntaxError('duplicate capture group name', text);
      return { name: text };
    }
    this.#in.next();
    const flags = this.#in.takeMatch(/([imsU]*)(?:-([imsU]+))?([:)])/y);
    if (flags === undefined) {
      if (/^\?[imsU-]*$/.test(this.#in.rest(start + 1))) {
        throw new RegexpSyntaxError('missing closing )', this.#in.pattern);
      }
      this.#in.takeMatch(/[imsU-]*/y);
      if (!this.#in.done) this.#in.next();
      throw new RegexpSyntaxError('invalid or unsupported Perl syntax', this.#in.since(start));
    }
    this.#flags = withFlags(withFlags(this.#flags, flags[1]!, true), flags[2] ?? '', false);
    return flags[3] === ':' ? 'no-capture' : 'flags-only';
  }
}

const ANY = new ClassBuilder().addRange(0, 0x10ffff).build(false, false);
const ANY_BUT_NEWLINE = new ClassBuilder().addRange(0x0a, 0x0a).build(true, false);

const ESCAPED_ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: 'text-start',
  z: 'text-end',
  b: 'word-boundary',
  B: 'no-word-boundary',
};

const withFlags = (flags: Flags, letters: string, value: boolean): Flags => {
  const changed = { ...flags };
  if (letters.includes('i')) changed.foldCase = value;
  if (letters.includes('m')) changed.multiLine = value;
  if (letters.includes('s')) changed.dotNewline = value;
  if (letters.includes('U')) changed.ungreedy = value;
  return changed;
};

/** How often the innermost part is written out when all counts are: nested counts multiply. */
const repeatWeight = (node: RegexpNode): number => {
  switch (node.kind) {
    case 'empty':
    case 'char':
    case 'class':
    case 'assert':
      return 1;
    case 'capture':
      return repeatWeight(node.item);
    case 'concat':
    case 'alternate':
      return node.items.reduce((most, item) => Math.max(most, repeatWeight(item)), 1);
    case 'repeat': {
      const own = node.max === Infinity ? node.min : node.max;
      return repeatWeight(node.item) * Math.max(1, own);
    }
    default: {
      const never: never = node;
      return never;
    }
  }
};
