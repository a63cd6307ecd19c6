import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

const words = ['run', 'policy check', 'doctor', 'completion', 'version'];

const cases: readonly [typed: string, meant: string | undefined][] = [
  ['docter', 'doctor'],
  ['dcotor', 'doctor'],
  ['completions', 'completion'],
  ['policy chekc', 'policy check'],
  ['rnu', 'run'],
  ['xy', undefined],
  ['deploy', undefined],
  ['', undefined],
];
for (const [typed, meant] of cases) {
  test(`'${typed}' most likely meant ${meant ?? 'nothing that there is'}`, () => {
    assert.equal(nearest(typed, words), meant);
  });
}
