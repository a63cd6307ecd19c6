import { type BuiltinContext, type BuiltinDeclaration, BuiltinError } from '../builtin.ts';
import { ANY, arrayOf, BOOLEAN, STRING, setOf } from '../types/index.ts';
import { format, isArray, isNumber, isSet, numberText, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { wrapped } from './encoding.ts';
import { type PrintfArgument, sprintf } from './format/printf.ts';
import { arrayAt, boundedString, checkStringLength, int64Of, stringAt } from './operands.ts';

const print = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  const values = arrayAt(args, 1);
  checkStringLength(text.length + declaredWidth(text), context);
  const { maxStringLength } = context.limits;
  return boundedString(
    wrapped(() => sprintf(text, values.map(argumentOf), maxStringLength)),
    context,
  );
};

/** The widths that a format asks for, so that `%999999d%999999d...` is refused before it is filled with blanks. */
const declaredWidth = (text: string): number => {
  let width = 0;
  for (const [digits] of text.matchAll(/\d+/g)) width += Math.min(Number(digits), 1_000_000);
  return width;
};

/** What OPA makes of a value before Go prints it. */
const argumentOf = (value: Value): PrintfArgument => {
  if (typeof value === 'string') return { type: 'string', value };
  if (!isNumber(value)) return { type: 'string', value: format(value) };
  const integer = int64Of(value);
  if (integer !== undefined) return { type: 'int', value: integer };
  const text = numberText(value);
  if (/^-?\d+$/.test(text)) return { type: '*big.Int', value: BigInt(text) };
  const double = Number(text);
  return Number.isFinite(double) ? { type: 'float64', value: double } : { type: 'string', value: text };
};

/** How a value stands in text that is not quoted: a string as it is, everything else as Rego. */
const displayText = (value: Value): string => (typeof value === 'string' ? value : format(value));

/** The parts of `$"..."`: strings, and sets of the one value of an expression, empty where it is undefined. */
const templateString = (args: readonly Value[], context: BuiltinContext): Value => {
  const parts = arrayAt(args, 0);
  return boundedString(parts.map(partText).join(''), context);
};

const partText = (part: Value): string => {
  if (!isSet(part)) return displayText(part);
  if (part.size > 1) throw new BuiltinError('template-strings must not produce multiple outputs');
  return part.size === 0 ? '<undefined>' : displayText(part.sorted[0]!);
};

/** The most lines that one `print` with several values an operand writes. */
const MAX_PRINTED = 1_000;

/** The operands of `print` as the compiler hands them over: each a set of its values, empty where it is undefined. */
const internalPrint = (args: readonly Value[], context: BuiltinContext): Value => {
  let lines: string[] = [''];
  arrayAt(args, 0).forEach((operand, index) => {
    const values = isSet(operand) ? operand.sorted : isArray(operand) ? operand : [operand];
    const texts = values.length === 0 ? ['<undefined>'] : values.map(displayText);
    const separator = index === 0 ? '' : ' ';
    lines = lines.flatMap((line) => texts.map((text) => line + separator + text)).slice(0, MAX_PRINTED);
  });
  for (const line of lines) context.print(boundedString(line, context));
  return true;
};

const printValues = (args: readonly Value[], context: BuiltinContext): Value => {
  context.print(boundedString(args.map(displayText).join(' '), context));
  return true;
};

const trace = (args: readonly Value[], context: BuiltinContext): Value => {
  context.trace(stringAt(args, 0));
  return true;
};

/** Text made of values, and text for whoever debugs a policy. */
export const printBuiltins: readonly BuiltinDeclaration[] = [
  builtin('sprintf', [STRING, arrayOf(ANY)], STRING, print),
  builtin('internal.template_string', [arrayOf(ANY)], STRING, templateString),
  builtin('print', [], BOOLEAN, printValues, { variadic: ANY }),
  builtin('internal.print', [arrayOf(setOf(ANY))], BOOLEAN, internalPrint),
  builtin('internal.test_case', [arrayOf(ANY)], BOOLEAN, () => true),
  builtin('trace', [STRING], BOOLEAN, trace),
];
