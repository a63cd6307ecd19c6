import { type BuiltinContext, type BuiltinDeclaration, operandError } from '../builtin.ts';
import { anyOf, arrayOf, BOOLEAN, NULL, STRING } from '../types/index.ts';
import { isArray, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { wrapped } from './encoding.ts';
import { compileGlob } from './glob/pattern.ts';
import { stringAt, wrongElement } from './operands.ts';
import { compiledOnce } from './pattern-cache.ts';

/** No delimiters for null, a dot for none named. As one string, for a key. */
const delimitersAt = (args: readonly Value[], index: number): string => {
  const value = args[index]!;
  if (value === null) return '';
  if (!isArray(value)) throw operandError(index + 1, value, 'array', 'null');
  if (value.length === 0) return '.';
  let delimiters = '';
  for (const element of value) {
    if (typeof element !== 'string') throw wrongElement(index + 1, value, element, 'string');
    if (element.length !== 1 && [...element].length !== 1)
      throw wrongElement(index + 1, value, element, 'rune');
    delimiters = value.length === 1 ? element : delimiters + element;
  }
  return delimiters;
};

/** The cache's kind for the delimiters that are in use everywhere, so that no string is put together for a look-up. */
const COMMON_KINDS: ReadonlyMap<string, string> = new Map(
  ['', '.', '/', ':'].map((each) => [each, `glob ${each}`]),
);

const match = (args: readonly Value[], context: BuiltinContext): Value => {
  const pattern = stringAt(args, 0);
  const delimiters = delimitersAt(args, 1);
  const text = stringAt(args, 2);
  const kind = COMMON_KINDS.get(delimiters) ?? 'glob';
  const key = kind === 'glob' ? `${delimiters} ${pattern}` : pattern;
  const glob = compiledOnce(context, kind, key, () => wrapped(() => compileGlob(pattern, [...delimiters])));
  return glob.test(text, context);
};

const quoteMeta = (args: readonly Value[]): Value => stringAt(args, 0).replace(/[*?\\[\]{}]/g, '\\$&');

export const globBuiltins: readonly BuiltinDeclaration[] = [
  builtin('glob.match', [STRING, anyOf(NULL, arrayOf(STRING)), STRING], BOOLEAN, match),
  builtin('glob.quote_meta', [STRING], STRING, quoteMeta),
];
