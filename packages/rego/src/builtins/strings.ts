import { type BuiltinContext, type BuiltinDeclaration, OperandError, operandError } from '../builtin.ts';
import { anyOf, arrayOf, NUMBER, STRING, setOf } from '../types/index.ts';
import { isArray, isNumber, isSet, toBigInt, type Value } from '../value/index.ts';
import { toFloat, truncateFloat } from './big-float.ts';
import { builtin } from './declare.ts';
import { checkStringLength, numberAt, stringAt, wrongElement } from './operands.ts';
import { replaceBuiltins } from './strings-replace.ts';
import { searchBuiltins } from './strings-search.ts';
import { trimBuiltins } from './strings-trim.ts';

const concat = (args: readonly Value[], context: BuiltinContext): Value => {
  const delimiter = stringAt(args, 0);
  const collection = args[1]!;
  if (!isArray(collection) && !isSet(collection)) throw operandError(2, collection, 'set', 'array');
  const parts = isArray(collection) ? collection : collection.sorted;
  let length = 0;
  for (const part of parts) {
    if (typeof part !== 'string') throw wrongElement(2, collection, part, 'string');
    length += part.length + delimiter.length;
  }
  checkStringLength(length, context);
  return parts.join(delimiter);
};

const BASES = [2, 8, 10, 16];

/** Fractions are cut off. */
const formatInteger = (args: readonly Value[], context: BuiltinContext): Value => {
  const value = numberAt(args, 0);
  const base = args[1]!;
  if (!isNumber(base)) throw operandError(2, base, 'number');
  if (typeof base !== 'number' || !BASES.includes(base)) {
    throw new OperandError(`operand 2 must be one of {${BASES.join(', ')}}`);
  }
  const integer = toBigInt(value) ?? truncateFloat(toFloat(value));
  const text = integer.toString(base);
  checkStringLength(text.length, context);
  return text;
};

const IS_ASCII = /^[\0-\x7f]*$/;

/** Maps each code point by itself, as Go does: no letter becomes two, and none depends on its neighbours. */
const mapCase =
  (native: 'toLowerCase' | 'toUpperCase') =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const text = stringAt(args, 0);
    context.spend(1 + (text.length >> 6));
    if (IS_ASCII.test(text)) return text[native]();
    let result = '';
    for (const char of text) result += mapped(char, char[native]());
    return result;
  };

const mapped = (char: string, result: string): string => {
  // The one letter whose simple lower case is the first of the two that JavaScript gives.
  if (char === '\u0130' && result.startsWith('i')) return 'i';
  return [...result].length === 1 ? result : char;
};

const split = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  const delimiter = stringAt(args, 1);
  context.spend(1 + text.length);
  return delimiter === '' ? [...text] : text.split(delimiter);
};

const reverse = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  context.spend(1 + text.length);
  return [...text].reverse().join('');
};

const TEXTS = anyOf(setOf(STRING), arrayOf(STRING));

export const stringBuiltins: readonly BuiltinDeclaration[] = [
  builtin('concat', [STRING, TEXTS], STRING, concat),
  builtin('format_int', [NUMBER, NUMBER], STRING, formatInteger),
  builtin('lower', [STRING], STRING, mapCase('toLowerCase')),
  builtin('upper', [STRING], STRING, mapCase('toUpperCase')),
  builtin('split', [STRING, STRING], arrayOf(STRING), split),
  builtin('strings.reverse', [STRING], STRING, reverse),
  ...searchBuiltins,
  ...replaceBuiltins,
  ...trimBuiltins,
];
