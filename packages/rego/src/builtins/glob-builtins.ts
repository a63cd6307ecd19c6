import { anyOf, arrayOf, BOOLEAN, NULL, STRING } from '../types/index.ts';
import { isArray, type Value } from '../value/index.ts';
import { type BuiltinContext, type BuiltinDeclaration, operandError } from './contract.ts';
import { builtin } from './declare.ts';
import { wrapped } from './encoding.ts';
import { compileGlob } from './glob/pattern.ts';
import { stringAt, wrongElement } from './operands.ts';
import { compiledOnce } from './pattern-cache.ts';

const DEFAULT_DELIMITERS = ['.'];

/** No delimiters for null, a dot for none named. */
const delimitersAt = (args: readonly Value[], index: number): readonly string[] => {
  const value = args[index]!;
  if (value === null) return [];
  if (!isArray(value)) throw operandError(index + 1, value, 'array', 'null');
  if (value.length === 0) return DEFAULT_DELIMITERS;
  return value.map((element) => {
    if (typeof element !== 'string') throw wrongElement(index + 1, value, element, 'string');
    if ([...element].length !== 1) throw wrongElement(index + 1, value, element, 'rune');
    return element;
  });
};

const match = (args: readonly Value[], context: BuiltinContext): Value => {
  const pattern = stringAt(args, 0);
  const delimiters = delimitersAt(args, 1);
  const text = stringAt(args, 2);
  const key = `${delimiters.join('')} ${pattern}`;
  const glob = compiledOnce(context, 'glob', key, () => wrapped(() => compileGlob(pattern, delimiters)));
  return glob.test(text, (steps) => context.spend(steps));
};

const quoteMeta = (args: readonly Value[]): Value => stringAt(args, 0).replace(/[*?\\[\]{}]/g, '\\$&');

export const globBuiltins: readonly BuiltinDeclaration[] = [
  builtin('glob.match', [STRING, anyOf(NULL, arrayOf(STRING)), STRING], BOOLEAN, match),
  builtin('glob.quote_meta', [STRING], STRING, quoteMeta),
];
