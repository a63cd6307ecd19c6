import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { openshell, runScript } from '../support/openshell.ts';
import { isRoot } from '../support/paths.ts';
import { Scratch } from '../support/scratch.ts';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

const file = (name: string, content: string, mode: number): void => {
  writeFileSync(scratch.join(name), content);
  chmodSync(scratch.join(name), mode);
};

file('bare', 'echo "bare $0 $1"; exit 5\n', 0o755);
file('script', '#!/bin/sh\necho "script $1"; exit 6\n', 0o755);
file('no-interpreter', '#!/missing/interpreter\n', 0o755);
file('plain', 'echo never\n', 0o644);
file('garbage', '\u007fELF garbage', 0o755);
mkdirSync(scratch.join('folder'));

describe('the exit code of openshell run', { concurrency: 4 }, () => {
  for (const code of [0, 1, 2, 42, 124, 125, 127, 128, 255]) {
    test(`is the command's own: ${code}`, async () => {
      const outcome = await runScript(`exit ${code}`);
      assert.deepEqual(outcome, { code, signal: null, stdout: '', stderr: '' });
    });
  }

  for (const [name, code] of Object.entries({
    HUP: 129,
    INT: 130,
    KILL: 137,
    SEGV: 139,
    TERM: 143,
    USR1: 138,
  })) {
    test(`is ${code} when SIG${name} ended the command`, async () => {
      const outcome = await runScript(`kill -${name} $$`);
      assert.deepEqual(outcome, { code, signal: null, stdout: '', stderr: '' });
    });
  }

  const starts: readonly [what: string, command: string, code: number, output: RegExp, message: RegExp][] = [
    [
      'a command that is not on the PATH',
      'no-such-command',
      127,
      /^$/,
      /^openshell: no-such-command: .*not found/,
    ],
    ['a path where nothing is', './missing', 127, /^$/, /^openshell: \.\/missing: .*not found/],
    ['an empty name', '', 125, /^$/, /^openshell: the name of the command to run is empty/],
    [
      'a script whose interpreter is missing',
      './no-interpreter',
      127,
      /^$/,
      /^openshell: \.\/no-interpreter: /,
    ],
    [
      'a file without the execute bit',
      './plain',
      126,
      /^$/,
      /^openshell: \.\/plain: cannot be executed: EACCES/,
    ],
    ['a directory', './folder', 126, /^$/, /^openshell: \.\/folder: cannot be executed: EACCES/],
    ['a script', './script', 6, /^script one\n$/, /^$/],
    ['a script without #!, as a shell runs it', './bare', 5, /^bare \.\/bare one\n$/, /^$/],
  ];
  for (const [what, command, code, output, message] of starts) {
    test(`is ${code} for ${what}`, async () => {
      const outcome = await openshell(['run', '--', command, 'one'], { cwd: scratch.path });
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stdout, output);
      assert.match(outcome.stderr, message);
    });
  }

  test('is that of the shell for a damaged program', async () => {
    const { code } = await openshell(['run', '--', './garbage'], { cwd: scratch.path });
    assert.ok(code === 126 || code === 127 || code === 2, String(code));
  });

  test('is 124 when the time is over, also for a command that ignores SIGTERM', async () => {
    const [polite, stubborn] = await Promise.all([
      openshell(['run', '--timeout', '0.2', '--', 'sleep', '1000']),
      runScript('trap "" TERM; while :; do sleep 1000; done', { options: ['--timeout', '0.2'] }),
    ]);
    assert.equal(polite.code, 124);
    assert.equal(stubborn.code, 124);
  });

  test("is the command's when it ends in time", async () => {
    assert.equal((await runScript('exit 3', { options: ['--timeout', '60'] })).code, 3);
  });
});

describe('openshell run ends with 125 and one message, and starts nothing', { concurrency: 4 }, () => {
  const bad = 'echo started >> marker';
  file('broken.yaml', 'version: 1\nnetwork_policies: [\n', 0o644);
  file('unknown.yaml', 'version: 1\nnetwork_polices: {}\n', 0o644);
  const mistakes: readonly [what: string, args: readonly string[], message: RegExp][] = [
    ['no command', ['run'], /COMMAND/i],
    ['an unknown option', ['run', '--polcy', 'x', '--', 'true'], /--polcy/],
    [
      'a policy that is not there',
      ['run', '--policy', 'missing.yaml', '--', 'sh', '-c', bad],
      /missing\.yaml/,
    ],
    ['a policy that is no YAML', ['run', '--policy', 'broken.yaml', '--', 'sh', '-c', bad], /broken\.yaml/],
    [
      'a policy with an unknown field',
      ['run', '--policy', 'unknown.yaml', '--', 'sh', '-c', bad],
      /network_polices/,
    ],
    [
      'a working directory that is not there',
      ['run', '--workdir', 'missing', '--', 'sh', '-c', bad],
      /missing/,
    ],
    ['a time that is none', ['run', '--timeout', '-1', '--', 'sh', '-c', bad], /--timeout/],
    ['an unknown runtime', ['run', '--runtime', 'magic', '--', 'sh', '-c', bad], /magic/],
    ['the root as the place to work', ['run', '--workdir', '/', '--', 'sh', '-c', bad], /root/],
  ];
  for (const [what, args, message] of mistakes) {
    test(`for ${what}`, async () => {
      const outcome = await openshell(args, { cwd: scratch.path });
      assert.equal(outcome.code, 125, outcome.stdout + outcome.stderr);
      assert.equal(outcome.stdout, '');
      assert.match(outcome.stderr, message);
      assert.match(outcome.stderr, /^openshell: /);
      assert.doesNotMatch(outcome.stderr, /\n\s+at /, 'no stack');
    });
  }

  test('for a file that only root may read', {
    skip: isRoot && 'needs an ordinary user: root may read everything',
  }, async () => {
    const outcome = await openshell(['run', '--policy', '/etc/shadow', '--', 'true']);
    assert.equal(outcome.code, 125);
    assert.match(outcome.stderr, /^openshell: .*\/etc\/shadow/);
  });
});
