import type { BuiltinContext, BuiltinDeclaration } from '../builtin.ts';
import { ANY, arrayOf, NUMBER } from '../types/index.ts';
import { isArray, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { arrayAt, checkSize, intAt } from './operands.ts';

const concat = (args: readonly Value[], context: BuiltinContext): Value => {
  const first = arrayAt(args, 0);
  const second = arrayAt(args, 1);
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  checkSize(first.length + second.length, context);
  return [...first, ...second];
};

/** Indices outside the array are moved to its ends. */
const slice = (args: readonly Value[], context: BuiltinContext): Value => {
  const array = arrayAt(args, 0);
  const start = Math.max(intAt(args, 1), 0);
  const stop = Math.min(intAt(args, 2), array.length);
  if (stop <= start) return [];
  context.spend(stop - start);
  return array.slice(start, stop);
};

const reverse = (args: readonly Value[], context: BuiltinContext): Value => {
  const array = arrayAt(args, 0);
  context.spend(array.length);
  return array.toReversed();
};

/** One level only. */
const flatten = (args: readonly Value[], context: BuiltinContext): Value => {
  const array = arrayAt(args, 0);
  checkSize(
    array.reduce<number>((size, element) => size + (isArray(element) ? element.length : 1), 0),
    context,
  );
  return array.flatMap((element) => element as Value);
};

const VALUES = arrayOf(ANY);

export const arrayBuiltins: readonly BuiltinDeclaration[] = [
  builtin('array.concat', [VALUES, VALUES], VALUES, concat),
  builtin('array.flatten', [VALUES], VALUES, flatten),
  builtin('array.reverse', [VALUES], VALUES, reverse),
  builtin('array.slice', [VALUES, NUMBER, NUMBER], VALUES, slice),
];
