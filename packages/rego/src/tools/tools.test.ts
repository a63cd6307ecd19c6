import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check, compile, evalQuery, formatModule, fromJson, parseModule, runTests } from '../index.ts';

describe('check', () => {
  test('reports the errors of all files in order', () => {
    const errors = check({ 'b.rego': 'package b\np :=', 'a.rego': 'package a\np := [' });
    assert.deepEqual(
      errors.map(({ location }) => location?.source.file),
      ['a.rego', 'b.rego'],
    );
  });

  test('reports compile errors when all files could be parsed', () => {
    const errors = check({ 'a.rego': 'package a\np := x\nq := y' });
    assert.deepEqual(
      errors.map((error) => error.line),
      [
        'a.rego:2: rego_unsafe_var_error: var x is unsafe',
        'a.rego:3: rego_unsafe_var_error: var y is unsafe',
      ],
    );
  });

  test('strict mode refuses what was assigned and is not used', () => {
    const modules = { 'a.rego': 'package a\np if { x := 1; true }' };
    assert.deepEqual(check(modules), []);
    assert.equal(check(modules, { strict: true })[0]?.message, 'assigned var x unused');
    const shadowing = { 'a.rego': 'package a\np := input if input := 1' };
    assert.deepEqual(check(shadowing), []);
    assert.match(check(shadowing, { strict: true })[0]?.message ?? '', /must not shadow input/);
    const imports = { 'a.rego': 'package a\nimport data.b\nimport data.c\np := c' };
    assert.deepEqual(
      check(imports, { strict: true }).map((error) => error.line),
      ['a.rego:2: rego_compile_error: import b unused'],
    );
  });
});

describe('eval', () => {
  const policy = compile({ 'a.rego': 'package a\np := input.x' });

  test('an expression has its value', () => {
    assert.deepEqual(evalQuery(policy, 'data.a.p', fromJson({ x: [1] })), {
      result: [{ expressions: [{ value: [1], text: 'data.a.p' }] }],
    });
  });

  test('variables have their bindings', () => {
    assert.deepEqual(evalQuery(policy, 'x = 1').result?.[0]?.bindings, { x: 1 });
  });

  test('what is undefined has no result', () => assert.deepEqual(evalQuery(policy, 'data.a.p'), {}));
});

describe('test', () => {
  const policy = compile({
    'a.rego': `package a

allow if input.user == "ann"

deny if {
	input.user == "bob"
	print("never")
}
`,
    'a_test.rego': `package a_test

test_allow if data.a.allow with input.user as "ann"

test_wrong if {
	print("about to fail")
	data.a.allow with input.user as "eve"
}

test_conflict := x if some x in [1, 2]

todo_test_later if false

helper if true
`,
  });

  test('rules named test_ pass, fail or break, and what they print is kept', () => {
    const { tests } = runTests(policy);
    assert.deepEqual(
      tests.map(({ name, outcome, output, error }) => [name, outcome, output, error?.code]),
      [
        ['data.a_test.test_allow', 'pass', [], undefined],
        ['data.a_test.test_conflict', 'error', [], 'eval_conflict_error'],
        ['data.a_test.test_wrong', 'fail', ['about to fail'], undefined],
        ['data.a_test.todo_test_later', 'skip', [], undefined],
      ],
    );
  });

  test('coverage tells the lines that no test reached', () => {
    const { coverage } = runTests(policy);
    assert.deepEqual(coverage.files['a.rego'], { covered: [3], notCovered: [5, 6, 7], percent: 25 });
  });

  test('tests can be chosen by name', () => {
    assert.equal(runTests(policy, { only: /allow/ }).tests.length, 1);
  });
});

describe('format', () => {
  const untidy = `# about the package
package   a
import data.b   as c
# about p
p   if  {   # behind the head
  x :=   1+2*(3+4)

  # about y
  y = [1,
     2]; not x == y
  every k,v in {"a":1} { k != v }   # behind every
}  else   := { "a" :1 }
q[x]:=y  if some x,y in [ "a" ]
f( x )=$"{ x } \\{" if (1|{2})[x] with input.a as 1 # last
`;
  const tidy = `# about the package
package a

import data.b as c

# about p
p if { # behind the head
	x := 1 + 2 * (3 + 4)

	# about y
	y = [1, 2]
	not x == y
	every k, v in {"a": 1} { # behind every
		k != v
	}
} else := {"a": 1}

q[x] := y if some x, y in ["a"]
f(x) := $"{x} \\{" if (1 | {2})[x] with input.a as 1 # last
`;

  test('gives every module one form and keeps its comments', () => {
    assert.equal(formatModule('a.rego', untidy), tidy);
  });

  test('leaves alone what has that form', () => assert.equal(formatModule('a.rego', tidy), tidy));

  test('loses no comment', () => {
    const comments = parseModule('a', formatModule('a', untidy)).comments.map(({ text }) => text.trim());
    assert.deepEqual(
      comments,
      parseModule('a', untidy).comments.map(({ text }) => text.trim()),
    );
  });
});

test('a module of v0 keeps its version when it is formatted', () => {
  const text = 'package a\n\np[x] {\n\tx = 1\n}\n';
  assert.equal(formatModule('a.rego', 'package a\np[x] { x = 1 }', { version: 'v0' }), text);
});
