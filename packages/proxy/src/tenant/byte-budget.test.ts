import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteBudget, Holding } from './byte-budget.ts';

describe('a budget of bytes', () => {
  test('gives what it has, within what contains it, and nothing where one of both has not enough', () => {
    const outer = new ByteBudget(100);
    const [one, other] = [new ByteBudget(80, outer), new ByteBudget(80, outer)];
    assert.equal(one.take(81), false);
    assert.equal(one.take(60), true);
    assert.equal(other.take(41), false);
    assert.deepEqual([outer.taken, one.taken, other.taken], [60, 60, 0]);
    assert.equal(other.take(40), true);
    one.give(60);
    assert.deepEqual([outer.taken, one.taken, other.taken], [40, 0, 40]);
  });

  test('gets back what a holding has, once, and gives it nothing afterwards', () => {
    const budget = new ByteBudget(100);
    const holding = new Holding(budget);
    assert.ok(holding.add(30) && holding.add(30));
    assert.equal(holding.add(41), false);
    assert.equal(budget.taken, 60);
    assert.ok(holding.holds(10));
    assert.equal(budget.taken, 10);
    holding.release();
    holding.release();
    assert.equal(budget.taken, 0);
    assert.equal(holding.add(1), false);
    assert.equal(holding.holds(1), false);
    assert.equal(budget.taken, 0);
  });
});
