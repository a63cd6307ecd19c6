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

/** The most digits that JavaScript writes; a double has more only where they are zeros or beyond what is asked for. */
const MAX_DIGITS = 100;

const digitsOf = (value: number, precision: number | undefined): string => {
  if (precision === undefined) return value.toExponential();
  const [mantissa = '', exponent = ''] = value.toExponential(MAX_DIGITS).split('e');
  if (precision > MAX_DIGITS) return `${mantissa.padEnd(precision + 2, '0')}e${exponent}`;
  const cut = tieToEven(mantissa, precision);
  return cut === undefined ? value.toExponential(precision) : `${cut}e${exponent}`;
};

/** Exactly this many digits behind the point, from the double's exact value. */
const fixed = (value: number, precision: number): string => {
  const sign = isNegative(value) ? '-' : '';
  const size = Math.abs(value);
  // Above 10^21 doubles are integers, which JavaScript would write with an exponent.
  const exact = size < 1e21 ? size.toFixed(MAX_DIGITS) : `${BigInt(size)}.${'0'.repeat(MAX_DIGITS)}`;
  if (precision > MAX_DIGITS) return sign + exact.padEnd(exact.length + precision - MAX_DIGITS, '0');
  const cut = tieToEven(exact, precision);
  if (cut !== undefined) return sign + cut;
  return sign + (size < 1e21 ? size.toFixed(precision) : cutAfter(exact, precision));
};

/** Go rounds what lies in the middle to even, JavaScript up: the digits when they are to be cut off, not rounded up. */
const tieToEven = (exact: string, precision: number): string | undefined => {
  const kept = cutAfter(exact, precision);
  const rest = exact.slice(kept.length).replace('.', '');
  const isTie = /^50*$/.test(rest);
  return isTie && Number(kept.at(-1)) % 2 === 0 ? kept : undefined;
};

const cutAfter = (exact: string, precision: number): string =>
  exact.slice(0, precision === 0 ? exact.indexOf('.') : exact.indexOf('.') + 1 + precision);

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
