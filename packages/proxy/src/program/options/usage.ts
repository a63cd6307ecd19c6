import { GROUPS, type OptionRow } from './table.ts';

const INTRODUCTION = `usage: openshell-proxy --listen WHERE [--policy FILE] [OPTION]...

An egress proxy: what its clients may reach, and what they may ask for there, is what a policy allows.

  openshell-proxy --listen 127.0.0.1:3128                          denies everything
  openshell-proxy --listen 127.0.0.1:3128 --policy FILE            lets through what FILE allows to everybody
  openshell-proxy --listen 127.0.0.1:3128 --policy FILE --identity none
                                                                   ... and what it allows to single programs
  openshell-proxy --listen :3128 --control unix:/run/proxy/control is told by a controller
`;

const CLOSING = `Options with "..." can be repeated. Files are read again when they change and on SIGHUP; where something is wrong with
one, all of it is said and what was in force stays. SIGTERM and SIGINT end it gracefully.

Exit code: 0 after SIGTERM or SIGINT, 1 when it cannot serve, 2 for wrong options.
`;

const COLUMN = 27;

/** The text of --help, made from the table of options: what is not in it does not exist. */
export const usage = (): string =>
  [INTRODUCTION, ...GROUPS.map(({ title, rows }) => `${title}:\n\n${rowsText(rows)}`), CLOSING].join('\n');

const rowsText = (rows: Readonly<Record<string, OptionRow>>): string =>
  Object.entries(rows).map(rowText).join('');

function rowText([name, { value, multiple, alias, help }]: [string, OptionRow]): string {
  const left = `  --${name}${value === undefined ? '' : ` ${value}`}${multiple ? ' ...' : ''}`;
  const lines = [...help.split('\n'), ...(alias === undefined ? [] : [`(also --${alias})`])];
  const indented = lines.map((line) => ' '.repeat(COLUMN) + line);
  if (left.length > COLUMN - 2) return `${left}\n${indented.join('\n')}\n`;
  return `${left.padEnd(COLUMN)}${indented.join('\n').slice(COLUMN)}\n`;
}
