import { type BuiltinContext, BuiltinError, elementError, OperandError, operandError } from '../builtin.ts';
import {
  isArray,
  isNumber,
  isObject,
  isSet,
  type RegoArray,
  type RegoNumber,
  type RegoObject,
  type RegoSet,
  toBigInt,
  typeName,
  type Value,
} from '../value/index.ts';

/** The operand at an index as a string; the error counts from 1, as OPA does. */
export const stringAt = (args: readonly Value[], index: number): string => {
  const value = args[index]!;
  if (typeof value !== 'string') throw operandError(index + 1, value, 'string');
  return value;
};

export const numberAt = (args: readonly Value[], index: number): RegoNumber => {
  const value = args[index]!;
  if (!isNumber(value)) throw operandError(index + 1, value, 'number');
  return value;
};

export const arrayAt = (args: readonly Value[], index: number): RegoArray => {
  const value = args[index];
  if (!isArray(value)) throw operandError(index + 1, value!, 'array');
  return value;
};

export const setAt = (args: readonly Value[], index: number): RegoSet => {
  const value = args[index]!;
  if (!isSet(value)) throw operandError(index + 1, value, 'set');
  return value;
};

export const objectAt = (args: readonly Value[], index: number): RegoObject => {
  const value = args[index]!;
  if (!isObject(value)) throw operandError(index + 1, value, 'object');
  return value;
};

/** An integer that fits a machine word of 64 bits, as a double: positions and counts. */
export const intAt = (args: readonly Value[], index: number): number => {
  const value = numberAt(args, index);
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  const integer = int64Of(value);
  if (integer === undefined) throw notInteger(index + 1);
  return Number(integer);
};

/** An integer of any size. */
export const bigIntAt = (args: readonly Value[], index: number): bigint => {
  const value = args[index]!;
  if (!isNumber(value)) throw operandError(index + 1, value, 'integer');
  const integer = toBigInt(value);
  if (integer === undefined) throw notInteger(index + 1);
  return integer;
};

/**
 * The integer that Go's `Number.Int64` gives: nothing when the text has a fraction or an exponent, or does
 * not fit 64 bits.
 */
export const int64Of = (value: RegoNumber): bigint | undefined => {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (!/^-?\d{1,19}$/.test(value.text)) return undefined;
  const integer = BigInt(value.text);
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
};

const notInteger = (position: number): OperandError =>
  new OperandError(`operand ${position} must be integer number but got floating-point number`);

/** An array or a set as a list, in order. */
export const listAt = (
  args: readonly Value[],
  index: number,
  expected: readonly string[] = ['array', 'set'],
): RegoArray => {
  const value = args[index]!;
  if (isArray(value)) return value;
  if (isSet(value)) return value.sorted;
  throw operandError(index + 1, value, ...expected);
};

/** `operand 1 must be array of strings but got array containing number`. */
export const wrongElement = (
  position: number,
  container: Value,
  element: Value,
  ...expected: readonly string[]
): OperandError => {
  const elements = expected.length === 1 ? `${expected[0]}s` : `(any of) {${expected.join(', ')}}`;
  return elementError(position, container, element, `${typeName(container)} of ${elements}`);
};

/** Gives a string back when it is not longer than built-ins may make them. */
export const boundedString = (text: string, context: BuiltinContext): string => {
  checkStringLength(text.length, context);
  return text;
};

/** Refuses a string before it is made. */
export const checkStringLength = (length: number, context: BuiltinContext): void => {
  if (length > context.limits.maxStringLength) {
    throw new BuiltinError(
      `result of ${length} characters is longer than the limit of ${context.limits.maxStringLength}`,
    );
  }
  context.spend(1 + (length >> 6));
};

/** Refuses a collection before it is made. */
export const checkSize = (size: number, context: BuiltinContext): void => {
  if (size > context.limits.maxCollectionSize) {
    throw new BuiltinError(
      `result of ${size} elements is larger than the limit of ${context.limits.maxCollectionSize}`,
    );
  }
  context.spend(1 + size);
};
