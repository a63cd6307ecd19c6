import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromJson, type Json, RegoObject, RegoSet, toJson } from '../value/index.ts';
import { BudgetSpent, call, callWith, testContext } from './calling.ts';

describe('objects, arrays and sets', () => {
  const cases: readonly (readonly [string, readonly Json[], Json])[] = [
    ['object.get', [{ a: { b: [{ c: 1 }] } }, ['a', 'b', 0, 'c'], 2], 1],
    ['object.get', [{ a: 1 }, ['a', 'b'], 2], 2],
    ['object.get', [{ a: 1 }, [], 2], { a: 1 }],
    [
      'object.union',
      [
        { a: { b: 1 }, e: 1 },
        { a: { c: 2 }, e: 2 },
      ],
      { a: { b: 1, c: 2 }, e: 2 },
    ],
    ['object.union_n', [[{ a: 1 }, { b: 2 }, { a: 3 }]], { a: 3, b: 2 }],
    ['object.filter', [{ a: 1, b: 2 }, ['a', 'x']], { a: 1 }],
    ['object.remove', [{ a: 1, b: 2 }, { a: { deep: 1 } }], { b: 2 }],
    ['object.subset', [{ a: { b: 1, c: [1, 2, 3] } }, { a: { c: [2, 3] } }], true],
    [
      'object.subset',
      [
        [1, 2, 3],
        [1, 3],
      ],
      false,
    ],
    ['array.concat', [[1], [2]], [1, 2]],
    ['array.slice', [[1, 2, 3], -1, 2], [1, 2]],
    ['array.slice', [[1, 2, 3], 2, 1], []],
    ['array.flatten', [[[1, [2]], 3]], [1, [2], 3]],
    ['array.reverse', [[1, 2]], [2, 1]],
    ['sort', [[3, 'a', null, 1]], [null, 1, 3, 'a']],
    ['max', [[1, 'a', 3]], 'a'],
    ['sum', [[1, 2.5]], 3.5],
    ['product', [[]], 1],
    ['json.filter', [{ a: { b: 7, c: 8 }, e: 9 }, ['a/b', 'e', 'a/b/x']], { a: { b: 7 }, e: 9 }],
    ['json.filter', [{ a: [1, 2, 3] }, ['a/0', 'a/2']], { a: [1, 3] }],
    ['json.remove', [{ a: [{ b: 7, c: 8 }, { d: 9 }] }, ['a/0/b', 'a/1']], { a: [{ c: 8 }] }],
    [
      'json.patch',
      [
        { a: [1] },
        [
          { op: 'add', path: '/a/-', value: 2 },
          { op: 'move', from: '/a/0', path: '/b' },
        ],
      ],
      { a: [2], b: 1 },
    ],
    ['json.patch', [{ a: 1 }, [{ op: 'replace', path: '', value: 2 }]], 2],
    [
      'json.patch',
      [
        { 'a/b': 1 },
        [
          { op: 'copy', from: '/a~1b', path: 'c' },
          { op: 'test', path: 'c', value: 1 },
        ],
      ],
      { 'a/b': 1, c: 1 },
    ],
    ['graph.reachable', [{ a: ['b'], b: ['c'], c: ['a'], d: [] }, ['a', 'x']], ['a', 'b', 'c']],
    [
      'graph.reachable_paths',
      [{ a: ['b', 'c'], b: ['c'], c: [] }, ['a']],
      [
        ['a', 'b', 'c'],
        ['a', 'c'],
      ],
    ],
    ['type_name', [[]], 'array'],
    ['is_null', [null], true],
    ['internal.member_2', [1, [1, 2]], true],
    ['internal.member_3', ['a', 1, { a: 1 }], true],
    ['internal.member_2', [1, 'x'], false],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name}${JSON.stringify(args)}`, () => {
      assert.deepEqual(call(name, ...args), expected);
    });
  }

  test('the greatest of nothing is undefined', () => {
    assert.equal(call('max', []), undefined);
  });

  const failures: readonly (readonly [string, readonly Json[], string])[] = [
    ['count', [null], 'operand 1 must be one of {array, object, set, string} but got null'],
    ['object.remove', [{}, 'a'], 'operand 2 must be one of {object, set, array} but got string'],
    ['object.union_n', [[{}, 1]], 'operand 1 must be array of objects but got array containing number'],
    ['object.subset', [{}, []], 'both arguments object.subset must be of the same type or array and set'],
    ['json.remove', [{}, 'a'], 'operand 2 must be one of {set, array} but got string'],
    [
      'json.remove',
      [{}, [1]],
      'operand 2 must be one of {set, array} containing string paths or array of path segments but got number',
    ],
    ['graph.reachable', [{}, 'a'], 'operand 2 must be {array, set} but got string'],
    ['cast_string', [1], 'operand 1 must be string but got number'],
  ];
  for (const [name, args, message] of failures) {
    test(`${name}${JSON.stringify(args)} fails`, () => {
      assert.throws(() => call(name, ...args), { message });
    });
  }

  test('a patch that does not fit has no result', () => {
    const cases: readonly Json[] = [
      { op: 'remove', path: '/x' },
      { op: 'add', path: '/a/2', value: 1 },
      { op: 'add', path: '/a/01', value: 1 },
      { op: 'add', path: '/x/y', value: 1 },
      { op: 'test', path: '/a/0', value: 2 },
      { op: 'nope', path: '/a' },
      { op: 'add', path: '/a' },
    ];
    for (const operation of cases) assert.equal(call('json.patch', { a: [1] }, [operation]), undefined);
  });

  test('patches reach into sets by value', () => {
    const document = new RegoObject([['foo', new RegoSet(['a'])]]);
    const add = fromJson([{ op: 'add', path: 'foo/b', value: 'b' }]);
    const wrong = fromJson([{ op: 'add', path: 'foo/b', value: 'c' }]);
    assert.deepEqual(toJson(callWith(testContext(), 'json.patch', [document, add])!), { foo: ['a', 'b'] });
    assert.equal(callWith(testContext(), 'json.patch', [document, wrong]), undefined);
  });

  test('walk visits a value before what is in it', () => {
    assert.deepEqual(call('walk', { a: [1] }), [
      [[], { a: [1] }],
      [['a'], [1]],
      [['a', 0], 1],
    ]);
  });

  test('unions and intersections are those of sets', () => {
    const sets = new RegoSet([new RegoSet([1, 2]), new RegoSet([2, 3])]);
    assert.deepEqual(toJson(callWith(testContext(), 'union', [sets])!), [1, 2, 3]);
    assert.deepEqual(toJson(callWith(testContext(), 'intersection', [sets])!), [2]);
    assert.deepEqual(toJson(callWith(testContext(), 'intersection', [new RegoSet()])!), []);
  });

  test('a graph with more paths than can be told ends with its budget', () => {
    const nodes = Array.from({ length: 24 }, (_, index) => String(index));
    const complete = Object.fromEntries(nodes.map((node) => [node, nodes.filter((other) => other !== node)]));
    assert.throws(
      () => call('graph.reachable_paths', complete, ['0']),
      (thrown: Error) => thrown instanceof BudgetSpent || /larger than the limit/.test(thrown.message),
    );
  });
});

describe('JSON Schema', () => {
  const valid: readonly (readonly [Json, Json])[] = [
    [{ id: 5 }, { properties: { id: { type: 'integer' } }, required: ['id'] }],
    [{ a: 1.0 }, { properties: { a: { type: 'integer' } } }],
    [{ a: { a: {} } }, { type: 'object', additionalProperties: { $ref: '#' } }],
    [{ n: 0.3 }, { properties: { n: { multipleOf: 0.1 } } }],
    [{ a: 'x' }, { properties: { a: { $ref: '#/definitions/t' } }, definitions: { t: { type: 'string' } } }],
    [
      { a: 1, b: 2 },
      '{"dependencies": {"a": ["b"]}, "if": {"required": ["a"]}, "then": {"required": ["b"]}}',
    ],
    [
      { at: '2020-01-01T00:00:00Z', ip: '1.2.3.4' },
      { properties: { at: { format: 'date-time' }, ip: { format: 'ipv4' } } },
    ],
  ];
  for (const [document, schema] of valid) {
    test(`${JSON.stringify(document)} is of ${JSON.stringify(schema)}`, () => {
      assert.deepEqual(call('json.match_schema', document, schema), [true, []]);
      assert.deepEqual(call('json.verify_schema', schema), [true, null]);
    });
  }

  const invalid: readonly (readonly [Json, Json, string, string])[] = [
    [{}, { required: ['id'] }, 'required', '(root): id is required'],
    [
      { id: 'x' },
      { properties: { id: { type: 'integer' } } },
      'invalid_type',
      'id: Invalid type. Expected: integer, given: string',
    ],
    [
      { a: [1, 1] },
      { properties: { a: { uniqueItems: true } } },
      'unique',
      'a: array items[0,1] must be unique',
    ],
    [
      { a: [{ b: 3 }] },
      { properties: { a: { items: { properties: { b: { maximum: 2 } } } } } },
      'number_lte',
      'a.0.b: Must be less than or equal to 2',
    ],
    [
      { x: 1 },
      { additionalProperties: false },
      'additional_property_not_allowed',
      '(root): Additional property x is not allowed',
    ],
    [
      { a: 'b' },
      { properties: { a: { enum: ['c', 1] } } },
      'enum',
      'a: a must be one of the following: "c", 1',
    ],
    [{ a: 'b' }, { properties: { a: { pattern: '^c' } } }, 'pattern', "a: Does not match pattern '^c'"],
    [{}, { not: {} }, 'number_not', '(root): Must not validate the schema (not)'],
    [{}, { minProperties: 1 }, 'array_min_properties', '(root): Must have at least 1 properties'],
  ];
  for (const [document, schema, type, error] of invalid) {
    test(`${JSON.stringify(document)} is not of ${JSON.stringify(schema)}`, () => {
      const [ok, mistakes] = call('json.match_schema', document, schema) as [
        boolean,
        { type: string; error: string }[],
      ];
      assert.equal(ok, false);
      assert.deepEqual(mistakes.map((each) => [each.type, each.error])[0], [type, error]);
    });
  }

  test('what is no schema is said to be none, and nothing is fetched', () => {
    for (const schema of [
      { type: 'nope' },
      { minLength: -1 },
      { pattern: '(' },
      { $ref: 'https://example.com/x' },
      '{',
    ]) {
      const [ok, reason] = call('json.verify_schema', schema) as [boolean, string];
      assert.equal(ok, false);
      assert.match(reason, /^jsonschema: /);
    }
  });

  test('a schema that refers to itself forever ends', () => {
    assert.throws(() => call('json.match_schema', {}, { $ref: '#' }), {
      message: /refers to itself too often/,
    });
  });
});
