import type { CommandSpec, OptionSpec, ValueKind } from '../command/command.ts';
import { operandOf, optionsOf, parents, quoted, wordsAfter } from './words.ts';

/** Completions for fish. */
export const fishCompletion = (commands: readonly CommandSpec[]): string =>
  [
    '# fish completion for openshell',
    'complete -c openshell -f',
    ...entries('', commands, '__fish_use_subcommand'),
    ...parents(commands).flatMap((parent) => entries(parent, commands, after(parent, commands))),
    ...commands.flatMap((command) => commandLines(command, after(command.name, commands))),
  ]
    .join('\n')
    .concat('\n');

const entries = (parent: string, commands: readonly CommandSpec[], condition: string): readonly string[] =>
  wordsAfter(parent, commands).map(
    ({ word, summary }) => `complete -c openshell -n ${quoted(condition)} -a ${word} -d ${quoted(summary)}`,
  );

/** After these words, and before any that goes on from them. */
const after = (name: string, commands: readonly CommandSpec[]): string => {
  const before = name.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const further = wordsAfter(name, commands).map(({ word }) => word);
  const not = further.length === 0 ? [] : [`not __fish_seen_subcommand_from ${further.join(' ')}`];
  return [...before, ...not].join('; and ');
};

const commandLines = (command: CommandSpec, condition: string): readonly string[] => {
  const start = `complete -c openshell -n ${quoted(condition)}`;
  const operand = operandOf(command);
  const kind: ValueKind | undefined = operand === 'program' ? 'command' : operand?.kind;
  return [
    ...optionsOf(command).map((option) => `${start} ${optionWords(option)}`),
    ...(kind === undefined || kind === 'text' ? [] : [`${start} ${action(kind)}`]),
  ];
};

const optionWords = ({ name, short, value, summary }: OptionSpec): string =>
  [
    `-l ${name}`,
    ...(short === undefined ? [] : [`-s ${short}`]),
    ...(value === undefined ? [] : [valueWords(value.kind)]),
    `-d ${quoted(summary)}`,
  ].join(' ');

/** `-x` is a value with nothing offered but what `-a` says, `-r -F` one with files. */
const valueWords = (kind: ValueKind): string => {
  switch (kind) {
    case 'text':
      return '-x';
    case 'file':
      return '-r -F';
    default:
      return `-x ${action(kind)}`;
  }
};

const action = (kind: Exclude<ValueKind, 'text'>): string => {
  switch (kind) {
    case 'file':
      return '-F';
    case 'directory':
      return "-a '(__fish_complete_directories)'";
    case 'command':
      return "-F -a '(__fish_complete_command)'";
    case 'variable':
      return "-a '(set -xn)'";
    default:
      return `-a ${quoted(kind.join(' '))}`;
  }
};
