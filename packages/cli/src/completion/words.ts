import { type CommandSpec, commonOptions, type OptionSpec, type ValueSpec } from '../command/command.ts';
import { groups } from '../command/table.ts';

/** One word that may stand directly after `openshell`, or after words that lead to several commands. */
export interface Word {
  readonly word: string;
  readonly summary: string;
}

/** The words that can follow `openshell` (parent is empty), `openshell policy` or `openshell proxyctl tenants`. */
export const wordsAfter = (parent: string, commands: readonly CommandSpec[]): readonly Word[] => {
  const words = new Map<string, string>();
  const before = parent === '' ? '' : `${parent} `;
  for (const { name, summary } of commands) {
    if (!name.startsWith(before)) continue;
    const [word = '', ...further] = name.slice(before.length).split(' ');
    if (further.length === 0) words.set(word, summary);
    else if (!words.has(word)) words.set(word, (groups[before + word] ?? '').replace(/\.$/, ''));
  }
  return [...words].map(([word, summary]) => ({ word, summary }));
};

/** The words before the last one of each command that has several. A command may be among them, as \`proxyctl ca\` is. */
export const parents = (commands: readonly CommandSpec[]): readonly string[] => {
  const all = commands.flatMap(({ name }) => {
    const words = name.split(' ').slice(0, -1);
    return words.map((_, index) => words.slice(0, index + 1).join(' '));
  });
  return [...new Set(all)];
};

/** Every beginning of a line that means something: commands, and what leads to them. */
export const names = (commands: readonly CommandSpec[]): readonly string[] => [
  ...new Set([...parents(commands), ...commands.map(({ name }) => name)]),
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
