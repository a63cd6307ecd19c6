import { parseArgs } from 'node:util';
import { Arguments } from './arguments.ts';
import { type CommandSpec, commonOptions, type OptionSpec } from './command.ts';
import { nearest } from './nearest.ts';
import { usageError } from './usage-error.ts';

/**
 * Checks the words that follow a command's name against its options and operands.
 *
 * Where the operands are a program, everything from the first word that is not an option belongs to that program,
 * with or without a `--` before it: the options of `ls -l` are never taken for ours.
 *
 * `--help` among our own words is all that matters of them: nothing else is checked then.
 *
 * @throws OpenShellError with code `usage`, naming the word that is wrong.
 */
export const parseArguments = (command: CommandSpec, words: readonly string[]): Arguments | 'help' => {
  const { ours, program } =
    command.operands.kind === 'program' ? splitProgram(command, words) : { ours: words };
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  const tokens = tokenize(command, ours);
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) return 'help';
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind === 'option') accept(command, values, token);
  }
  requireOptions(command, values);
  const all = program ?? operands;
  checkOperands(command, all);
  return new Arguments(values, all);
};

interface OptionToken {
  readonly kind: 'option';
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/** Not strict: the tokens are judged here, so that each message can say which command and what to type instead. */
const tokenize = (command: CommandSpec, words: readonly string[]) => {
  const options = Object.fromEntries(
    [...command.options, ...commonOptions].map((option: OptionSpec) => [
      option.name,
      {
        type: option.value === undefined ? ('boolean' as const) : ('string' as const),
        ...(option.short === undefined ? {} : { short: option.short }),
      },
    ]),
  );
  return parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true }).tokens;
};

const splitProgram = (command: CommandSpec, words: readonly string[]) => {
  for (const token of tokenize(command, words)) {
    if (token.kind === 'positional')
      return { ours: words.slice(0, token.index), program: words.slice(token.index) };
    if (token.kind === 'option-terminator') {
      return { ours: words.slice(0, token.index), program: words.slice(token.index + 1) };
    }
  }
  return { ours: words, program: [] };
};

const accept = (command: CommandSpec, values: Map<string, string[]>, token: OptionToken): void => {
  const option = command.options.find(({ name }) => name === token.name);
  if (option === undefined) throw unknownOption(command, token.rawName);
  const value = checkedValue(option, token);
  const earlier = values.get(option.name);
  if (earlier === undefined) values.set(option.name, [value]);
  else if (option.repeat) earlier.push(value);
  else if (option.value !== undefined) throw usageError(`--${option.name} is given twice`, 'Give it once.');
};

const checkedValue = (option: OptionSpec, token: OptionToken): string => {
  if (option.value === undefined) {
    if (token.value !== undefined)
      throw usageError(`--${option.name} takes no value, and has '${token.value}'`);
    return '';
  }
  const { value } = token;
  const example = `--${option.name}=${option.value.placeholder}`;
  if (value === undefined) throw usageError(`--${option.name} has no value`, `Write ${example}.`);
  if (value === '') throw usageError(`--${option.name} has an empty value`, `Write ${example}.`);
  if (!token.inlineValue && value.startsWith('-') && value !== '-') {
    throw usageError(
      `--${option.name} has no value: '${value}' looks like an option`,
      `If it is the value, write --${option.name}=${value}.`,
    );
  }
  return value;
};

const unknownOption = (command: CommandSpec, written: string) => {
  const known = [...command.options, ...commonOptions].map(({ name }) => `--${name}`);
  const meant = nearest(written, known);
  return usageError(
    `'openshell ${command.name}' has no option ${written}`,
    meant === undefined ? `See 'openshell ${command.name} --help'.` : `Did you mean ${meant}?`,
  );
};

const requireOptions = (command: CommandSpec, values: ReadonlyMap<string, unknown>): void => {
  const missing = command.options.filter((option) => option.required && !values.has(option.name));
  if (missing.length === 0) return;
  const written = missing.map((option) => `--${option.name} ${option.value?.placeholder ?? ''}`.trim());
  throw usageError(`'openshell ${command.name}' needs ${written.join(' and ')}`);
};

const checkOperands = (command: CommandSpec, operands: readonly string[]): void => {
  const spec = command.operands;
  switch (spec.kind) {
    case 'none':
      if (operands.length > 0)
        throw usageError(`'openshell ${command.name}' takes no operand, and has '${operands[0]}'`);
      return;
    case 'words':
      if (operands.length < spec.minimum)
        throw usageError(`'openshell ${command.name}' needs a ${spec.value.placeholder}`);
      if (operands.length > spec.maximum) {
        throw usageError(`'openshell ${command.name}' has too many operands: '${operands[spec.maximum]}'`);
      }
      return;
    case 'program':
      if (operands.length === 0) {
        throw usageError(
          `'openshell ${command.name}' has no command to run`,
          'Write it after --, as in: -- COMMAND ARGUMENTS',
        );
      }
      if (operands[0] === '') throw usageError('the name of the command to run is empty');
      return;
    default:
      spec satisfies never;
  }
};
