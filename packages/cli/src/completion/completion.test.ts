import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { commandSpecs } from '../command/table.ts';
import { scratch } from '../test/scratch.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const commands = await commandSpecs();

const scripts = [
  { shell: 'bash', script: bashCompletion(commands), check: ['-n'] },
  { shell: 'zsh', script: zshCompletion(commands), check: ['-n'] },
  { shell: 'fish', script: fishCompletion(commands), check: ['--no-execute'] },
];

const isThere = (shell: string): boolean => spawnSync(shell, ['-c', ':']).error === undefined;

for (const { shell, script, check } of scripts) {
  describe(`the completion of ${shell}`, () => {
    test('knows every option of every command', () => {
      const flag = shell === 'fish' ? '-l ' : '--';
      for (const { options } of commands) {
        for (const { name } of options) assert.ok(script.includes(`${flag}${name}`), name);
      }
    });

    test('is valid', { skip: !isThere(shell) && `${shell} is not on this machine` }, (t) => {
      const file = join(scratch(t), 'script');
      writeFileSync(file, script);
      const { status, stderr } = spawnSync(shell, [...check, file], { encoding: 'utf8' });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    });
  });
}

/** What bash offers for a line: the word before the cursor is the last one. */
const offered = (words: readonly string[], directory: string): readonly string[] => {
  const script = `${bashCompletion(commands)}
PATH=$PWD; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _openshell; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], {
    encoding: 'utf8',
    cwd: directory,
    env: { PATH: process.env.PATH, SHELL_NAME: 'x' },
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter(Boolean).sort();
};

describe('bash offers', { skip: !isThere('bash') && 'bash is not on this machine' }, () => {
  const cases: readonly [line: string[], words: string[]][] = [
    [['openshell', 'd'], ['doctor']],
    [
      ['openshell', ''],
      ['--help', '--version', 'completion', 'doctor', 'help', 'policy', 'proxyctl', 'rego', 'run', 'version'],
    ],
    [
      ['openshell', 'policy', ''],
      ['check', 'explain', 'suggest'],
    ],
    [
      ['openshell', 'policy', 'check', '--'],
      ['--help', '--json'],
    ],
    [['openshell', 'policy', 'check', 'a.'], ['a.yaml']],
    [['openshell', 'policy', 'explain', 'a.yaml', '--ho'], ['--host']],
    [['openshell', 'policy', 'explain', '--host', ''], []],
    [['openshell', 'policy', 'nonsense', ''], []],
    [
      ['openshell', 'proxyctl', 'tenants', ''],
      ['add', 'list', 'remove'],
    ],
    [['openshell', 'proxyctl', 'ca', ''], ['rotate']],
    [['openshell', 'proxyctl', 'ca', '--f'], ['--format']],
    [
      ['openshell', 'proxyctl', 'ca', 'rotate', ''],
      ['activate', 'prepare', 'retire'],
    ],
    [['openshell', 'completion', 'z'], ['zsh']],
    [['openshell', 'doctor', ''], []],
    [
      ['openshell', 'run', '--pol'],
      ['--policy', '--policy-data', '--policy-engine', '--policy-rules', '--policy-wasm'],
    ],
    [
      ['openshell', 'run', '--policy', 'a'],
      ['a-tool', 'a.yaml', 'apps'],
    ],
    [['openshell', 'run', '--policy', '=', 'a.'], ['a.yaml']],
    [['openshell', 'run', '--workdir', 'a'], ['apps']],
    [['openshell', 'run', '--runtime', ''], ['process']],
    [['openshell', 'run', '--env', 'SHELL_N'], ['SHELL_NAME']],
    [['openshell', 'run', '--', 'a-too'], ['a-tool']],
    [['openshell', 'run', 'a-too'], ['a-tool']],
    [['openshell', 'run', '--', 'a-tool', 'a.'], ['a.yaml']],
    [['openshell', 'run', '--quiet', '--policy', 'a.yaml', 'a-tool', '--pol'], []],
    [['openshell', 'run', '--policy', '=', 'a.yaml', 'a-tool', 'a.'], ['a.yaml']],
  ];
  for (const [line, words] of cases) {
    test(`${words.join(' ') || 'nothing'} for: ${line.join(' ')}`, (t) => {
      const directory = scratch(t);
      writeFileSync(join(directory, 'a.yaml'), '');
      writeFileSync(join(directory, 'a-tool'), '', { mode: 0o755 });
      mkdirSync(join(directory, 'apps'));
      assert.deepEqual(offered(line, directory), words);
    });
  }
});
