import type { CommandSpec } from '../command.ts';

const exitCodes = [
  { code: '0', meaning: 'printed' },
  { code: '2', meaning: 'a mistake in the command line' },
] as const;

export const version = {
  name: 'version',
  summary: 'Print the version',
  description: ['Prints the version of OpenShell. openshell --version does the same.'],
  operands: { kind: 'none' },
  options: [],
  examples: [{ line: 'openshell version', explains: 'openshell and its number' }],
  exitCodes,
  failure: 2,
} as const satisfies CommandSpec;

export const help = {
  name: 'help',
  summary: 'Explain a command',
  description: ['Explains a command, or lists them all. openshell COMMAND --help does the same.'],
  operands: { kind: 'words', value: { placeholder: 'COMMAND', kind: 'text' }, minimum: 0, maximum: 2 },
  options: [],
  examples: [{ line: 'openshell help policy check', explains: 'everything about one command' }],
  exitCodes,
  failure: 2,
} as const satisfies CommandSpec;
