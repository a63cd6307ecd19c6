import { type BuiltinContext, type BuiltinDeclaration, OperandError } from '../builtin.ts';
import { objectOf, STRING } from '../types/index.ts';
import type { RegoObject, Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { checkStringLength, objectAt, stringAt } from './operands.ts';

const replace = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  const old = stringAt(args, 1);
  const replacement = stringAt(args, 2);
  context.spend(1 + (text.length >> 6));
  // An empty string is found before each code point and at the end.
  if (old === '') return replaceMany(text, [['', replacement]], context);
  const pieces = text.split(old);
  checkStringLength(text.length + (pieces.length - 1) * (replacement.length - old.length), context);
  return pieces.join(replacement);
};

const replaceN = (args: readonly Value[], context: BuiltinContext): Value => {
  const pairs = pairsOf(objectAt(args, 0));
  return replaceMany(stringAt(args, 1), pairs, context);
};

const pairsOf = (patterns: RegoObject): [string, string][] => {
  const pairs: [string, string][] = [];
  for (const [old, replacement] of patterns) {
    if (typeof old !== 'string') throw new OperandError('operand 1 non-string key found in pattern object');
    if (typeof replacement !== 'string') {
      throw new OperandError('operand 1 non-string value found in pattern object');
    }
    pairs.push([old, replacement]);
  }
  return pairs;
};

/** Goes through the text once; where several patterns begin, the first of the pairs wins (as Go's `NewReplacer`). */
const replaceMany = (
  text: string,
  pairs: readonly (readonly [string, string])[],
  context: BuiltinContext,
): string => {
  let result = '';
  let last = 0;
  let position = 0;
  let emptyBefore = false;
  while (position <= text.length) {
    context.spend(1 + (pairs.length >> 3));
    const match = pairs.find(([old]) => (old === '' ? !emptyBefore : text.startsWith(old, position)));
    emptyBefore = match !== undefined && match[0] === '';
    if (match === undefined) {
      position += (text.codePointAt(position) ?? 0) > 0xffff ? 2 : 1;
      continue;
    }
    result += text.slice(last, position) + match[1];
    if (result.length > context.limits.maxStringLength) checkStringLength(result.length, context);
    position += match[0].length;
    last = position;
  }
  return result + text.slice(last);
};

/** Replacing parts of strings. */
export const replaceBuiltins: readonly BuiltinDeclaration[] = [
  builtin('replace', [STRING, STRING, STRING], STRING, replace),
  builtin('strings.replace_n', [objectOf(STRING, STRING), STRING], STRING, replaceN),
];
