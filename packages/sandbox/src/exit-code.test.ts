import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpenShellError } from '@openshell/base';
import type { SandboxExit } from '@openshell/runtime';
import { exitCodeOf, exitCodeOfFailure } from './exit-code.ts';

describe('the exit code', () => {
  const ends: readonly [SandboxExit, number][] = [
    [{ kind: 'code', code: 0 }, 0],
    [{ kind: 'code', code: 255 }, 255],
    [{ kind: 'signal', signal: 2 }, 130],
    [{ kind: 'signal', signal: 15 }, 143],
    [{ kind: 'lost' }, 137],
  ];
  for (const [exit, code] of ends) {
    test(`of ${JSON.stringify(exit)} is ${code}`, () => assert.equal(exitCodeOf(exit), code));
  }

  const failures: readonly [unknown, number][] = [
    [new OpenShellError('x', { code: 'command_not_found' }), 127],
    [new OpenShellError('x', { code: 'command_not_executable' }), 126],
    [new OpenShellError('x', { code: 'launch_failed' }), 125],
    [new Error('command_not_found'), 125],
    [undefined, 125],
  ];
  for (const [error, code] of failures) {
    const name = error instanceof OpenShellError ? error.code : String(error);
    test(`of a start that failed by ${name} is ${code}`, () => assert.equal(exitCodeOfFailure(error), code));
  }
});
