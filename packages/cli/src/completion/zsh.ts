import type { CommandSpec, OptionSpec, ValueKind, ValueSpec } from '../command/command.ts';
import { names, operandOf, optionsOf, parents, quoted, wordsAfter } from './words.ts';

/** A completion function for zsh, to be found on \`fpath\` as `_openshell`. */
export const zshCompletion = (commands: readonly CommandSpec[]): string => `#compdef openshell
# zsh completion for openshell
_openshell() {
  local -a entries
  local command= longer
  while (( CURRENT > 2 )); do
    longer=\${command:+$command }$words[2]
    case $longer in
      (${names(commands).map(quoted).join('|')}) command=$longer; words[2]=(); (( CURRENT-- )) ;;
      (*) break ;;
    esac
  done
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    case $command in
${['', ...parents(commands)]
  .map(
    (parent) => `      (${quoted(parent)})
        entries=(${entries(parent, commands)})
        _describe command entries
        return ;;`,
  )
  .join('\n')}
    esac
  fi
  words[1]=$command
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
# What follows the options of run is a command line of its own.
_openshell_program() {
  if [[ $words[1] == -- ]]; then shift words; (( CURRENT-- )); fi
  _normal
}
if [[ $funcstack[1] == _openshell ]]; then _openshell "$@"; else compdef _openshell openshell; fi
`;

const entries = (parent: string, commands: readonly CommandSpec[]): string =>
  wordsAfter(parent, commands)
    .map(({ word, summary }) => quoted(`${word}:${summary}`))
    .join(' ');

const commandCase = (command: CommandSpec): string => {
  const specs = [...optionsOf(command).map(optionSpec), ...operandSpecs(operandOf(command))];
  return `    ${quoted(command.name)}) _arguments -s -S ${specs.join(' \\\n      ')} ;;`;
};

const optionSpec = ({ name, value, repeat, summary }: OptionSpec): string => {
  const text = literal(summary);
  const prefix = repeat ? '*' : '';
  if (value === undefined) return quoted(`${prefix}--${name}[${text}]`);
  return quoted(`${prefix}--${name}=[${text}]:${literal(value.placeholder)}:${action(value.kind)}`);
};

const operandSpecs = (operand: ValueSpec | 'program' | undefined): readonly string[] => {
  if (operand === undefined) return [];
  if (operand === 'program') return [quoted('*::command:_openshell_program')];
  return [quoted(`*:${literal(operand.placeholder)}:${action(operand.kind)}`)];
};

/** Brackets and colons are the syntax of _arguments. */
const literal = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');

const action = (kind: ValueKind): string => {
  switch (kind) {
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'command':
      return '_command_names -e';
    case 'variable':
      return '_parameters -g "*export*"';
    case 'text':
      return ' ';
    default:
      return `(${kind.join(' ')})`;
  }
};
