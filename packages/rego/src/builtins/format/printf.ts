import { quote } from '../../value/index.ts';
import { bytesOfText } from '../encoding/bytes.ts';
import { type FloatNotation, formatFloat } from './float.ts';

/** What OPA hands to `fmt.Sprintf`: Go's `int`, `*big.Int`, `float64` and `string`. */
export type PrintfArgument =
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: '*big.Int'; readonly value: bigint }
  | { readonly type: 'float64'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

/** Widths and precisions above this are answered with `%!(BADWIDTH)` and `%!(BADPREC)`, as in Go. */
const MAX_WIDTH = 1_000_000;

/**
 * Formats as Go's `fmt.Sprintf` does, mistakes in the format included (`%!d(string=hi)`, `%!(EXTRA int=1)`).
 * @param maxLength UTF-16 units of the result beyond which it throws
 */
export const sprintf = (format: string, args: readonly PrintfArgument[], maxLength: number): string =>
  new Printer(format, args, maxLength).print();

interface Flags {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
}

class Printer {
  readonly #format: string;
  readonly #args: readonly PrintfArgument[];
  readonly #maxLength: number;
  #position = 0;
  #argument = 0;
  #reordered = false;
  #goodIndex = true;
  #result = '';

  constructor(format: string, args: readonly PrintfArgument[], maxLength: number) {
    this.#format = format;
    this.#args = args;
    this.#maxLength = maxLength;
  }

  print(): string {
    for (;;) {
      const percent = this.#format.indexOf('%', this.#position);
      this.#result += this.#format.slice(this.#position, percent < 0 ? undefined : percent);
      if (percent < 0) break;
      this.#position = percent + 1;
      this.#directive();
      if (this.#result.length > this.#maxLength) throw new RangeError('result of the format is too long');
    }
    if (!this.#reordered && this.#argument < this.#args.length) this.#result += this.#extra();
    return this.#result;
  }

  #directive(): void {
    this.#goodIndex = true;
    let afterIndex = false;
    const flags = this.#flags();
    afterIndex = this.#argumentIndex();
    if (this.#take('*')) {
      const width = this.#intArgument();
      if (width === undefined) this.#result += '%!(BADWIDTH)';
      flags.width = width;
      if (width !== undefined && width < 0) {
        flags.width = -width;
        flags.minus = true;
        flags.zero = false;
      }
      afterIndex = false;
    } else {
      flags.width = this.#number();
      if (afterIndex && flags.width !== undefined) this.#goodIndex = false;
    }
    if (this.#take('.')) {
      if (afterIndex) this.#goodIndex = false;
      afterIndex = this.#argumentIndex();
      if (this.#take('*')) {
        const precision = this.#intArgument();
        flags.precision = precision !== undefined && precision >= 0 ? precision : undefined;
        if (precision === undefined || precision < 0) this.#result += '%!(BADPREC)';
        afterIndex = false;
      } else flags.precision = this.#number() ?? 0;
    }
    if (!afterIndex) this.#argumentIndex();
    this.#verb(flags);
  }

  #verb(flags: Flags): void {
    const code = this.#format.codePointAt(this.#position);
    if (code === undefined) {
      this.#result += '%!(NOVERB)';
      return;
    }
    const verb = String.fromCodePoint(code);
    this.#position += verb.length;
    if (verb === '%') this.#result += '%';
    else if (!this.#goodIndex) this.#result += `%!${verb}(BADINDEX)`;
    else if (this.#argument >= this.#args.length) this.#result += `%!${verb}(MISSING)`;
    else this.#result += formatArgument(verb, this.#args[this.#argument++]!, flags);
  }

  #flags(): Flags {
    const flags: Flags = {
      minus: false,
      plus: false,
      sharp: false,
      space: false,
      zero: false,
      width: undefined,
      precision: undefined,
    };
    for (; ; this.#position++) {
      switch (this.#format.charAt(this.#position)) {
        case '-':
          flags.minus = true;
          break;
        case '+':
          flags.plus = true;
          break;
        case '#':
          flags.sharp = true;
          break;
        case ' ':
          flags.space = true;
          break;
        case '0':
          flags.zero = true;
          break;
        default:
          return flags;
      }
    }
  }

  /** `[3]` chooses the argument that the next verb or star takes. */
  #argumentIndex(): boolean {
    if (this.#format.charAt(this.#position) !== '[') return false;
    this.#reordered = true;
    const match = /\[(\d+)\]/y;
    match.lastIndex = this.#position;
    const found = match.exec(this.#format);
    const index = found === null ? 0 : Number(found[1]);
    const close = this.#format.indexOf(']', this.#position);
    this.#position = close < 0 ? this.#position + 1 : close + 1;
    if (index < 1 || index > this.#args.length) this.#goodIndex = false;
    else this.#argument = index - 1;
    return true;
  }

  #number(): number | undefined {
    const digits = /\d+/y;
    digits.lastIndex = this.#position;
    const found = digits.exec(this.#format);
    if (found === null) return undefined;
    this.#position = digits.lastIndex;
    const value = Number(found[0]);
    return value > MAX_WIDTH ? undefined : value;
  }

  #intArgument(): number | undefined {
    const argument = this.#args[this.#argument];
    if (argument === undefined) return undefined;
    this.#argument++;
    if (argument.type !== 'int') return undefined;
    const value = Number(argument.value);
    return Math.abs(value) > MAX_WIDTH ? undefined : value;
  }

  #take(char: string): boolean {
    if (this.#format.charAt(this.#position) !== char) return false;
    this.#position++;
    return true;
  }

  #extra(): string {
    const rest = this.#args
      .slice(this.#argument)
      .map((argument) => `${argument.type}=${plainText(argument)}`);
    return `%!(EXTRA ${rest.join(', ')})`;
  }
}

const NO_FLAGS: Flags = {
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
};

const plainText = (argument: PrintfArgument): string => formatArgument('v', argument, NO_FLAGS);

const formatArgument = (verb: string, argument: PrintfArgument, flags: Flags): string => {
  if (verb === 'T') return padded(argument.type, flags);
  switch (argument.type) {
    case 'int':
      return formatInteger(verb, argument.value, flags) ?? badVerb(verb, argument);
    case '*big.Int':
      return (
        formatInteger(verb === 's' ? 'd' : verb, argument.value, flags, true) ??
        badBigVerb(verb, argument.value)
      );
    case 'float64':
      return formatDouble(verb, argument.value, flags) ?? badVerb(verb, argument);
    case 'string':
      return formatString(verb, argument.value, flags) ?? badVerb(verb, argument);
    default: {
      const never: never = argument;
      return never;
    }
  }
};

const badVerb = (verb: string, argument: PrintfArgument): string =>
  `%!${verb}(${argument.type}=${plainText(argument)})`;

const badBigVerb = (verb: string, value: bigint): string => `%!${verb}(big.Int=${value})`;

const padded = (text: string, flags: Flags): string => {
  if (flags.width === undefined) return text;
  const missing = flags.width - [...text].length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (flags.zero ? '0' : ' ').repeat(missing) + text;
};

const BASES: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const PREFIXES: Readonly<Record<string, string>> = { b: '0b', o: '0', x: '0x', X: '0X' };

const formatInteger = (verb: string, value: bigint, flags: Flags, big = false): string | undefined => {
  if (!big && (verb === 'c' || verb === 'q' || verb === 'U')) return formatCode(verb, value, flags);
  const base = Object.hasOwn(BASES, verb) ? BASES[verb] : undefined;
  if (base === undefined) return undefined;
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString(base);
  if (verb === 'X') digits = digits.toUpperCase();
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  let prefix = flags.sharp && verb !== 'v' && verb !== 'd' ? (PREFIXES[verb] ?? '') : '';
  if (verb === 'O') prefix = '0o';
  if (flags.precision !== undefined) {
    if (flags.precision === 0 && value === 0n) return ' '.repeat(flags.width ?? 0);
    digits = digits.padStart(flags.precision, '0');
  } else if (flags.zero && !flags.minus && flags.width !== undefined) {
    digits = digits.padStart(flags.width - sign.length - (big ? prefix.length : 0), '0');
  }
  if (verb === 'o' && digits.startsWith('0')) prefix = '';
  return padded(sign + prefix + digits, { ...flags, zero: false });
};

const formatCode = (verb: string, value: bigint, flags: Flags): string => {
  const valid = value >= 0n && value <= 0x10ffffn;
  const char = valid ? String.fromCodePoint(Number(value)) : '\ufffd';
  if (verb === 'c') return padded(char, flags);
  if (verb === 'q')
    return padded(`'${quote(char).slice(1, -1).replace("'", "\\'").replace('\\"', '"')}'`, flags);
  const hex = value
    .toString(16)
    .toUpperCase()
    .padStart(flags.precision ?? 4, '0');
  return padded(`U+${hex}${flags.sharp && valid ? ` '${char}'` : ''}`, { ...flags, zero: false });
};

const formatDouble = (verb: string, value: number, flags: Flags): string | undefined => {
  const notation = verb === 'v' ? 'g' : verb === 'F' ? 'f' : verb.toLowerCase();
  if (!'efg'.includes(notation) || !'veEfFgG'.includes(verb)) return undefined;
  const precision = flags.precision ?? (notation === 'g' ? undefined : 6);
  let text = formatFloat(Math.abs(value), notation as FloatNotation, precision);
  if (verb === 'E' || verb === 'G') text = text.toUpperCase();
  if (flags.sharp && verb !== 'v') text = withPoint(text, notation, flags.precision ?? 6);
  const sign = value < 0 || Object.is(value, -0) ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  if (flags.zero && !flags.minus && flags.width !== undefined) {
    return sign + text.padStart(flags.width - sign.length, '0');
  }
  return padded(sign + text, { ...flags, zero: false });
};

/** `#` keeps the point, and with `g` the zeros that would be cut off. */
const withPoint = (text: string, notation: string, precision: number): string => {
  const [mantissa = '', exponent] = text.split(/e/i);
  let digits = mantissa.includes('.') ? mantissa : `${mantissa}.`;
  if (notation === 'g') {
    const significant = digits.replace('.', '').replace(/^0+/, '').length;
    digits += '0'.repeat(Math.max(0, precision - significant));
  }
  return exponent === undefined ? digits : `${digits}e${exponent}`;
};

const formatString = (verb: string, value: string, flags: Flags): string | undefined => {
  const cut = flags.precision === undefined ? value : [...value].slice(0, flags.precision).join('');
  switch (verb) {
    case 'v':
      return padded(flags.sharp ? quote(cut) : cut, flags);
    case 's':
      return padded(cut, flags);
    case 'q':
      return padded(flags.sharp && !/[`\n]/.test(cut) ? `\`${cut}\`` : quote(cut), flags);
    case 'x':
    case 'X':
      return padded(hexadecimal(verb, value, flags), flags);
    default:
      return undefined;
  }
};

/** `% x` sets the bytes apart, `%#x` writes `0x` before all (or before each of them). */
const hexadecimal = (verb: string, value: string, flags: Flags): string => {
  const bytes = bytesOfText(value);
  const shown = bytes.subarray(0, flags.precision ?? bytes.length);
  const prefix = flags.sharp ? (verb === 'X' ? '0X' : '0x') : '';
  const pairs = Array.from(shown, (byte) => {
    const text = byte.toString(16).padStart(2, '0');
    return verb === 'X' ? text.toUpperCase() : text;
  });
  if (flags.space) return pairs.map((pair) => prefix + pair).join(' ');
  return pairs.length === 0 ? '' : prefix + pairs.join('');
};
