/** Notations of `strconv.FormatFloat`. */
export type FloatNotation = 'e' | 'f' | 'g';

/**
 * A finite double as Go's `strconv.FormatFloat(value, notation, precision, 64)` writes it.
 * @param precision digits behind the point, significant digits for `g`; undefined for as many as are needed to read
 *   the same number back
 */
export const formatFloat = (
  value: number,
  notation: FloatNotation,
  precision: number | undefined,
): string => {
  switch (notation) {
    case 'e':
      return exponential(value, precision);
    case 'f':
      return precision === undefined ? plain(value) : fixed(value, precision);
    case 'g':
      return general(value, precision);
    default: {
      const never: never = notation;
      return never;
    }
  }
};

const isNegative = (value: number): boolean => value < 0 || Object.is(value, -0);

/** `1.5e+06`: at least two digits of exponent. */
const exponential = (value: number, precision: number | undefined): string => {
  const sign = isNegative(value) ? '-' : '';
  const [mantissa = '', exponent = ''] = digitsOf(Math.abs(value), precision).split('e');
  const size = exponent.replace(/^[+-]/, '').padStart(2, '0');
  return `${sign}${mantissa}e${exponent.startsWith('-') ? '-' : '+'}${size}`;
};

/** `toExponential` knows at most 100 digits; what follows them are zeros that it is padded with. */
const digitsOf = (value: number, precision: number | undefined): string => {
  if (precision === undefined) return value.toExponential();
  const text = value.toExponential(Math.min(precision, 100));
  if (precision <= 100) return text;
  const [mantissa = '', exponent = ''] = text.split('e');
  return `${mantissa}${'0'.repeat(precision - 100)}e${exponent}`;
};

/** Exactly this many digits behind the point, from the double's exact value. */
const fixed = (value: number, precision: number): string => {
  if (precision <= 100 && Math.abs(value) < 1e21) {
    const text = Math.abs(value).toFixed(precision);
    return isNegative(value) ? `-${text}` : text;
  }
  const whole = BigInt(Math.trunc(Math.abs(value)));
  const text = Math.abs(value) < 1e21 ? Math.abs(value).toFixed(100) : `${whole}.${'0'.repeat(100)}`;
  const point = text.indexOf('.');
  const digits =
    precision === 0
      ? text.slice(0, point)
      : text.slice(0, point + 1 + precision).padEnd(point + 1 + precision, '0');
  return isNegative(value) ? `-${digits}` : digits;
};

/** Without an exponent, however large. */
const plain = (value: number): string => {
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const point = Number(exponent) + 1;
  const sign = isNegative(value) ? '-' : '';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`.replace(/^(-?)0\.0$/, '$10');
  if (point >= digits.length) return `${sign}${digits.padEnd(point, '0')}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
};

/** The exponent from which the shortest `g` changes to `e`. */
const SHORTEST_LIMIT = 6;

const general = (value: number, precision: number | undefined): string => {
  if (value === 0) return isNegative(value) ? '-0' : '0';
  const significant = precision === undefined ? undefined : Math.max(precision, 1);
  const [mantissa = '', exponentText = '0'] = digitsOf(
    Math.abs(value),
    significant === undefined ? undefined : significant - 1,
  ).split('e');
  const exponent = Number(exponentText);
  const digits = mantissa.replace('.', '').replace(/0+$/, '');
  const limit = significant === undefined ? SHORTEST_LIMIT : limitFor(significant, digits.length, exponent);
  if (exponent < -4 || exponent >= limit) return exponential(value, Math.max(digits.length - 1, 0));
  const sign = isNegative(value) ? '-' : '';
  const point = exponent + 1;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits.padEnd(point, '0')}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
};

/** A precision beyond the digits there are does not keep integers from being written out. */
const limitFor = (significant: number, digits: number, exponent: number): number =>
  significant > digits && digits >= exponent + 1 ? digits : significant;
