import type { CommandSpec, OptionSpec } from './command.ts';

/** How an option is written: `--env NAME[=VALUE]`. */
export const written = (option: OptionSpec): string =>
  option.value === undefined ? `--${option.name}` : `--${option.name} ${option.value.placeholder}`;

/** The parts of a command line, each of which should stay on one line: `openshell run`, `[--policy FILE]`, … */
export const synopsisParts = (command: CommandSpec): readonly string[] => [
  `openshell ${command.name}`,
  ...command.options.map((option) => {
    const once = option.required ? written(option) : `[${written(option)}]`;
    return option.repeat ? `${once}...` : once;
  }),
  ...operandParts(command),
];

const operandParts = ({ operands }: CommandSpec): readonly string[] => {
  switch (operands.kind) {
    case 'none':
      return [];
    case 'program':
      return ['[--]', 'COMMAND', '[ARGUMENT]...'];
    case 'words': {
      const { placeholder } = operands.value;
      const once = operands.minimum === 0 ? `[${placeholder}]` : placeholder;
      return [operands.maximum > 1 && operands.minimum > 0 ? `${once}...` : once];
    }
    default:
      return operands satisfies never;
  }
};
