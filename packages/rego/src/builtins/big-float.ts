import { BuiltinError } from '../builtin.ts';
import { Decimal, numberFromText, type RegoNumber } from '../value/index.ts';

/**
 * A binary floating-point number with a mantissa of 64 bits, rounded to nearest even: what OPA computes fractions
 * with (Go's `big.Float`). The value is mantissa × 2^exponent; the mantissa carries the sign.
 */
export interface BigFloat {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const PRECISION = 64;

/** Beyond this many decimal digits before or after the point, a number is too large to compute with. */
const MAX_SCALE = 20_000;

/** The float nearest to a number. */
export const toFloat = (value: RegoNumber): BigFloat => {
  const { negative, digits, exponent } = (typeof value === 'number' ? new Decimal(String(value)) : value)
    .parts;
  if (digits === '') return { mantissa: 0n, exponent: 0 };
  const scale = exponent - digits.length;
  if (Math.abs(scale) > MAX_SCALE) throw new BuiltinError('number too large to compute with');
  const integer = BigInt(negative ? `-${digits}` : digits);
  return scale >= 0
    ? rounded(integer * 10n ** BigInt(scale), 0)
    : quotient(integer, 10n ** BigInt(-scale), 0);
};

/** The shortest decimal that reads back as this float, in the form that Go's `Text('g', -1)` or `'f'` gives. */
export const fromFloat = (float: BigFloat): RegoNumber => {
  if (float.mantissa === 0n) return 0;
  const negative = float.mantissa < 0n;
  const { digits, point } = shortest(negative ? { ...float, mantissa: -float.mantissa } : float);
  const text = isWhole(float) ? digits.padEnd(point, '0') : fractionText(digits, point);
  return numberFromText(negative ? `-${text}` : text);
};

export const addFloats = (a: BigFloat, b: BigFloat): BigFloat => {
  if (a.mantissa === 0n) return b;
  if (b.mantissa === 0n) return a;
  const [low, high] = a.exponent <= b.exponent ? [a, b] : [b, a];
  // Nothing of the smaller is left beyond this distance, only which side of the larger it is on.
  const distance = Math.min(high.exponent - low.exponent, 3 * PRECISION);
  const near = high.exponent - low.exponent === distance ? low.mantissa : low.mantissa < 0n ? -1n : 1n;
  return rounded((high.mantissa << BigInt(distance)) + near, high.exponent - distance);
};

export const negateFloat = (a: BigFloat): BigFloat => ({ mantissa: -a.mantissa, exponent: a.exponent });

export const multiplyFloats = (a: BigFloat, b: BigFloat): BigFloat =>
  rounded(a.mantissa * b.mantissa, a.exponent + b.exponent);

/** The divisor is not zero. */
export const divideFloats = (a: BigFloat, b: BigFloat): BigFloat => {
  const sign = b.mantissa < 0n ? -1n : 1n;
  return quotient(a.mantissa * sign, b.mantissa * sign, a.exponent - b.exponent);
};

/** What is before the point, towards zero. */
export const truncateFloat = (a: BigFloat): bigint => {
  if (a.exponent >= 0) return a.mantissa << BigInt(a.exponent);
  const magnitude = (a.mantissa < 0n ? -a.mantissa : a.mantissa) >> BigInt(-a.exponent);
  return a.mantissa < 0n ? -magnitude : magnitude;
};

/** Whether nothing is behind the point. */
export const isWhole = (float: BigFloat): boolean =>
  float.exponent >= 0 || BigInt.asUintN(-float.exponent, float.mantissa) === 0n;

const bitLength = (magnitude: bigint): number => {
  const hex = magnitude.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
};

const rounded = (mantissa: bigint, exponent: number): BigFloat => {
  const negative = mantissa < 0n;
  const magnitude = negative ? -mantissa : mantissa;
  if (magnitude === 0n) return { mantissa: 0n, exponent: 0 };
  const excess = bitLength(magnitude) - PRECISION;
  if (excess <= 0) return { mantissa, exponent };
  const kept = roundHalfEven(magnitude, 1n << BigInt(excess));
  return { mantissa: negative ? -kept : kept, exponent: exponent + excess };
};

/** `numerator / divisor × 2^exponent`: enough bits that the last one can stand for all that were cut off. */
const quotient = (numerator: bigint, divisor: bigint, exponent: number): BigFloat => {
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  if (magnitude === 0n) return { mantissa: 0n, exponent: 0 };
  const shift = Math.max(0, PRECISION + 2 + bitLength(divisor) - bitLength(magnitude));
  const scaled = magnitude << BigInt(shift);
  const whole = (scaled / divisor) * 2n + (scaled % divisor === 0n ? 0n : 1n);
  return rounded(negative ? -whole : whole, exponent - shift - 1);
};

const roundHalfEven = (numerator: bigint, divisor: bigint): bigint => {
  const whole = numerator / divisor;
  const twice = (numerator % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && whole % 2n === 1n);
  return up ? whole + 1n : whole;
};

/** The fewest digits that read back as this positive float: `0.<digits> × 10^point`. */
const shortest = (float: BigFloat): { digits: string; point: number } => {
  const numerator = float.exponent >= 0 ? float.mantissa << BigInt(float.exponent) : float.mantissa;
  const divisor = float.exponent >= 0 ? 1n : 1n << BigInt(-float.exponent);
  const target = quotient(numerator, divisor, 0);
  const point = decimalPoint(numerator, divisor);
  let few = 1;
  let many = 22;
  while (few < many) {
    const middle = (few + many) >> 1;
    if (readsBack(target, decimal(numerator, divisor, middle - point), middle - point)) many = middle;
    else few = middle + 1;
  }
  const digits = decimal(numerator, divisor, few - point).toString();
  // Rounding up may have given one digit more: 9.99 became 10.0.
  return { digits: digits.replace(/0+$/, ''), point: point + digits.length - few };
};

const decimal = (numerator: bigint, divisor: bigint, scale: number): bigint =>
  scale >= 0
    ? roundHalfEven(numerator * 10n ** BigInt(scale), divisor)
    : roundHalfEven(numerator, divisor * 10n ** BigInt(-scale));

const readsBack = (target: BigFloat, digits: bigint, scale: number): boolean => {
  const read =
    scale >= 0 ? quotient(digits, 10n ** BigInt(scale), 0) : rounded(digits * 10n ** BigInt(-scale), 0);
  return isSame(read, target);
};

const isSame = (a: BigFloat, b: BigFloat): boolean => {
  const low = Math.min(a.exponent, b.exponent);
  return a.mantissa << BigInt(a.exponent - low) === b.mantissa << BigInt(b.exponent - low);
};

/** The p with 10^(p-1) <= numerator / divisor < 10^p. */
const decimalPoint = (numerator: bigint, divisor: bigint): number => {
  let point = numerator.toString().length - divisor.toString().length;
  const reaches = (power: number): boolean =>
    power >= 0 ? numerator >= divisor * 10n ** BigInt(power) : numerator * 10n ** BigInt(-power) >= divisor;
  while (reaches(point)) point++;
  while (!reaches(point - 1)) point--;
  return point;
};

const fractionText = (digits: string, point: number): string => {
  const exponent = point - 1;
  // Go takes 6 as the precision of the shortest form when it decides between the two notations.
  if (exponent < -4 || exponent >= 6) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits[0]}${rest}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
};
