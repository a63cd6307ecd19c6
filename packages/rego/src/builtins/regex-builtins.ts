import { type BuiltinContext, type BuiltinDeclaration, BuiltinError } from '../builtin.ts';
import { arrayOf, BOOLEAN, NUMBER, STRING } from '../types/index.ts';
import { quote, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { wrapped } from './encoding.ts';
import { globsIntersect } from './glob/intersection.ts';
import { boundedString, checkSize, intAt, stringAt } from './operands.ts';
import { compiledOnce } from './pattern-cache.ts';
import { compileRegexp, quoteRegexp, type Regexp } from './regex/regexp.ts';

const patternAt = (args: readonly Value[], index: number, context: BuiltinContext): Regexp =>
  regexpFor(stringAt(args, index), context);

const regexpFor = (pattern: string, context: BuiltinContext): Regexp =>
  compiledOnce(context, 'regex', pattern, () => wrapped(() => compileRegexp(pattern)));

const match = (args: readonly Value[], context: BuiltinContext): Value => {
  const pattern = patternAt(args, 0, context);
  return pattern.test(stringAt(args, 1), context);
};

const isValid = (args: readonly Value[], context: BuiltinContext): Value => {
  const pattern = args[0]!;
  if (typeof pattern !== 'string') return false;
  context.spend(1 + pattern.length);
  try {
    compileRegexp(pattern);
    return true;
  } catch {
    return false;
  }
};

/** Below zero means all of them. */
const limitAt = (args: readonly Value[], index: number): number => {
  const limit = intAt(args, index);
  return limit < 0 ? Number.POSITIVE_INFINITY : limit;
};

const find =
  (pick: (groups: readonly string[]) => Value) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const pattern = patternAt(args, 0, context);
    const text = stringAt(args, 1);
    const found: Value[] = [];
    for (const { groups } of pattern.matches(text, limitAt(args, 2), context)) found.push(pick(groups));
    checkSize(found.length, context);
    return found;
  };

const replace = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  const pattern = patternAt(args, 1, context);
  const template = stringAt(args, 2);
  const limits = { spender: context, maxLength: context.limits.maxStringLength };
  return boundedString(
    wrapped(() => pattern.replaceAll(text, template, limits)),
    context,
  );
};

const split = (args: readonly Value[], context: BuiltinContext): Value => {
  const pattern = patternAt(args, 0, context);
  return pattern.split(stringAt(args, 1), context);
};

/** A text in which only what stands between two delimiters is a pattern. */
const templateMatch = (args: readonly Value[], context: BuiltinContext): Value => {
  const template = stringAt(args, 0);
  const text = stringAt(args, 1);
  const start = delimiterAt(args, 2, 'start');
  const end = delimiterAt(args, 3, 'end');
  const pattern = templatePattern(template, start, end);
  return regexpFor(pattern, context).test(text, context);
};

const delimiterAt = (args: readonly Value[], index: number, name: string): string => {
  const delimiter = stringAt(args, index);
  if (delimiter.length !== 1) {
    throw new BuiltinError(
      `${name} delimiter has to be exactly one character long but is ${delimiter.length} long`,
    );
  }
  return delimiter;
};

const templatePattern = (template: string, start: string, end: string): string => {
  let pattern = '^';
  let last = 0;
  for (const [from, to] of delimited(template, start, end)) {
    pattern += `${quoteRegexp(template.slice(last, from))}(${template.slice(from + 1, to)})`;
    last = to + 1;
  }
  return `${pattern}${quoteRegexp(template.slice(last))}$`;
};

/** The outermost pairs of delimiters. */
const delimited = (template: string, start: string, end: string): readonly (readonly [number, number])[] => {
  const pairs: [number, number][] = [];
  let level = 0;
  let opened = 0;
  for (let index = 0; index < template.length; index++) {
    if (template[index] === start) {
      if (level++ === 0) opened = index;
    } else if (template[index] === end) {
      if (--level === 0) pairs.push([opened, index]);
      if (level < 0) throw unbalanced(template);
    }
  }
  if (level !== 0) throw unbalanced(template);
  return pairs;
};

const unbalanced = (template: string): BuiltinError =>
  new BuiltinError(`unbalanced braces in ${quote(template)}`);

const globsMatch = (args: readonly Value[], context: BuiltinContext): Value =>
  wrapped(() => globsIntersect(stringAt(args, 0), stringAt(args, 1), context));

const TEXTS = arrayOf(STRING);

export const regexBuiltins: readonly BuiltinDeclaration[] = [
  builtin('regex.match', [STRING, STRING], BOOLEAN, match),
  builtin('re_match', [STRING, STRING], BOOLEAN, match, { deprecated: true }),
  builtin('regex.is_valid', [STRING], BOOLEAN, isValid),
  builtin(
    'regex.find_n',
    [STRING, STRING, NUMBER],
    TEXTS,
    find((groups) => groups[0]!),
  ),
  builtin(
    'regex.find_all_string_submatch_n',
    [STRING, STRING, NUMBER],
    arrayOf(TEXTS),
    find((groups) => groups),
  ),
  builtin('regex.replace', [STRING, STRING, STRING], STRING, replace),
  builtin('regex.split', [STRING, STRING], TEXTS, split),
  builtin('regex.template_match', [STRING, STRING, STRING, STRING], BOOLEAN, templateMatch),
  builtin('regex.globs_match', [STRING, STRING], BOOLEAN, globsMatch),
];
