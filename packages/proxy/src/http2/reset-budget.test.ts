import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResetBudget } from './reset-budget.ts';

test('resets are allowed in a burst, then at a rate, and never saved up beyond the burst', () => {
  const budget = new ResetBudget({ http2ResetBurst: 3, http2ResetRate: 2 }, 0);
  const spend = (now: number) => budget.spend(now);
  assert.deepEqual([0, 0, 0].map(spend), [true, true, true]);
  assert.equal(spend(0), false);
  assert.deepEqual([1500, 1500].map(spend), [true, true]);
  assert.equal(spend(1500), false);
  assert.deepEqual([1e9, 1e9, 1e9, 1e9].map(spend), [true, true, true, false]);
});
