import { type BuiltinContext, type BuiltinDeclaration, operandError } from '../builtin.ts';
import { ANY, anyOf, arrayOf, BOOLEAN, NUMBER, objectOf, STRING, setOf } from '../types/index.ts';
import { compare, isArray, isNumber, isObject, isSet, type RegoNumber, type Value } from '../value/index.ts';
import { add, multiply } from './arithmetic.ts';
import { builtin } from './declare.ts';
import { listAt, wrongElement } from './operands.ts';

const count = (args: readonly Value[]): Value => {
  const value = args[0]!;
  if (isArray(value)) return value.length;
  if (isSet(value) || isObject(value)) return value.size;
  if (typeof value === 'string') return codePointCount(value);
  throw operandError(1, value, 'array', 'object', 'set', 'string');
};

/** How many code points a string has; a lone surrogate counts as one. */
export const codePointCount = (text: string): number => {
  let pairs = 0;
  for (let index = 1; index < text.length; index++) {
    const isLow = (text.charCodeAt(index) & 0xfc00) === 0xdc00;
    if (isLow && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800) pairs++;
  }
  return text.length - pairs;
};

const folded =
  (start: RegoNumber, operation: (a: RegoNumber, b: RegoNumber) => RegoNumber) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const list = listAt(args, 0, ['set', 'array']);
    context.spend(list.length);
    let result = start;
    for (const element of list) {
      if (!isNumber(element)) throw wrongElement(1, args[0]!, element, 'number');
      if (typeof result !== 'number') context.spend(1 + (result.text.length >> 6));
      result = operation(result, element);
    }
    return result;
  };

/** The element that comes first in the order of values; undefined for an empty collection. */
const extreme =
  (sign: 1 | -1) =>
  (args: readonly Value[], context: BuiltinContext): Value | undefined => {
    const list = listAt(args, 0, ['set', 'array']);
    if (isSet(args[0])) return sign === 1 ? list[0] : list.at(-1);
    context.spend(list.length);
    return list.reduce<Value | undefined>(
      (best, element) => (best === undefined || compare(element, best) * sign < 0 ? element : best),
      undefined,
    );
  };

const sort = (args: readonly Value[], context: BuiltinContext): Value => {
  const value = args[0]!;
  if (isSet(value)) return value.sorted;
  if (!isArray(value)) throw operandError(1, value, 'set', 'array');
  context.spend(value.length * 4);
  return value.toSorted(compare);
};

const isTrue = (value: Value): boolean => value === true;

const NUMBERS = anyOf(setOf(NUMBER), arrayOf(NUMBER));
const VALUES = anyOf(setOf(ANY), arrayOf(ANY));

/** What makes one value of a collection. `any` and `all` are kept for old policies. */
export const aggregateBuiltins: readonly BuiltinDeclaration[] = [
  builtin('count', [anyOf(setOf(ANY), arrayOf(ANY), objectOf(ANY, ANY), STRING)], NUMBER, count),
  builtin('sum', [NUMBERS], NUMBER, folded(0, add)),
  builtin('product', [NUMBERS], NUMBER, folded(1, multiply)),
  builtin('min', [VALUES], ANY, extreme(1)),
  builtin('max', [VALUES], ANY, extreme(-1)),
  builtin('sort', [VALUES], arrayOf(ANY), sort),
  builtin('any', [VALUES], BOOLEAN, (args) => listAt(args, 0).some(isTrue), { deprecated: true }),
  builtin('all', [VALUES], BOOLEAN, (args) => listAt(args, 0).every(isTrue), { deprecated: true }),
];
