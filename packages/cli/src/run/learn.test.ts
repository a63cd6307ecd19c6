import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Arguments } from '../command/arguments.ts';
import { parseArguments } from '../command/parse.ts';
import { run } from '../command/table/run.ts';
import { expectError } from '../test/expect-error.ts';
import { scratch } from '../test/scratch.ts';
import { readLearn } from './learn.ts';

const files = (t: TestContext): ((name: string) => string) => {
  const directory = scratch(t);
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('policy.yaml'), 'version: 1\n');
  writeFileSync(at('learned.yaml'), 'version: 1\n');
  symlinkSync('learned.yaml', at('link.yaml'));
  mkdirSync(at('directory'));
  return at;
};

const learn = (file: string | undefined, decider: Parameters<typeof readLearn>[1] = {}) =>
  readLearn(
    parseArguments(run, [...(file === undefined ? [] : ['--learn', file]), 'x']) as Arguments,
    decider,
  );

describe('where a learned policy goes', () => {
  test('is nowhere unless it is asked for', () => {
    assert.deepEqual(learn(undefined, { policy: { file: 'p' } }), {});
  });

  test('is a new file, with or without another policy', (t) => {
    const at = files(t);
    const learned = { learn: { file: at('new.yaml'), exists: false } };
    assert.deepEqual(learn(at('new.yaml')), learned);
    assert.deepEqual(learn(at('new.yaml'), { policy: { file: at('policy.yaml') } }), learned);
    assert.ok(!existsSync(at('new.yaml')));
  });

  test('is a file that is there, which is the policy of the run then and stays as it is until the end', (t) => {
    const at = files(t);
    const learned = {
      learn: { file: at('learned.yaml'), exists: true },
      policy: { file: at('learned.yaml') },
    };
    assert.deepEqual(learn(at('learned.yaml')), learned);
    assert.deepEqual(learn(at('learned.yaml'), { policy: { file: at('link.yaml') } }), learned);
    assert.deepEqual(learn(at('link.yaml')), { ...learned, policy: { file: at('link.yaml') } });
    assert.equal(readFileSync(at('learned.yaml'), 'utf8'), 'version: 1\n');
  });

  test('is not a file that is another policy than the run has', (t) => {
    const at = files(t);
    expectError(
      () => learn(at('learned.yaml'), { policy: { file: at('policy.yaml') } }),
      /exists[\s\S]*--policy/,
    );
  });

  test('is not a directory, nor in one that nobody can write', (t) => {
    const at = files(t);
    expectError(() => learn(at('directory')), /not a file/);
    expectError(() => learn('/nonexistent/learned.yaml'), /cannot be written/);
  });

  test('is nowhere when rules decide', (t) => {
    const rules = { kind: 'opa', url: 'http://127.0.0.1' } as const;
    expectError(() => learn(files(t)('new.yaml'), { rules }), /rules decide/);
  });
});
