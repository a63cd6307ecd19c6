import { type CommandSpec, commonOptions, type OptionSpec } from './command.ts';
import { synopsisParts, written } from './synopsis.ts';
import { wrap } from './wrap.ts';

/** Columns of the help. It is not adapted to the terminal, so that it reads the same everywhere. */
const width = 100;

/** Marks headings, where the output is a terminal. */
type Bold = (text: string) => string;

/** What `openshell COMMAND --help` prints. */
export const renderHelp = (command: CommandSpec, bold: Bold): string =>
  [
    `${command.summary}.`,
    section('Usage', wrap(synopsisParts(command), { width, indent: 2, hanging: 6 })),
    ...command.description.map((paragraph) => wrap(paragraph.split(' '), { width, indent: 0 })),
    section('Options', [...command.options, ...commonOptions].map(renderOption).join('\n')),
    section(
      'Examples',
      command.examples.map(({ line, explains }) => `  # ${explains}\n  ${line}`).join('\n'),
    ),
    section('Exit codes', table(command.exitCodes.map(({ code, meaning }) => [code, meaning]))),
    ...(command.json === undefined ? [] : ['The JSON is described in docs/cli.md.']),
  ]
    .map((part) => (typeof part === 'string' ? part : `${bold(part.title)}\n${part.body}`))
    .join('\n\n')
    .concat('\n');

/** What `openshell --help` prints. */
export const renderOverview = (commands: readonly CommandSpec[], bold: Bold): string =>
  [
    'OpenShell runs programs that need not be trusted in sandboxes: every connection, file and credential\nis governed by a policy.',
    `${bold('Usage')}\n  openshell COMMAND [OPTION]... [OPERAND]...`,
    `${bold('Commands')}\n${table(commands.map(({ name, summary }) => [name, summary]))}`,
    `${bold('Examples')}\n  # no network, and nothing outside of this directory and /tmp can be written\n  openshell run -- make test\n  # what is missing on this machine?\n  openshell doctor`,
    "'openshell COMMAND --help' explains a command.",
  ]
    .join('\n\n')
    .concat('\n');

/** What `openshell policy --help` prints: the members are the commands that begin with this word. */
export const renderGroup = (summary: string, members: readonly CommandSpec[], bold: Bold): string => {
  const rows = table(members.map((member) => [member.name, member.summary]));
  return `${summary}\n\n${bold('Commands')}\n${rows}\n\n'openshell COMMAND --help' explains a command.\n`;
};

const section = (title: string, body: string) => ({ title, body });

const renderOption = (option: OptionSpec): string => {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  return `  ${short}${written(option)}\n${wrap(option.details.split(' '), { width, indent: 6 })}`;
};

const table = (rows: readonly (readonly [string, string])[]): string => {
  const column = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows
    .map(([left, right]) =>
      wrap([left.padEnd(column - 1), ...right.split(' ')], { width, indent: 2, hanging: column + 2 }),
    )
    .join('\n');
};
