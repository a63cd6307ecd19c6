import type { CommandSpec, ValueKind } from '../command/command.ts';
import { operandOf, optionsOf, parents, wordsAfter } from './words.ts';

/**
 * A completion function for bash 4 and later; it does not need the bash-completion package. Everything after the
 * program of `run` is completed as that program's own line where that package is there, and with files where it is not.
 */
export const bashCompletion = (commands: readonly CommandSpec[]): string => `# bash completion for openshell
_openshell() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= program= index
  COMPREPLY=()
  # COMP_WORDS has "=" as a word of its own.
  [[ $cur == = ]] && cur=
  [[ $prev == = && COMP_CWORD -ge 2 ]] && prev=\${COMP_WORDS[COMP_CWORD-2]}
  case \${COMP_WORDS[1]} in
${parents(commands)
  .map(
    (parent) => `    ${parent}) [[ COMP_CWORD -ge 3 ]] && command="${parent} \${COMP_WORDS[2]}"; index=3 ;;`,
  )
  .join('\n')}
    *) [[ COMP_CWORD -ge 2 ]] && command=\${COMP_WORDS[1]}; index=2 ;;
  esac
  if [[ -z $command ]]; then
    if [[ COMP_CWORD -le 1 ]]; then COMPREPLY=( $(compgen -W '${[...words('', commands), '--help', '--version'].join(' ')}' -- "$cur") )
${parents(commands)
  .map(
    (parent) =>
      `    elif [[ \${COMP_WORDS[1]} == ${parent} ]]; then COMPREPLY=( $(compgen -W '${words(parent, commands).join(' ')}' -- "$cur") )`,
  )
  .join('\n')}
    fi
    return
  fi
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
complete -F _openshell openshell
`;

const words = (parent: string, commands: readonly CommandSpec[]): readonly string[] =>
  wordsAfter(parent, commands).map(({ word }) => word);

const commandCase = (command: CommandSpec): string => {
  const options = optionsOf(command);
  const valued = options.flatMap(({ name, value }) =>
    value === undefined ? [] : [`        --${name}) ${complete(value.kind)}; return ;;`],
  );
  const operand = operandOf(command);
  return `    ${command.name.includes(' ') ? `'${command.name}'` : command.name})
${operand === 'program' ? programLines(options.flatMap(({ name, value }) => (value ? [`--${name}`] : []))) : ''}      case $prev in
${[...valued, '        *) ;;'].join('\n')}
      esac
      if [[ $cur == -* ]]; then COMPREPLY=( $(compgen -W '${options.map(({ name }) => `--${name}`).join(' ')}' -- "$cur") )
      else ${operand === undefined ? ':' : operand === 'program' ? complete('command') : complete(operand.kind)}
      fi ;;`;
};

/** Finds where the program begins, and leaves what follows it to the program's own completion. */
const programLines = (valued: readonly string[]): string => `      while [[ index -lt COMP_CWORD ]]; do
        case \${COMP_WORDS[index]} in
          --) program=$((index + 1)); break ;;
          ${valued.join('|')}) [[ \${COMP_WORDS[index+1]} == = ]] && index=$((index + 1)); index=$((index + 2)) ;;
          -*) index=$((index + 1)) ;;
          *) program=$index; break ;;
        esac
      done
      if [[ -n $program ]]; then
        if declare -F _command_offset > /dev/null; then _command_offset "$program"
        elif [[ program -eq COMP_CWORD ]]; then ${complete('command')}
        else ${complete('file')}
        fi
        return
      fi
`;

const complete = (kind: ValueKind): string => {
  const from = (generator: string): string => `COMPREPLY=( $(compgen ${generator} -- "$cur") )`;
  switch (kind) {
    case 'file':
      return from('-f');
    case 'directory':
      return from('-d');
    case 'command':
      return from('-c');
    case 'variable':
      return from('-e');
    case 'text':
      return ':';
    default:
      return from(`-W '${kind.join(' ')}'`);
  }
};
