/** The highest code point there is. */
export const MAX_CODE_POINT = 0x10ffff;

const literal = (code: number): string => `\\u{${code.toString(16)}}`;

/**
 * A set of code points. Membership of ASCII is a table look-up; beyond it, one code point is put to a JavaScript
 * class with the `v` flag, whose simple case folding and Unicode properties are those of RE2.
 */
export class CharClass {
  readonly #source: string;
  readonly #fold: boolean;
  readonly #ascii = new Uint8Array(128);
  #test: RegExp | undefined;

  /** @param source the inside of a `v`-mode class, as {@link ClassBuilder} writes it */
  constructor(source: string, fold: boolean) {
    this.#source = source;
    this.#fold = fold;
    const test = this.#matcher();
    for (let code = 0; code < 128; code++) this.#ascii[code] = test.test(String.fromCodePoint(code)) ? 1 : 0;
  }

  has(code: number): boolean {
    if (code < 128) return this.#ascii[code] === 1;
    return this.#matcher().test(String.fromCodePoint(code));
  }

  #matcher(): RegExp {
    this.#test ??= new RegExp(`^[${this.#source}]$`, this.#fold ? 'iv' : 'v');
    return this.#test;
  }
}

/** Collects the parts of a class in the order in which a pattern names them. */
export class ClassBuilder {
  #parts = '';

  addRange(low: number, high: number): this {
    this.#parts += low === high ? literal(low) : `${literal(low)}-${literal(high)}`;
    return this;
  }

  /** Ranges as pairs, `negated` meaning everything outside them. */
  addRanges(pairs: readonly number[], negated: boolean): this {
    const inner = new ClassBuilder();
    for (let at = 0; at < pairs.length; at += 2) inner.addRange(pairs[at]!, pairs[at + 1]!);
    this.#parts += negated ? `[^${inner.#parts}]` : inner.#parts;
    return this;
  }

  /** A Unicode general category or script by its short or long name; false when there is none of that name. */
  addProperty(name: string, negated: boolean): boolean {
    const property = propertySource(name);
    if (property === undefined) return false;
    this.#parts += negated ? `[^${property}]` : property;
    return true;
  }

  build(negated: boolean, fold: boolean): CharClass {
    if (negated) return new CharClass(this.#parts === '' ? '\\u{0}-\\u{10ffff}' : `^${this.#parts}`, fold);
    return new CharClass(this.#parts, fold);
  }
}

const propertySource = (name: string): string | undefined => {
  if (name === 'Any') return '\\p{Any}';
  if (!/^[A-Za-z_]+$/.test(name)) return undefined;
  for (const candidate of [`\\p{gc=${name}}`, `\\p{sc=${name}}`]) {
    try {
      new RegExp(candidate, 'v');
      return candidate;
    } catch {
      // Not a property of this kind: the next kind is asked.
    }
  }
  return undefined;
};

/** `\d`, `\s` and `\w` are ASCII in RE2. */
export const PERL_CLASSES: Readonly<Record<string, readonly number[]>> = {
  d: [0x30, 0x39],
  s: [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20],
  w: [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a],
};

/** `[[:name:]]`, ASCII as well. */
export const POSIX_CLASSES: Readonly<Record<string, readonly number[]>> = {
  alnum: [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a],
  alpha: [0x41, 0x5a, 0x61, 0x7a],
  ascii: [0x00, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0x00, 0x1f, 0x7f, 0x7f],
  digit: [0x30, 0x39],
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: [0x41, 0x5a],
  word: [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a],
  xdigit: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
};
