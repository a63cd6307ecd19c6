import type { BuiltinContext, BuiltinDeclaration } from '../builtin.ts';
import { STRING } from '../types/index.ts';
import type { Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { stringAt } from './operands.ts';

/** How many UTF-16 units at the start are code points of the cut set. */
const leading = (text: string, cutset: ReadonlySet<string>): number => {
  let length = 0;
  for (const char of text) {
    if (!cutset.has(char)) break;
    length += char.length;
  }
  return length;
};

/** Where the run of code points of the cut set at the end begins. */
const trailing = (text: string, cutset: ReadonlySet<string>): number => {
  let end = text.length;
  while (end > 0) {
    const pair = end > 1 ? text.slice(end - 2, end) : '';
    const char = (pair.codePointAt(0) ?? 0) > 0xffff ? pair : text.charAt(end - 1);
    if (!cutset.has(char)) break;
    end -= char.length;
  }
  return end;
};

const trimLeft = (text: string, cutset: string): string => text.slice(leading(text, new Set(cutset)));

const trimRight = (text: string, cutset: string): string => text.slice(0, trailing(text, new Set(cutset)));

const trimPrefix = (text: string, prefix: string): string =>
  text.startsWith(prefix) ? text.slice(prefix.length) : text;

const trimSuffix = (text: string, suffix: string): string =>
  text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text;

const trimBy =
  (operation: (text: string, part: string) => string) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const text = stringAt(args, 0);
    const part = stringAt(args, 1);
    context.spend(1 + ((text.length + part.length) >> 6));
    return operation(text, part);
  };

const WHITE_SPACE = new Set('\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000');
for (let code = 0x2000; code <= 0x200a; code++) WHITE_SPACE.add(String.fromCharCode(code));

const trimSpace = (args: readonly Value[]): Value => {
  const text = stringAt(args, 0);
  const rest = text.slice(leading(text, WHITE_SPACE));
  return rest.slice(0, trailing(rest, WHITE_SPACE));
};

const TWO = [STRING, STRING];

/** Taking characters off the ends of strings. */
export const trimBuiltins: readonly BuiltinDeclaration[] = [
  builtin(
    'trim',
    TWO,
    STRING,
    trimBy((text, cutset) => trimRight(trimLeft(text, cutset), cutset)),
  ),
  builtin('trim_left', TWO, STRING, trimBy(trimLeft)),
  builtin('trim_right', TWO, STRING, trimBy(trimRight)),
  builtin('trim_prefix', TWO, STRING, trimBy(trimPrefix)),
  builtin('trim_suffix', TWO, STRING, trimBy(trimSuffix)),
  builtin('trim_space', [STRING], STRING, trimSpace),
];
