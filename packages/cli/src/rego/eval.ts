import { readFileSync } from 'node:fs';
import { compile, evalQuery, fromJson, type Json, parseJson, type Value } from '@openshell/rego';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';
import type { Handler } from '../handlers.ts';
import { printable } from '../output/printable.ts';
import { readPolicyText } from '../policy/read-policy.ts';
import { parseData } from './data-file.ts';
import { withLibrary } from './library.ts';
import { reporting } from './report.ts';
import { readSources } from './sources.ts';
import { versionOf } from './version.ts';

type Output = ReturnType<typeof evalQuery>;

const FORMATS = ['json', 'pretty', 'values'] as const;

/** `openshell rego eval`: the answer on standard output. */
export const evaluateRego: Handler = async (args, io) => {
  const format = formatOf(args);
  const input = readInput(args.value('input'));
  const { modules, data, version } = readSources(args.values('data'));
  const complete = await withLibrary(modules);
  const [query = ''] = args.operands;
  return reporting(io, () => {
    const policy = compile(complete, { data, version: versionOf(args, version) });
    const print = (text: string): void => io.err(`${printable(text)}\n`);
    io.out(render(evalQuery(policy, query, input, { print }), format));
    return 0;
  });
};

const formatOf = (args: Arguments): (typeof FORMATS)[number] => {
  const said = args.value('format') ?? 'json';
  const known = FORMATS.find((format) => format === said);
  if (known === undefined)
    throw usageError(`--format: there is no '${said}'`, `Write one of: ${FORMATS.join(', ')}.`);
  return known;
};

/** All digits of numbers are kept where the input is JSON. */
const readInput = (file: string | undefined): Value | undefined => {
  if (file === undefined) return undefined;
  const text = file === '-' ? readFileSync(0, 'utf8') : readPolicyText(file).text;
  try {
    return parseJson(text);
  } catch {
    return fromJson(parseData(file === '-' ? '<stdin>' : file, text));
  }
};

const render = (output: Output, format: (typeof FORMATS)[number]): string => {
  switch (format) {
    case 'json':
      return `${JSON.stringify(output, null, 2)}\n`;
    case 'values':
      return (output.result ?? [])
        .map(
          ({ expressions }) =>
            `${JSON.stringify(
              expressions.map(({ value }) => value),
              null,
              2,
            )}\n`,
        )
        .join('');
    case 'pretty':
      return pretty(output);
    default:
      return format satisfies never;
  }
};

const pretty = ({ result = [] }: Output): string => {
  const [first] = result;
  if (first === undefined) return 'undefined\n';
  if (first.bindings === undefined) return `${JSON.stringify(first.expressions[0]?.value, null, 2)}\n`;
  const names = Object.keys(first.bindings);
  const rows = result.map(({ bindings = {} }) => names.map((name) => JSON.stringify(bindings[name] as Json)));
  return table([names, ...rows]);
};

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
};
