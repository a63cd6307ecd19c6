import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectError } from '../test/expect-error.ts';
import type { Arguments } from './arguments.ts';
import type { CommandSpec, OperandsSpec } from './command.ts';
import { parseArguments } from './parse.ts';

const command = (operands: OperandsSpec, required = false): CommandSpec => ({
  name: 'try',
  summary: '',
  description: [],
  operands,
  options: [
    { name: 'file', value: { placeholder: 'FILE', kind: 'file' }, required, summary: '', details: '' },
    { name: 'env', value: { placeholder: 'NAME', kind: 'text' }, repeat: true, summary: '', details: '' },
    { name: 'quiet', short: 'q', summary: '', details: '' },
  ],
  examples: [],
  exitCodes: [],
  failure: 2,
});

const program = command({ kind: 'program' });
const twoWords = command({
  kind: 'words',
  value: { placeholder: 'WORD', kind: 'text' },
  minimum: 1,
  maximum: 2,
});

const parsed = (spec: CommandSpec, words: readonly string[]): Arguments => {
  const args = parseArguments(spec, words);
  assert.notEqual(args, 'help');
  return args as Arguments;
};

describe('a command line', () => {
  test('may have options before, between and after its operands', () => {
    const args = parsed(twoWords, ['--env', 'a', 'x', '--quiet', 'y', '--env=b', '--file', 'f']);
    assert.deepEqual(args.operands, ['x', 'y']);
    assert.deepEqual(args.values('env'), ['a', 'b']);
    assert.equal(args.value('file'), 'f');
    assert.equal(args.has('quiet'), true);
  });

  test('knows the short form of an option', () => {
    assert.equal(parsed(twoWords, ['-q', 'x']).has('quiet'), true);
  });

  test('takes everything after -- as operands', () => {
    assert.deepEqual(parsed(twoWords, ['--', '--env', '--help']).operands, ['--env', '--help']);
  });

  test('may give a flag twice', () => {
    assert.equal(parsed(twoWords, ['-q', '--quiet', 'x']).has('quiet'), true);
  });

  test('may give a single hyphen, or a value with a hyphen after =, as a value', () => {
    assert.equal(parsed(twoWords, ['--file', '-', 'x']).value('file'), '-');
    assert.equal(parsed(twoWords, ['--file=-x', 'x']).value('file'), '-x');
  });

  const help = [['--help'], ['-h'], ['--file', 'f', '--help'], ['x', '--nonsense', '--help']];
  for (const words of help) {
    test(`asks for help: ${words.join(' ')}`, () => {
      assert.equal(parseArguments(twoWords, words), 'help');
    });
  }
});

describe('the program of a command line', () => {
  const cases: readonly [words: readonly string[], operands: readonly string[]][] = [
    [
      ['--', 'ls', '-l'],
      ['ls', '-l'],
    ],
    [
      ['ls', '-l'],
      ['ls', '-l'],
    ],
    [
      ['ls', '--help'],
      ['ls', '--help'],
    ],
    [
      ['--quiet', 'ls', '--quiet'],
      ['ls', '--quiet'],
    ],
    [
      ['--file', 'f', 'ls', '--', '-l'],
      ['ls', '--', '-l'],
    ],
    [['--', '--file'], ['--file']],
    [
      ['--', '--', 'x'],
      ['--', 'x'],
    ],
    [
      ['ls', ''],
      ['ls', ''],
    ],
  ];
  for (const [words, operands] of cases) {
    test(`begins at the first word that is no option: ${words.join(' ')}`, () => {
      assert.deepEqual(parsed(program, words).operands, operands);
    });
  }
});

describe('a mistake in a command line', () => {
  const cases: readonly [what: string, spec: CommandSpec, words: readonly string[], message: RegExp][] = [
    [
      'an unknown option',
      twoWords,
      ['--colour', 'x'],
      /'openshell try' has no option --colour\nSee .*--help/,
    ],
    ['an option that is almost right', twoWords, ['--fiel', 'x'], /no option --fiel\nDid you mean --file\?/],
    ['an unknown short option', twoWords, ['-x'], /no option -x/],
    ['an option without its value', twoWords, ['x', '--file'], /--file has no value\nWrite --file=FILE/],
    ['an option with an empty value', twoWords, ['x', '--file='], /--file has an empty value/],
    [
      'an option in the place of a value',
      twoWords,
      ['--file', '--quiet', 'x'],
      /--file has no value: '--quiet' looks like an option\n.*--file=--quiet/,
    ],
    ['a flag with a value', twoWords, ['--quiet=yes', 'x'], /--quiet takes no value, and has 'yes'/],
    ['an option given twice', twoWords, ['--file', 'a', '--file', 'b', 'x'], /--file is given twice/],
    ['too few operands', twoWords, [], /needs a WORD/],
    ['too many operands', twoWords, ['a', 'b', 'c'], /too many operands: 'c'/],
    ['an operand where none may be', command({ kind: 'none' }), ['a'], /takes no operand, and has 'a'/],
    ['a required option that is missing', command({ kind: 'none' }, true), [], /needs --file FILE/],
    ['no program', program, ['--quiet'], /no command to run\nWrite it after --/],
    ['no program after --', program, ['--'], /no command to run/],
    ['a program without a name', program, ['--', ''], /name of the command to run is empty/],
    ['an unknown option before the program', program, ['--colour', 'ls'], /no option --colour/],
  ];
  for (const [what, spec, words, message] of cases) {
    test(`is named: ${what}`, () => expectError(() => parseArguments(spec, words), message));
  }
});
