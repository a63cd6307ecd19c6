import { type CharClass, ClassBuilder, MAX_CODE_POINT, PERL_CLASSES, POSIX_CLASSES } from './char-class.ts';
import { type PatternReader, RegexpSyntaxError } from './pattern-reader.ts';

/** `\d`, `\pL`, `\p{Greek}` and their complements; undefined when the escape is not a class. */
export const readEscapedClass = (input: PatternReader, fold: boolean): CharClass | undefined => {
  const builder = new ClassBuilder();
  return addEscapedClass(input, builder) ? builder.build(false, fold) : undefined;
};

/** `[...]`, the reader standing on the bracket. */
export const readBracketClass = (input: PatternReader, fold: boolean): CharClass => {
  const start = input.position;
  const builder = new ClassBuilder();
  input.next();
  const negated = input.take('^');
  let first = true;
  while (first || input.peek() !== ']') {
    if (input.done) throw new RegexpSyntaxError('missing closing ]', input.rest(start));
    first = false;
    addClassItem(input, builder, start);
  }
  input.next();
  return builder.build(negated, fold);
};

const addClassItem = (input: PatternReader, builder: ClassBuilder, classStart: number): void => {
  if (addPosixClass(input, builder) || addEscapedClass(input, builder)) return;
  const start = input.position;
  const low = readClassCode(input, classStart);
  let high = low;
  // A dash that opens no range is itself.
  const after = input.pattern.charAt(input.position + 1);
  if (input.peek() === '-' && after !== '' && after !== ']') {
    input.next();
    high = readClassCode(input, classStart);
    if (high < low) throw new RegexpSyntaxError('invalid character class range', input.since(start));
  }
  builder.addRange(low, high);
};

const readClassCode = (input: PatternReader, classStart: number): number => {
  if (input.done) throw new RegexpSyntaxError('missing closing ]', input.rest(classStart));
  return input.peek() === '\\' ? readEscapedCode(input) : input.next();
};

const addPosixClass = (input: PatternReader, builder: ClassBuilder): boolean => {
  const match = input.takeMatch(/\[:(\^?)([^:\]]*):\]/y);
  if (match === undefined) return false;
  const ranges = Object.hasOwn(POSIX_CLASSES, match[2]!) ? POSIX_CLASSES[match[2]!] : undefined;
  if (ranges === undefined) throw new RegexpSyntaxError('invalid character class range', match[0]);
  builder.addRanges(ranges, match[1] === '^');
  return true;
};

const addEscapedClass = (input: PatternReader, builder: ClassBuilder): boolean => {
  const perl = input.takeMatch(/\\([dswDSW])/y);
  if (perl !== undefined) {
    const letter = perl[1]!;
    builder.addRanges(PERL_CLASSES[letter.toLowerCase()]!, letter !== letter.toLowerCase());
    return true;
  }
  const start = input.position;
  const property = input.takeMatch(/\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))/uy);
  if (property === undefined) {
    if (/^\\[pP]/.test(input.rest(start))) {
      throw new RegexpSyntaxError('invalid character class range', input.rest(start));
    }
    return false;
  }
  const negated = (property[1] === 'P') !== (property[2] === '^');
  if (!builder.addProperty(property[3] ?? property[4]!, negated)) {
    throw new RegexpSyntaxError('invalid character class range', property[0]);
  }
  return true;
};

const NAMED_CODES: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** An escape that stands for one code point, the reader standing on the backslash. */
export const readEscapedCode = (input: PatternReader): number => {
  const start = input.position;
  input.next();
  if (input.done) throw new RegexpSyntaxError('trailing backslash at end of expression', '');
  const octal = input.takeMatch(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y);
  if (octal !== undefined) return Number.parseInt(octal[0], 8);
  const hex = input.takeMatch(/x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})/y);
  if (hex !== undefined) {
    const code = Number.parseInt(hex[1] ?? hex[2]!, 16);
    if (code <= MAX_CODE_POINT) return code;
    throw new RegexpSyntaxError('invalid escape sequence', input.since(start));
  }
  const code = input.next();
  const char = String.fromCodePoint(code);
  const named = Object.hasOwn(NAMED_CODES, char) ? NAMED_CODES[char] : undefined;
  if (named !== undefined) return named;
  // Any ASCII punctuation may be escaped; letters and digits are kept for meanings yet to come.
  if (code < 128 && !/[0-9A-Za-z]/.test(char)) return code;
  throw new RegexpSyntaxError('invalid escape sequence', input.since(start));
};
