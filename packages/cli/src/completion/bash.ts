import type { CommandSpec, ValueKind } from '../command/command.ts';
import { names, operandOf, optionsOf, parents, wordsAfter } from './words.ts';

/**
 * A completion function for bash 4 and later; it does not need the bash-completion package. Everything after the
 * program of `run` is completed as that program's own line where that package is there, and with files where it is not.
 */
export const bashCompletion = (commands: readonly CommandSpec[]): string => `# bash completion for openshell
_openshell() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= longer program= index=1
  COMPREPLY=()
  # COMP_WORDS has "=" as a word of its own.
  [[ $cur == = ]] && cur=
  [[ $prev == = && COMP_CWORD -ge 2 ]] && prev=\${COMP_WORDS[COMP_CWORD-2]}
  while [[ index -lt COMP_CWORD ]]; do
    longer=\${command:+$command }\${COMP_WORDS[index]}
    case $longer in
      ${names(commands).map(pattern).join('|')}) command=$longer; index=$((index + 1)) ;;
      *) break ;;
    esac
  done
  if [[ index -eq COMP_CWORD && $cur != -* ]]; then
    case $command in
${parents(commands)
  .map((parent) => `      ${pattern(parent)}) ${offer(words(parent, commands))}; return ;;`)
  .join('\n')}
    esac
  fi
  case $command in
    '') [[ COMP_CWORD -eq 1 ]] && ${offer([...words('', commands), '--help', '--version'])} ;;
${commands.map(commandCase).join('\n')}
  esac
}
complete -F _openshell openshell
`;

const words = (parent: string, commands: readonly CommandSpec[]): readonly string[] =>
  wordsAfter(parent, commands).map(({ word }) => word);

const pattern = (name: string): string => (name.includes(' ') ? `'${name}'` : name);

const offer = (candidates: readonly string[]): string =>
  `COMPREPLY=( $(compgen -W '${candidates.join(' ')}' -- "$cur") )`;

const commandCase = (command: CommandSpec): string => {
  const options = optionsOf(command);
  const valued = options.flatMap(({ name, value }) =>
    value === undefined ? [] : [`        --${name}) ${complete(value.kind)}; return ;;`],
  );
  const operand = operandOf(command);
  return `    ${pattern(command.name)})
${operand === 'program' ? programLines(options.flatMap(({ name, value }) => (value ? [`--${name}`] : []))) : ''}      case $prev in
${[...valued, '        *) ;;'].join('\n')}
      esac
      if [[ $cur == -* ]]; then ${offer(options.map(({ name }) => `--${name}`))}
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
