import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, operandError } from '../builtin.ts';
import { ANY, anyOf, NUMBER, setOf } from '../types/index.ts';
import {
  compareNumbers,
  Decimal,
  isNumber,
  isSet,
  numberFromBigInt,
  numberFromText,
  numberText,
  type RegoNumber,
  RegoSet,
  toBigInt,
  type Value,
} from '../value/index.ts';
import {
  addFloats,
  type BigFloat,
  divideFloats,
  fromFloat,
  isWhole,
  multiplyFloats,
  negateFloat,
  toFloat,
  truncateFloat,
} from './big-float.ts';
import { builtin } from './declare.ts';
import { numberAt } from './operands.ts';

/** `+`, `-`, `*`, `/`, `%` and rounding: exact for integers of any size, otherwise with a mantissa of 64 bits. */

/** The sum of two numbers. */
export const add = (a: RegoNumber, b: RegoNumber): RegoNumber =>
  combine(a, b, {
    quick: (x, y) => x + y,
    exact: (x, y) => x + y,
    float: addFloats,
  });

const subtract = (a: RegoNumber, b: RegoNumber): RegoNumber =>
  combine(a, b, {
    quick: (x, y) => x - y,
    exact: (x, y) => x - y,
    float: (x, y) => addFloats(x, negateFloat(y)),
  });

/** The product of two numbers. */
export const multiply = (a: RegoNumber, b: RegoNumber): RegoNumber =>
  combine(a, b, {
    quick: (x, y) => x * y,
    exact: (x, y) => x * y,
    float: multiplyFloats,
  });

interface Operation {
  /** On integers that a double holds; the result counts only when it is such an integer as well. */
  readonly quick: (x: number, y: number) => number;
  readonly exact: (x: bigint, y: bigint) => bigint;
  readonly float: (x: BigFloat, y: BigFloat) => BigFloat;
}

const combine = (a: RegoNumber, b: RegoNumber, operation: Operation): RegoNumber => {
  if (typeof a === 'number' && typeof b === 'number' && Number.isInteger(a) && Number.isInteger(b)) {
    const result = operation.quick(a, b);
    if (Number.isSafeInteger(result)) return result === 0 ? 0 : result;
  }
  checkDigits(a, b);
  const x = toBigInt(a);
  const y = x === undefined ? undefined : toBigInt(b);
  if (x !== undefined && y !== undefined) return numberFromBigInt(operation.exact(x, y));
  return fromFloat(operation.float(toFloat(a), toFloat(b)));
};

/** The most digits that an operand may have: beyond it one operation takes longer than a policy may. */
const MAX_DIGITS = 50_000;

const checkDigits = (a: RegoNumber, b: RegoNumber): void => {
  if (sizeOf(a) <= MAX_DIGITS && sizeOf(b) <= MAX_DIGITS) return;
  throw new BuiltinError('number too large to compute with');
};

const divide = (a: RegoNumber, b: RegoNumber): RegoNumber => {
  if (compareNumbers(b, 0) === 0) throw new BuiltinError('divide by zero');
  if (typeof a === 'number' && typeof b === 'number' && Number.isInteger(b) && a % b === 0) return a / b + 0;
  checkDigits(a, b);
  return fromFloat(divideFloats(toFloat(a), toFloat(b)));
};

const remainder = (a: RegoNumber, b: RegoNumber): RegoNumber => {
  checkDigits(a, b);
  const x = toBigInt(a);
  const y = toBigInt(b);
  if (x === undefined || y === undefined) throw new BuiltinError('modulo on floating-point number');
  if (y === 0n) throw new BuiltinError('modulo by zero');
  return numberFromBigInt(x % y);
};

const minus = (args: readonly Value[]): Value => {
  const [a, b] = args as [Value, Value];
  if (isNumber(a) && isNumber(b)) return subtract(a, b);
  if (isSet(a) && isSet(b)) return difference(a, b);
  if (!isNumber(a) && !isSet(a)) throw operandError(1, a, 'number', 'set');
  throw operandError(2, b, isNumber(b) ? 'set' : 'number');
};

const difference = (a: RegoSet, b: RegoSet): RegoSet => {
  const result = new RegoSet();
  for (const member of a.values()) if (!b.has(member)) result.add(member);
  return result;
};

/** Rounds half away from zero. */
const round = (a: RegoNumber): RegoNumber => {
  const half: BigFloat = { mantissa: numberText(a).startsWith('-') ? -1n : 1n, exponent: -1 };
  return toWhole(a, (float) => truncateFloat(addFloats(float, half)));
};

const ceil = (a: RegoNumber): RegoNumber =>
  toWhole(a, (float) => truncateFloat(float) + (float.mantissa > 0n && !isWhole(float) ? 1n : 0n));

const floor = (a: RegoNumber): RegoNumber =>
  toWhole(a, (float) => truncateFloat(float) - (float.mantissa < 0n && !isWhole(float) ? 1n : 0n));

const toWhole = (a: RegoNumber, whole: (float: BigFloat) => bigint): RegoNumber => {
  if (typeof a === 'number' && Number.isInteger(a)) return a;
  return numberFromBigInt(toBigInt(a) ?? whole(toFloat(a)));
};

const abs = (a: RegoNumber): RegoNumber => {
  if (typeof a === 'number') return Math.abs(a);
  return a.text.startsWith('-') ? numberFromText(a.text.slice(1)) : new Decimal(a.text);
};

type Unary = (a: RegoNumber) => RegoNumber;
type Binary = (a: RegoNumber, b: RegoNumber) => RegoNumber;

const unary =
  (operation: Unary) =>
  (args: readonly Value[]): Value =>
    operation(numberAt(args, 0));

const binary =
  (operation: Binary) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const a = numberAt(args, 0);
    const b = numberAt(args, 1);
    if (typeof a !== 'number' || typeof b !== 'number') context.spend(1 + ((sizeOf(a) * sizeOf(b)) >> 12));
    return operation(a, b);
  };

const sizeOf = (value: RegoNumber): number => (typeof value === 'number' ? 16 : value.text.length);

const NUMBER_OR_SET = anyOf(NUMBER, setOf(ANY));
const TWO = [NUMBER, NUMBER];

/** Arithmetic and the difference of sets, which shares the minus sign. */
export const arithmeticBuiltins: readonly BuiltinDeclaration[] = [
  builtin('plus', TWO, NUMBER, binary(add), { infix: '+' }),
  builtin('minus', [NUMBER_OR_SET, NUMBER_OR_SET], NUMBER_OR_SET, minus, { infix: '-' }),
  builtin('mul', TWO, NUMBER, binary(multiply), { infix: '*' }),
  builtin('div', TWO, NUMBER, binary(divide), { infix: '/' }),
  builtin('rem', TWO, NUMBER, binary(remainder), { infix: '%' }),
  builtin('round', [NUMBER], NUMBER, unary(round)),
  builtin('ceil', [NUMBER], NUMBER, unary(ceil)),
  builtin('floor', [NUMBER], NUMBER, unary(floor)),
  builtin('abs', [NUMBER], NUMBER, unary(abs)),
];
