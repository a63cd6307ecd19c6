import { compareNumbers, isNumber, numberText, type RegoNumber, type RegoObject } from '../../value/index.ts';
import { codePointCount } from '../aggregates.ts';
import { FORMATS } from './formats.ts';
import { type Mistake, mistake, type Place } from './result.ts';

/** Keywords about numbers, in both forms of the exclusive bounds (draft 4: a boolean, later: a number). */
export const checkNumber = (value: RegoNumber, schema: RegoObject, place: Place): Mistake[] => {
  const mistakes: Mistake[] = [];
  const bound = (name: string): RegoNumber | undefined => {
    const limit = schema.getString(name);
    return isNumber(limit) ? limit : undefined;
  };
  const add = (type: string, words: string, limit: RegoNumber): void => {
    mistakes.push(mistake(place, type, `Must be ${words} ${numberText(limit)}`));
  };
  const multiple = bound('multipleOf');
  if (multiple !== undefined && !isMultiple(value, multiple)) add('multiple_of', 'a multiple of', multiple);
  const maximum = bound('maximum');
  const below = schema.getString('exclusiveMaximum') === true ? maximum : bound('exclusiveMaximum');
  if (below !== undefined && compareNumbers(value, below) >= 0) add('number_lt', 'less than', below);
  else if (maximum !== undefined && compareNumbers(value, maximum) > 0)
    add('number_lte', 'less than or equal to', maximum);
  const minimum = bound('minimum');
  const above = schema.getString('exclusiveMinimum') === true ? minimum : bound('exclusiveMinimum');
  if (above !== undefined && compareNumbers(value, above) <= 0) add('number_gt', 'greater than', above);
  else if (minimum !== undefined && compareNumbers(value, minimum) < 0)
    add('number_gte', 'greater than or equal to', minimum);
  return mistakes;
};

/** Digits beyond which a remainder is not worth its price. */
const MAX_DIGITS = 1_000;

/** Both as integers of the smaller unit, so that 0.3 is a multiple of 0.1. */
const isMultiple = (value: RegoNumber, unit: RegoNumber): boolean => {
  const [a, b] = [decimalOf(value), decimalOf(unit)];
  const scale = Math.max(a.scale, b.scale);
  if (scale - Math.min(a.scale, b.scale) > MAX_DIGITS) return false;
  return (a.integer * 10n ** BigInt(scale - a.scale)) % (b.integer * 10n ** BigInt(scale - b.scale)) === 0n;
};

/** integer × 10^-scale */
const decimalOf = (value: RegoNumber): { integer: bigint; scale: number } => {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(numberText(value)) ?? [];
  return { integer: BigInt(`${sign}${whole}${fraction}` || '0'), scale: fraction.length - Number(exponent) };
};

/** Keywords about strings. */
export const checkString = (
  value: string,
  schema: RegoObject,
  place: Place,
  matches: (pattern: string, text: string) => boolean,
): Mistake[] => {
  const mistakes: Mistake[] = [];
  const { minLength, maxLength, pattern, format } = {
    minLength: schema.getString('minLength'),
    maxLength: schema.getString('maxLength'),
    pattern: schema.getString('pattern'),
    format: schema.getString('format'),
  };
  const length = codePointCount(value);
  if (isNumber(minLength) && compareNumbers(length, minLength) < 0) {
    mistakes.push(
      mistake(place, 'string_gte', `String length must be greater than or equal to ${numberText(minLength)}`),
    );
  }
  if (isNumber(maxLength) && compareNumbers(length, maxLength) > 0) {
    mistakes.push(
      mistake(place, 'string_lte', `String length must be less than or equal to ${numberText(maxLength)}`),
    );
  }
  if (typeof pattern === 'string' && !matches(pattern, value)) {
    mistakes.push(mistake(place, 'pattern', `Does not match pattern '${pattern}'`));
  }
  if (typeof format === 'string' && Object.hasOwn(FORMATS, format) && FORMATS[format]?.(value) === false) {
    mistakes.push(mistake(place, 'format', `Does not match format '${format}'`));
  }
  return mistakes;
};
