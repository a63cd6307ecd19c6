import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, operandError } from '../builtin.ts';
import { anyOf, arrayOf, BOOLEAN, NULL, NUMBER, STRING } from '../types/index.ts';
import { isNumber, numberFromBigInt, numberFromDouble, numberFromText, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { bigIntAt, checkSize, stringAt } from './operands.ts';

const range = (args: readonly Value[], context: BuiltinContext): Value =>
  steps(bigIntAt(args, 0), bigIntAt(args, 1), 1n, context);

const rangeStep = (args: readonly Value[], context: BuiltinContext): Value => {
  const from = bigIntAt(args, 0);
  const to = bigIntAt(args, 1);
  const step = bigIntAt(args, 2);
  if (step <= 0n) throw new BuiltinError('step must be a positive integer');
  return steps(from, to, step, context);
};

/** From one end to the other, both included, downwards when the first is the larger. */
const steps = (from: bigint, to: bigint, step: bigint, context: BuiltinContext): Value => {
  const distance = to >= from ? to - from : from - to;
  const count = distance / step + 1n;
  checkSize(Number(count), context);
  const signed = to >= from ? step : -step;
  const result = new Array<Value>(Number(count));
  let next = from;
  for (let index = 0; index < result.length; index++) {
    result[index] = numberFromBigInt(next);
    next += signed;
  }
  return result;
};

/** A random number below a bound, the same for the same two operands all through an evaluation. */
const randomInteger = (args: readonly Value[], context: BuiltinContext): Value => {
  const name = stringAt(args, 0);
  const bound = bigIntAt(args, 1);
  const limit = bound < 0n ? -bound : bound;
  if (limit === 0n) return 0;
  const key = `rand.intn:${limit}:${name}`;
  const known = context.cache.get(key) as Value | undefined;
  if (known !== undefined) return known;
  const value = numberFromBigInt(below(limit, context));
  context.cache.set(key, value);
  return value;
};

const below = (limit: bigint, context: BuiltinContext): bigint => {
  let random = 0n;
  for (let drawn = 1n; drawn < limit << 32n; drawn <<= 32n) {
    random = (random << 32n) | BigInt(Math.floor(context.random() * 2 ** 32));
  }
  return random % limit;
};

const toNumber = (args: readonly Value[]): Value => {
  const value = args[0]!;
  if (value === null || value === false) return 0;
  if (value === true) return 1;
  if (isNumber(value)) return value;
  if (typeof value === 'string') return parseNumber(value);
  throw operandError(1, value, 'null', 'boolean', 'number', 'string');
};

const DECIMAL = /^([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/;

/** What Go's `ParseFloat` takes, except infinities and NaN. */
const parseNumber = (text: string): Value => {
  if (/^[+-]*(inf|infinity|nan)$/i.test(text)) throw operandError(1, text, 'valid number string');
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal !== null) return hexadecimalNumber(hexadecimal);
  const decimal = DECIMAL.exec(text);
  if (decimal === null) {
    throw new BuiltinError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  if (!Number.isFinite(Number(text))) {
    throw new BuiltinError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`);
  }
  const [, sign, digits = '', exponent] = decimal;
  const mantissa = digits
    .replace(/^\./, '0.')
    .replace(/\.$/, '')
    .replace(/^0+(?=\d)/, '');
  return numberFromText(
    `${sign === '-' ? '-' : ''}${mantissa}${exponent === undefined ? '' : `e${exponent}`}`,
  );
};

const hexadecimalNumber = ([, sign, whole = '', fraction = '', exponent = '0']: RegExpExecArray): Value => {
  const mantissa = Number(`0x${whole}${fraction || (whole === '' ? '0' : '')}`);
  const value = mantissa * 2 ** (Number(exponent) - 4 * fraction.length);
  return numberFromDouble(sign === '-' ? -value : value);
};

export const numberBuiltins: readonly BuiltinDeclaration[] = [
  builtin('numbers.range', [NUMBER, NUMBER], arrayOf(NUMBER), range),
  builtin('numbers.range_step', [NUMBER, NUMBER, NUMBER], arrayOf(NUMBER), rangeStep),
  builtin('rand.intn', [STRING, NUMBER], NUMBER, randomInteger, { nondeterministic: true }),
  builtin('to_number', [anyOf(NUMBER, STRING, BOOLEAN, NULL)], NUMBER, toNumber),
];
