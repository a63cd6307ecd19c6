import type { RegoNumber } from './value.ts';

/**
 * A number as OPA keeps it: by its decimal text, of any size and precision. Used only for what a double cannot hold
 * or would print differently (`1.0`, `1e3`, `9007199254740993`).
 */
export class Decimal {
  readonly kind = 'number';
  readonly text: string;
  #parts: DecimalParts | undefined;

  /** @param text a JSON number; not checked again. */
  constructor(text: string) {
    this.text = text;
  }

  get parts(): DecimalParts {
    this.#parts ??= partsOf(this.text);
    return this.#parts;
  }

  /** As a `Map` key: the double where it is this very number, so that `1.0` and `1` are one key. */
  get key(): string | number {
    const { negative, digits, exponent } = this.parts;
    if (digits === '') return 0;
    const double = Number(this.text);
    if (Number.isFinite(double) && (Number.isSafeInteger(double) || !Number.isInteger(double))) {
      if (compareParts(partsOf(String(double)), this.parts) === 0) return double;
    }
    return `\0n${negative ? '-' : ''}${digits}e${exponent}`;
  }

  toString(): string {
    return this.text;
  }
}

/** `0.<digits> × 10^exponent`, without zeros at either end; no digits at all for zero. */
export interface DecimalParts {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

/**
 * The value of a number's text: a double where the double prints as the very same text and integers are exact,
 * otherwise a `Decimal`. So a plain number is always a safe integer or a fraction.
 */
export const numberFromText = (text: string): RegoNumber => {
  const double = Number(text);
  return isExact(double) && String(double) === text ? double : new Decimal(text);
};

/** The value of a JavaScript number. Throws a RangeError for NaN and infinities, which Rego does not have. */
export const numberFromDouble = (double: number): RegoNumber => {
  if (isExact(double)) return double === 0 ? 0 : double;
  if (!Number.isFinite(double)) throw new RangeError(`${double} is not a number that Rego has`);
  return new Decimal(String(double));
};

export const numberFromBigInt = (integer: bigint): RegoNumber => {
  const double = Number(integer);
  return Number.isSafeInteger(double) ? double : new Decimal(integer.toString());
};

/** The text of a number, as OPA prints it. */
export const numberText = (value: RegoNumber): string =>
  typeof value === 'number' ? String(value) : value.text;

/** The nearest double; infinite where there is none. */
export const toDouble = (value: RegoNumber): number =>
  typeof value === 'number' ? value : Number(value.text);

/** Whether the number has no fraction, however it is written. */
export const isInteger = (value: RegoNumber): boolean => {
  if (typeof value === 'number') return Number.isInteger(value);
  const { digits, exponent } = value.parts;
  return digits.length <= exponent || digits === '';
};

/** Above this many digits an integer written with an exponent is not expanded: `1e999999999` is short to write. */
const MAX_EXPANDED_DIGITS = 10_000;

/** The number as an integer; nothing for a fraction or for one too large to be expanded. */
export const toBigInt = (value: RegoNumber): bigint | undefined => {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (!isInteger(value)) return undefined;
  const { negative, digits, exponent } = value.parts;
  if (digits === '') return 0n;
  if (exponent > Math.max(MAX_EXPANDED_DIGITS, value.text.length)) return undefined;
  const magnitude = BigInt(digits.padEnd(exponent, '0'));
  return negative ? -magnitude : magnitude;
};

/** Exact comparison, whatever the size or precision. */
export const compareNumbers = (a: RegoNumber, b: RegoNumber): number => {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  return compareParts(toParts(a), toParts(b));
};

const isExact = (double: number): boolean =>
  Number.isSafeInteger(double) || (Number.isFinite(double) && !Number.isInteger(double));

const toParts = (value: RegoNumber): DecimalParts =>
  typeof value === 'number' ? partsOf(String(value)) : value.parts;

const NUMBER = /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

const partsOf = (text: string): DecimalParts => {
  const match = NUMBER.exec(text);
  if (match === null) throw new RangeError(`not a number: ${text}`);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const all = whole + fraction;
  const significant = trimStart(all);
  const digits = trimEnd(significant);
  if (digits === '') return { negative: false, digits, exponent: 0 };
  const leading = all.length - significant.length;
  return { negative: sign === '-', digits, exponent: whole.length - leading + Number(exponent) };
};

const trimStart = (digits: string): string => {
  let start = 0;
  while (digits[start] === '0') start += 1;
  return digits.slice(start);
};

const trimEnd = (digits: string): string => {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
};

const compareParts = (a: DecimalParts, b: DecimalParts): number => {
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  const magnitude = compareMagnitudes(a, b);
  return a.negative ? -magnitude : magnitude;
};

const compareMagnitudes = (a: DecimalParts, b: DecimalParts): number => {
  if (a.digits === '' || b.digits === '') {
    return Number(a.digits !== '') - Number(b.digits !== '');
  }
  if (a.exponent !== b.exponent) return a.exponent < b.exponent ? -1 : 1;
  if (a.digits === b.digits) return 0;
  return a.digits < b.digits ? -1 : 1;
};
