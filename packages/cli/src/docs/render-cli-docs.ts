import { type CommandSpec, commonOptions, type OptionSpec } from '../command/command.ts';
import { synopsisParts, written } from '../command/synopsis.ts';
import { wrap } from '../command/wrap.ts';

/** The command that writes docs/cli.md anew. */
export const regenerate = 'bin/node packages/cli/src/docs/write-cli-docs.ts';

/** The whole of docs/cli.md. A test compares it with the file. */
export const renderCliDocs = (commands: readonly CommandSpec[]): string =>
  [
    '# The command line',
    `<!-- Made from packages/cli/src/command/table by: ${regenerate} -->`,
    'Data goes to standard output, messages for a person to standard error. Colours appear on a terminal only, and not when `NO_COLOR` is set. Members of JSON documents are never removed or given another meaning within one major version; new ones may appear.',
    ['| command | |', '|---|---|', ...commands.map(row)].join('\n'),
    ...commands.map(section),
  ]
    .join('\n\n')
    .concat('\n');

const row = ({ name, summary }: CommandSpec): string =>
  `| [\`openshell ${name}\`](#${anchor(name)}) | ${summary} |`;

/** As GitHub makes anchors from headings. */
const anchor = (name: string): string => `openshell-${name.replaceAll(' ', '-')}`;

const section = (command: CommandSpec): string =>
  [
    `## openshell ${command.name}`,
    fenced('text', wrap(synopsisParts(command), { width: 100, indent: 0, hanging: 4 })),
    ...command.description.map(prose),
    '| option | |\n|---|---|\n'.concat([...command.options, ...commonOptions].map(optionRow).join('\n')),
    fenced('sh', command.examples.map(({ line, explains }) => `# ${explains}\n${line}`).join('\n')),
    '| exit code | |\n|---|---|\n'.concat(
      command.exitCodes.map(({ code, meaning }) => `| ${code} | ${meaning} |`).join('\n'),
    ),
    ...(command.json === undefined ? [] : [`\`--json\` prints:`, fenced('jsonc', command.json)]),
  ].join('\n\n');

const optionRow = (option: OptionSpec): string => {
  const short = option.short === undefined ? '' : `\`-${option.short}\`, `;
  const required = option.required ? 'Required. ' : '';
  return `| ${short}\`${written(option).replaceAll('|', '\\|')}\` | ${required}${prose(option.details)} |`;
};

/** Markdown would read these as markup. */
const prose = (text: string): string => text.replace(/[<>*|]/g, '\\$&');

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;
