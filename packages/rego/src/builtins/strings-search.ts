import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, operandError } from '../builtin.ts';
import { anyOf, arrayOf, BOOLEAN, NUMBER, STRING, setOf } from '../types/index.ts';
import { isArray, isSet, type Value } from '../value/index.ts';
import { codePointCount } from './aggregates.ts';
import { builtin } from './declare.ts';
import { checkSize, intAt, stringAt, wrongElement } from './operands.ts';

const searchedAt = (args: readonly Value[], context: BuiltinContext): { text: string; wanted: string } => {
  const text = stringAt(args, 0);
  const wanted = stringAt(args, 1);
  if (wanted === '') throw new BuiltinError('empty search character');
  context.spend(1 + (text.length >> 6));
  return { text, wanted };
};

/** Counted in code points; -1 when the text does not occur. */
const indexOf = (args: readonly Value[], context: BuiltinContext): Value => {
  const { text, wanted } = searchedAt(args, context);
  const index = text.indexOf(wanted);
  return index < 0 ? -1 : codePointCount(text.slice(0, index));
};

/** All places, overlapping ones too. */
const indicesOf = (args: readonly Value[], context: BuiltinContext): Value => {
  const { text, wanted } = searchedAt(args, context);
  const found: number[] = [];
  let counted = 0;
  let last = 0;
  for (let index = text.indexOf(wanted); index >= 0; index = text.indexOf(wanted, index + 1)) {
    counted += codePointCount(text.slice(last, index));
    last = index;
    found.push(counted);
    context.spend(1 + (wanted.length >> 6));
  }
  checkSize(found.length, context);
  return found;
};

const countOf = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  const wanted = stringAt(args, 1);
  context.spend(1 + (text.length >> 6));
  if (wanted === '') return codePointCount(text) + 1;
  let count = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) count++;
  return count;
};

/** A length below zero means the rest. Both are counted in code points. */
const substring = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  const start = intAt(args, 1);
  const length = intAt(args, 2);
  if (start < 0) throw new BuiltinError('negative offset');
  context.spend(1 + (text.length >> 6));
  const end = length < 0 ? Number.POSITIVE_INFINITY : start + length;
  if (codePointCount(text) === text.length) return text.slice(start, end);
  return [...text].slice(start, end).join('');
};

const test =
  (holds: (text: string, part: string) => boolean) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const text = stringAt(args, 0);
    const part = stringAt(args, 1);
    context.spend(1 + (part.length >> 6));
    return holds(text, part);
  };

const textsAt = (args: readonly Value[], index: number): readonly string[] => {
  const value = args[index]!;
  if (typeof value === 'string') return [value];
  if (!isArray(value) && !isSet(value)) throw operandError(index + 1, value, 'string', 'set', 'array');
  const list = isArray(value) ? value : value.sorted;
  for (const element of list) {
    if (typeof element !== 'string') throw wrongElement(index + 1, value, element, 'string');
  }
  return list as readonly string[];
};

const anyMatch =
  (holds: (text: string, part: string) => boolean) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const texts = textsAt(args, 0);
    const parts = textsAt(args, 1);
    return texts.some((text) => {
      context.spend(1 + parts.length);
      return parts.some((part) => holds(text, part));
    });
  };

const TEXTS = anyOf(STRING, setOf(STRING), arrayOf(STRING));
const startsWith = (text: string, part: string): boolean => text.startsWith(part);
const endsWith = (text: string, part: string): boolean => text.endsWith(part);

/** Finding one string in another. */
export const searchBuiltins: readonly BuiltinDeclaration[] = [
  builtin('contains', [STRING, STRING], BOOLEAN, (args, context) => {
    const text = stringAt(args, 0);
    const part = stringAt(args, 1);
    context.spend(1 + (text.length >> 6));
    return text.includes(part);
  }),
  builtin('startswith', [STRING, STRING], BOOLEAN, test(startsWith)),
  builtin('endswith', [STRING, STRING], BOOLEAN, test(endsWith)),
  builtin('indexof', [STRING, STRING], NUMBER, indexOf),
  builtin('indexof_n', [STRING, STRING], arrayOf(NUMBER), indicesOf),
  builtin('strings.count', [STRING, STRING], NUMBER, countOf),
  builtin('substring', [STRING, NUMBER, NUMBER], STRING, substring),
  builtin('strings.any_prefix_match', [TEXTS, TEXTS], BOOLEAN, anyMatch(startsWith)),
  builtin('strings.any_suffix_match', [TEXTS, TEXTS], BOOLEAN, anyMatch(endsWith)),
];
