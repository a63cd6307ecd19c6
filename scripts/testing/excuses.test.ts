import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unexcusedSkips } from './excuses.ts';
import type { TestResult } from './result.ts';

const skipped = (name: string, detail: string): TestResult => ({
  outcome: 'skipped',
  file: 'a.test.ts',
  name,
  detail,
});
const passed = (name: string): TestResult => ({ outcome: 'passed', file: 'a.test.ts', name });
const names = (results: readonly TestResult[]): string[] => unexcusedSkips(results).map(({ name }) => name);

test('a skip is excused by the same test having run as another user', () => {
  assert.deepEqual(names([skipped('x', 'root may read everything'), passed('x')]), []);
  assert.deepEqual(names([skipped('x', 'root may read everything'), passed('y')]), ['x']);
});

test('a suite that is skipped as a whole is excused by any of its tests having run', () => {
  assert.deepEqual(names([skipped('s', 'needs root'), passed('s › x')]), []);
  assert.deepEqual(names([skipped('s', 'needs root'), passed('t › s')]), ['s']);
});

test('a skip is excused by a missing program, and not by one that is there', () => {
  assert.deepEqual(names([skipped('x', 'no-such-program-of-ours is not on this machine')]), []);
  assert.deepEqual(names([skipped('x', 'sh is not on this machine')]), ['x']);
});

test('a skip without a reason is never excused', () => {
  assert.deepEqual(names([skipped('x', 'no reason given')]), ['x']);
});
