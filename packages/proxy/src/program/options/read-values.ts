import { parseArgs } from 'node:util';
import { messageOf } from '@openshell/base';
import { GROUPS, type OptionRow, type OptionValues } from './table.ts';
import { usageError } from './usage-error.ts';

const ROWS = GROUPS.flatMap(({ rows }): [string, OptionRow][] => Object.entries(rows));
const ALIASES = new Map(ROWS.flatMap(([name, { alias }]) => (alias === undefined ? [] : [[alias, name]])));

/** What the command line says, by option. Throws `usage` for what is in no table, and for what is given twice and may not be. */
export function readValues(args: readonly string[]): OptionValues {
  const { tokens } = parse(args);
  const values: Record<string, string | boolean | string[]> = {};
  const rows = new Map(ROWS);
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const name = ALIASES.get(token.name) ?? token.name;
    const before = values[name];
    if (rows.get(name)?.multiple) values[name] = [...((before as string[]) ?? []), token.value ?? ''];
    else if (before !== undefined && rows.get(name)?.value !== undefined)
      throw usageError(`--${name} is given twice`, 'Keep one.');
    else values[name] = token.value ?? true;
  }
  return values;
}

function parse(args: readonly string[]) {
  const names = ROWS.flatMap(([name, row]): [string, OptionRow][] =>
    row.alias === undefined
      ? [[name, row]]
      : [
          [name, row],
          [row.alias, row],
        ],
  );
  try {
    return parseArgs({
      args: [...args],
      tokens: true,
      options: Object.fromEntries(
        names.map(([name, { value }]) => [
          name,
          { type: value === undefined ? 'boolean' : 'string', ...(name === 'help' && { short: 'h' }) },
        ]),
      ),
    });
  } catch (cause) {
    throw usageError(messageOf(cause));
  }
}
