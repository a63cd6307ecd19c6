import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, type Limits, RegoError } from '../src/index.ts';

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

const isLimitError = (error: unknown): boolean =>
  error instanceof RegoError && error.code === 'eval_limit_error';

const TIGHT: Partial<Limits> = { maxSteps: 200_000, maxElements: 20_000 };

describe('hostile policies end with a clear error', () => {
  for (const [says, module] of [
    ['an exponential comprehension', 'x := numbers.range(1, 300)\np := [1 | x[_]; x[_]; x[_]; x[_]]'],
    [
      'an exponential search without results',
      'x := numbers.range(1, 300)\np if { x[_]; x[_]; x[_]; x[_]; false }',
    ],
    [
      'an exponential set',
      'x := numbers.range(1, 300)\np contains [a, b, c] if { some a in x; some b in x; some c in x }',
    ],
    [
      'functions of collections that double their work',
      `f0(x) := count(x)\n${lines(60, (i) => `f${i + 1}(x) := f${i}(x) + f${i}(x)`)}\np := f60([1])`,
    ],
    [
      'values that double their size',
      `x0 := [1]\n${lines(60, (i) => `x${i + 1} := [x${i}, x${i}]`)}\np := x60`,
    ],
    [
      'comparing values that double their size',
      `x0 := [1]\n${lines(60, (i) => `x${i + 1} := [x${i}, x${i}]`)}\ny0 := [1]\n${lines(60, (i) => `y${i + 1} := [y${i}, y${i}]`)}\np if x60 == y60`,
    ],
    [
      'rules that depend on each other endlessly deep',
      `x0 := 1\n${lines(5_000, (i) => `x${i + 1} := x${i} + 1`)}\np := x5000`,
    ],
    ['a body of very many statements', `p if {\n${lines(15_000, () => 'input != 1')}\n}`],
  ] as const) {
    test(says, () => {
      const run = () => compile({ 't.rego': `package t\n${module}` }, { limits: TIGHT }).query('data.t.p')(2);
      assert.throws(run, isLimitError);
    });
  }

  test('an expression of very many operators', () => {
    assert.throws(() => compile({ 't.rego': `package t\np := 1${'+1'.repeat(50_000)}` }), isLimitError);
  });

  test('an input nested endlessly deep', () => {
    const query = compile({ 't.rego': 'package t\np := input' }).query('data.t.p');
    const input = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    assert.throws(() => query(input), isLimitError);
  });

  test('a query with too many results', () => {
    const policy = compile({}, { limits: { maxResults: 10 } });
    assert.throws(() => policy.query('numbers.range(1, 11)[x]').results(), isLimitError);
  });
});

test('functions that call the same twice are remembered', () => {
  const module = `package t\nf0(x) := x\n${lines(50, (i) => `f${i + 1}(x) := f${i}(x) + f${i}(x)`)}\np := f50(1)`;
  assert.equal(compile({ 't.rego': module }).query('data.t.p')(), 2 ** 50);
});

test('an evaluation that failed does not disturb the next one', () => {
  const module = 'package t\np := sum([x | some x in numbers.range(1, input.n)])';
  const query = compile({ 't.rego': module }, { limits: { maxSteps: 500 } }).query('data.t.p');
  assert.throws(() => query({ n: 10_000 }), isLimitError);
  assert.equal(query({ n: 10 }), 55);
});
