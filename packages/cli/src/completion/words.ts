import { type CommandSpec, commonOptions, type OptionSpec, type ValueSpec } from '../command/command.ts';
import { groups } from '../command/table.ts';

/** One word that may stand directly after `openshell`, or after a word that leads to several commands. */
export interface Word {
  readonly word: string;
  readonly summary: string;
}

/** The words that can follow `openshell` (parent is empty) or `openshell policy`. */
export const wordsAfter = (parent: string, commands: readonly CommandSpec[]): readonly Word[] => {
  const words = new Map<string, string>();
  for (const { name, summary } of commands) {
    const [first = '', second] = name.split(' ');
    if (parent === '')
      words.set(first, second === undefined ? summary : (groups[first] ?? '').replace(/\.$/, ''));
    else if (first === parent && second !== undefined) words.set(second, summary);
  }
  return [...words].map(([word, summary]) => ({ word, summary }));
};

/** The first words of commands of two words. */
export const parents = (commands: readonly CommandSpec[]): readonly string[] => [
  ...new Set(commands.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0]!] : []))),
];

/** A command's own options, and those that every command has. */
export const optionsOf = (command: CommandSpec): readonly OptionSpec[] => [
  ...command.options,
  ...commonOptions,
];

/** What stands after the options; undefined where nothing may. */
export const operandOf = ({ operands }: CommandSpec): ValueSpec | 'program' | undefined => {
  switch (operands.kind) {
    case 'none':
      return undefined;
    case 'program':
      return 'program';
    case 'words':
      return operands.value;
    default:
      return operands satisfies never;
  }
};

/** Text in single quotes for a POSIX shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
