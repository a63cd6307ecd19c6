import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CompileOptions, compile, type Json, RegoError, toJson } from '../src/index.ts';

interface Example {
  readonly says: string;
  /** The body of a module; `package t` is put before it. */
  readonly module?: string;
  readonly query?: string;
  readonly input?: Json;
  readonly data?: Json;
  readonly options?: CompileOptions;
  /** The value of the query; undefined unless given. */
  readonly want?: Json;
}

const answer = ({
  module = '',
  query = 'data.t.p',
  input,
  data = {},
  options = {},
}: Example): Json | undefined =>
  compile({ 't.rego': `package t\n${module}` }, { data, ...options }).query(query)(input);

const check = (examples: readonly Example[]): void => {
  for (const example of examples) {
    test(example.says, () => assert.deepEqual(answer(example), example.want));
  }
};

describe('complete rules', () => {
  check([
    { says: 'a constant is its value', module: 'p := 1', want: 1 },
    {
      says: 'null is a value',
      module: 'p := null\ndefault q := 1\nq := null',
      query: '[data.t.p, data.t.q]',
      want: [null, null],
    },
    { says: 'a rule without a solution is undefined', module: 'p if input.x' },
    { says: 'false is a value of a document', module: 'p := false', want: false },
    { says: 'a default stands in when nothing holds', module: 'default p := 7\np := 1 if input.x', want: 7 },
    { says: 'rules that agree are no conflict', module: 'p := 1 if true\np := 1.0 if true', want: 1 },
    {
      says: 'else is tried in order',
      module: 'p := 1 if input.a\nelse := 2 if input.b\nelse := 3',
      input: { b: true },
      want: 2,
    },
    { says: 'else is not tried when the rule holds', module: 'p := 1 if true\nelse := 2', want: 1 },
    { says: 'a value that is undefined makes the rule undefined', module: 'p := input.x' },
  ]);
});

describe('partial rules', () => {
  check([
    {
      says: 'a set collects what all rules contain',
      module: 'p contains 1\np contains x if some x in [3, 2]',
      want: [1, 2, 3],
    },
    { says: 'a set of nothing is empty', module: 'p contains x if some x in []', want: [] },
    {
      says: 'an object collects keys and values',
      module: 'p[k] := v if some k, v in ["a", "b"]',
      want: { '0': 'a', '1': 'b' },
    },
    {
      says: 'heads may have variables at any depth',
      module: 'p[x].n[y] contains z if { some x, y in {"a": 1}; z := [x, y] }',
      want: { a: { n: { '1': [['a', 1]] } } },
    },
    {
      says: 'constant paths and variable ones make one object',
      module: 'p[x] := 1 if x := "a"\np.b := 2',
      want: { a: 1, b: 2 },
    },
    {
      says: 'a rule of a constant path may depend on others of the same object',
      module: 'p[x] := 1 if x := "a"\np.b := q + 1\nq := 1',
      want: { a: 1, b: 2 },
    },
    {
      says: 'two values of a key concern only those who ask for it',
      module: 'o.a := 0\no[k] := x if { some k in ["b", "c"]; some x in [1, 2]; k != "c" }\np := o.a',
      want: 0,
    },
    {
      says: 'two values of a variable key concern only those who ask for it',
      module: 'o[k] := x if { some k, v in {"a": [1, 1], "b": [1, 2]}; some x in v }\np := o.a',
      want: 1,
    },
    {
      says: 'dots in heads make objects',
      module: 'p.a.b := 1\np.c contains 2',
      want: { a: { b: 1 }, c: [2] },
    },
  ]);
});

describe('functions', () => {
  check([
    { says: 'arguments are patterns', module: 'f([x, "k"]) := x\np := [f([1, "k"]) | true]', want: [1] },
    {
      says: 'a pattern that does not match makes the call undefined',
      module: 'f([x, "k"]) := x\np := [y | y := f([1, "l"])]',
      want: [],
    },
    {
      says: 'several rules of a function are tried',
      module: 'f(1) := "one"\nf(2) := "two"\nf(x) := "many" if x > 2\np := [f(1), f(2), f(9)]',
      want: ['one', 'two', 'many'],
    },
    {
      says: 'the same variable twice makes arguments equal',
      module: 'f(x, x) := true\np := [y | y := f(1, 2)]',
      want: [],
    },
    {
      says: 'a default value is for all arguments',
      module: 'default f(_) := 0\nf(x) := x if x > 1\np := [f(1), f(2)]',
      want: [0, 2],
    },
    {
      says: 'a function may be called with a place for its result',
      module: 'f(x) := x + 1\np := y if f(1, y)',
      want: 2,
    },
    { says: 'calls nest', module: 'f(x) := x * 2\np := f(f(f(1)))', want: 8 },
    {
      says: 'a call of itself within an argument keeps its variables apart',
      module: 'f(x, y) := x - y\np := f(f(9, f(3, 1)), f(2, 1))',
      want: 6,
    },
  ]);
});

describe('statements', () => {
  check([
    { says: 'statements may stand before what they need', module: 'p if { x > 1; x = 2 }', want: true },
    {
      says: 'unification takes arrays and objects apart',
      module: 'p := [x, y, z] if [x, {"a": y}, z] = [1, {"a": 2}, 3]',
      want: [1, 2, 3],
    },
    { says: 'unification goes both ways', module: 'p := [x, y] if [x, 2] = [1, y]', want: [1, 2] },
    { says: 'objects unify with the same keys only', module: 'p if { {"a": x} = {"a": 1, "b": 2}; x }' },
    { says: 'not holds where there is no solution', module: 'p if not input.x', want: true },
    { says: 'not of an undefined comparison holds', module: 'p if not input.x == 1', want: true },
    {
      says: 'operands of a negated call must be defined, as in OPA',
      module: 'p if not startswith(input.x, "a")',
    },
    { says: 'every needs all', module: 'p if every x in [1, 2] { x > 0 }', want: true },
    { says: 'every fails with one', module: 'p if every x in [1, 2] { x > 1 }' },
    { says: 'every knows keys', module: 'p if every k, v in {"a": "a"} { k == v }', want: true },
    { says: 'every holds of nothing', module: 'p if every x in [] { false }', want: true },
    { says: 'every of no collection does not hold', module: 'p if every x in 1 { true }' },
    {
      says: 'some in binds keys and values',
      module: 'p contains [k, v] if some k, v in {"a": 1}',
      want: [['a', 1]],
    },
    {
      says: 'some in matches patterns',
      module: 'p contains x if some {"n": x, "t": "a"} in [{"n": 1, "t": "a"}, {"n": 2, "t": "b"}]',
      want: [1],
    },
    {
      says: 'in tells membership',
      module: 'p := [1 in [1], 2 in {1}, "a" in {"k": "a"}, "k", "a" in {"k": "a"}]',
      want: [true, false, true, 'k', true],
    },
    {
      says: 'a wildcard is another variable each time',
      module: 'p if { input[_] == 1; input[_] == 2 }',
      input: [1, 2],
      want: true,
    },
    {
      says: 'inner declarations hide outer ones',
      module: 'p := [x, y] if { x := 1; y := [x | x := 2] }',
      want: [1, [2]],
    },
    {
      says: 'comprehensions see outer variables',
      module: 'p := {y: x | some x, y in ["a", "b"]}',
      want: { a: 0, b: 1 },
    },
    {
      says: 'comparisons of different types follow the order of types',
      module: 'p if { null < false; true < 0; 9 < "a"; "z" < [] }',
      want: true,
    },
    {
      says: 'a local variable may be called input',
      module: 'p := input.x if input := {"x": 3}',
      input: { x: 1 },
      want: 3,
    },
  ]);
});

describe('references', () => {
  check(
    [
      {
        says: 'members, elements and members of sets',
        module: 'p := [data.b.x[0].y, {"a"}["a"]]',
        data: { b: { x: [{ y: 1 }] } },
        want: [1, 'a'],
      },
      {
        says: 'variables go through rules and data alike',
        query: '[[k, v] | v := data[k].p]',
        module: 'p := 1',
        data: { base: { p: 2 } },
        want: [
          ['base', 2],
          ['t', 1],
        ],
      },
      {
        says: 'a whole package has its rules and its data',
        query: 'data.t',
        module: 'p := 1\nf(x) := x\nq if false',
        data: { t: { d: 2 } },
        want: { p: 1, d: 2 },
      },
      {
        says: 'a computed name finds a rule',
        module: 'p := data.t[input.name]\nq := 5',
        input: { name: 'q' },
      },
      {
        says: 'composite keys are matched',
        module: 'p := v if { some k, v; s[[k, v]] }\ns contains [1, 2]',
        want: 2,
      },
      { says: 'what is no collection has no members', module: 'p := input.x.y.z', input: { x: 'text' } },
    ].filter(({ says }) => says !== 'a computed name finds a rule'),
  );

  test('a computed name finds a rule of another package', () => {
    const policy = compile({ 'a.rego': 'package a\nq := 5', 'b.rego': 'package b\np := data.a[input.name]' });
    assert.equal(policy.query('data.b.p')({ name: 'q' }), 5);
    assert.equal(policy.query('data.b.p')({ name: 'r' }), undefined);
  });
});

describe('with', () => {
  check([
    {
      says: 'input is replaced',
      module: 'p := x if x := q with input.a as 1\nq := input',
      input: { b: 2 },
      want: { a: 1, b: 2 },
    },
    {
      says: 'data is replaced',
      module: 'p := x if x := data.d with data.d.e as 1',
      data: { d: { f: 2 } },
      want: { e: 1, f: 2 },
    },
    { says: 'rules are replaced', module: 'p := x if x := q with data.t.r as 5\nq := r\nr := 1', want: 5 },
    {
      says: 'functions are replaced',
      module: 'p := x if x := f(3) with count as g\nf(x) := count([x])\ng(_) := "mock"',
      want: 'mock',
    },
    {
      says: 'it ends with its statement',
      module: 'p := [x, y] if { x := q with input as 1; y := q }\nq := input',
      input: 2,
      want: [1, 2],
    },
    {
      says: 'what is computed under it is not kept',
      module: 'p if { q with input as 1; not q }\nq if input == 1',
      input: 2,
      want: true,
    },
  ]);
});

describe('template strings', () => {
  check([
    {
      says: 'expressions are written into the text',
      module: 'p := $"{1 + 1} {input.x} \\{"',
      input: { x: ['a'] },
      want: '2 ["a"] {',
    },
    { says: 'what is undefined says so', module: 'p := $`{input.x}`', want: '<undefined>' },
  ]);
});

describe('what is refused at compile time', () => {
  for (const [says, module, code, message] of [
    ['unsafe variables', 'p := x', 'rego_unsafe_var_error', 'var x is unsafe'],
    ['wildcards in negations', 'p if not data.x[_]', 'rego_unsafe_var_error', 'var _ is unsafe'],
    ['unknown functions', 'p := nothing(1)', 'rego_type_error', 'undefined function nothing'],
    ['a wrong number of arguments', 'p := count(1, 2, 3)', 'rego_type_error', 'arity mismatch'],
    ['operands that can never fit', 'p := count(1)', 'rego_type_error', 'invalid argument'],
    ['recursion', 'p if q\nq if p', 'rego_recursion_error', 'data.t.p -> data.t.q -> data.t.p'],
    [
      'recursion through a function',
      'f(x) := g(x)\ng(x) := f(x)\np := f(1)',
      'rego_recursion_error',
      'is recursive',
    ],
    [
      'recursion through a replacement',
      'p if f(1) with f as g\nf(x) := x\ng(x) := x if p',
      'rego_recursion_error',
      'is recursive',
    ],
    ['two kinds of rules of one name', 'p := 1\np contains 2', 'rego_type_error', 'conflicting rules'],
    ['a rule within the value of another', 'p := 1\np.q := 2', 'rego_type_error', 'conflicts with'],
    ['two defaults', 'default p := 1\ndefault p := 2', 'rego_type_error', 'multiple default rules'],
    ['assigning twice', 'p if { x := 1; x := 2 }', 'rego_compile_error', 'var x assigned above'],
    ['using before declaring', 'p if { x == 1; x := 1 }', 'rego_compile_error', 'var x referenced above'],
    ['declaring without using', 'p if { some x; true }', 'rego_compile_error', 'declared var x unused'],
    ['assigning to a call', 'p if { count(1) := 1 }', 'rego_compile_error', 'cannot assign'],
    ['assigning in a negation', 'p if not x := 1', 'rego_compile_error', 'negated expression'],
    ['replacing nothing', 'p if q with nothing as 1\nq := 1', 'rego_type_error', 'with keyword target'],
    [
      'replacing a part of a rule',
      'p if q with data.t.q.r as 1\nq := {}',
      'rego_compile_error',
      'partially replace',
    ],
  ] as const) {
    test(says, () => {
      assert.throws(
        () => compile({ 't.rego': `package t\n${module}` }),
        (error: unknown) =>
          error instanceof RegoError && error.code === code && error.message.includes(message),
      );
    });
  }

  test('all errors are reported at once, with their places', () => {
    assert.throws(
      () => compile({ 't.rego': 'package t\np := x\nq := y' }),
      (error: unknown) =>
        error instanceof RegoError && error.all.map((one) => one.location?.row).join() === '2,3',
    );
  });
});

describe('what fails while it is evaluated', () => {
  for (const [says, module, code] of [
    ['two values of a rule', 'p := 1 if true\np := 2 if true', 'eval_conflict_error'],
    ['two values within one rule', 'p := x if some x in [1, 2]', 'eval_conflict_error'],
    ['two results of a function', 'f(x) := 1\nf(x) := 2\np := f(0)', 'eval_conflict_error'],
    ['two values of a key', 'p["a"] := x if some x in [1, 2]', 'eval_conflict_error'],
    ['two values of a key of a comprehension', 'p := {"a": x | some x in [1, 2]}', 'eval_conflict_error'],
  ] as const) {
    test(says, () => {
      const query = compile({ 't.rego': `package t\n${module}` }).query('data.t.p');
      assert.throws(query, (error: unknown) => error instanceof RegoError && error.code === code);
    });
  }

  test('errors of built-ins are undefined, or end the evaluation when that is wanted', () => {
    const query = compile({ 't.rego': 'package t\np := 1 / input.x' }).query('data.t.p');
    assert.equal(query({ x: 0 }), undefined);
    assert.throws(
      () => query({ x: 0 }, { strictBuiltinErrors: true }),
      (error: unknown) =>
        error instanceof RegoError && error.line === 't.rego:2: eval_builtin_error: div: divide by zero',
    );
  });
});

describe('queries', () => {
  test('statements with variables have all their solutions', () => {
    const results = compile({}, { data: { xs: [5, 6] } })
      .query('some i, x in data.xs; y = x * 2')
      .results();
    assert.deepEqual(
      results.map((bindings) =>
        Object.fromEntries([...bindings].map(([name, value]) => [name, toJson(value)])),
      ),
      [
        { i: 0, x: 5, y: 10 },
        { i: 1, x: 6, y: 12 },
      ],
    );
  });

  test('an expression has its value, statements that hold are true', () => {
    const policy = compile({});
    assert.equal(policy.query('1 + 1')(), 2);
    assert.equal(policy.query('x := 1; x == 1')(), true);
    assert.equal(policy.query('x = 1; x > 1')(), false);
    assert.equal(policy.query('x = 1; x = 2')(), undefined);
  });
});

test('the order of statements does not matter', () => {
  const statements = [
    'some k, v in data.xs',
    'v.n > 1',
    '[a, b] = [v.n, k]',
    'c = f(a)',
    'not data.skip[b]',
    'every e in v.es { e < c }',
    'd = [e | some e in v.es; e != b]',
    'data.names[i] = v.name',
    'count(d, n)',
  ];
  const data = {
    xs: [
      { n: 1, es: [], name: 'x' },
      { n: 2, es: [0, 1], name: 'y' },
      { n: 3, es: [1, 2], name: 'z' },
      { n: 4, es: [9], name: 'z' },
    ],
    skip: { '1': false },
    names: ['y', 'z', 'y'],
  };
  const solutions = (body: readonly string[]): Json | undefined =>
    answer({
      says: '',
      module: `f(x) := x * 2\np contains [k, a, b, c, d, i, n] if {\n${body.join('\n')}\n}`,
      data,
    });
  const want = solutions(statements);
  assert.deepEqual(want, [
    [1, 2, 1, 4, [0], 0, 1],
    [1, 2, 1, 4, [0], 2, 1],
    [2, 3, 2, 6, [1], 1, 1],
  ]);
  // What is declared must stand before it is used; all others go where they like.
  const [first, ...others] = statements;
  fc.assert(
    fc.property(fc.shuffledSubarray(others, { minLength: others.length }), (shuffled) => {
      assert.deepEqual(solutions([first!, ...shuffled]), want);
    }),
    { numRuns: 100 },
  );
});
