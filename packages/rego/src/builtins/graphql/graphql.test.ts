import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../value/index.ts';
import { call } from '../calling.ts';

const SCHEMA = `
  interface Named { name: String }
  type User implements Named { name: String  id: ID!  friends(first: Int = 10, role: Role): [User!] }
  type Robot implements Named { name: String  model: String }
  union Thing = User | Robot
  enum Role { ADMIN GUEST }
  input Filter { role: Role!, tags: [String!] }
  type Query { user(id: ID!): User  things(filter: Filter): [Thing]  named: Named }
  type Mutation { rename(id: ID!, name: String): User }
  type Subscription { a: Int b: Int }
`;

describe('queries', () => {
  const valid: readonly string[] = [
    '',
    '{ user(id: 1) { id name } }',
    'query Q($id: ID!, $n: Int = 3) { user(id: $id) { friends(first: $n, role: ADMIN) { __typename id } } }',
    '{ things(filter: {role: GUEST, tags: ["a"]}) { ... on User { id } ... on Robot { model } } }',
    '{ named { ...N } } fragment N on Named { name ... on User { id } }',
    '{ a: user(id: "1") { id } b: user(id: "2") { id } }',
    '{ __schema { types { name } } __type(name: "User") { name } }',
    'query ($x: Boolean!) { named { name @include(if: $x) } }',
    'mutation { rename(id: 1) { id } }',
  ];
  for (const query of valid) {
    test(`valid: ${query}`, () => {
      assert.equal(call('graphql.is_valid', query, SCHEMA), true);
    });
  }

  const invalid: readonly (readonly [string, RegExp])[] = [
    ['{ nope }', /^Cannot query field "nope" on type "Query" in GraphQL string at location 1:3$/],
    ['{ user { id } }', /argument "id" of type "ID!" is required, but it was not provided/],
    ['{ user(id: 1, x: 2) { id } }', /^Unknown argument "x" on field "Query.user"/],
    ['{ user(id: 1) }', /must have a selection of subfields/],
    ['{ user(id: 1) { id { x } } }', /must not have a selection since type "ID" has no subfields/],
    ['{ user(id: 1.5) { id } }', /^ID cannot represent/],
    ['{ user(id: 1) { friends(role: BOSS) { id } } }', /^Value "BOSS" does not exist in "Role" enum/],
    [
      '{ things(filter: {}) { __typename } }',
      /^Field "Filter.role" of required type "Role!" was not provided/,
    ],
    ['{ things(filter: {role: ADMIN, x: 1}) { __typename } }', /^Field "x" is not defined by type "Filter"/],
    ['{ ...F }', /^Unknown fragment "F"/],
    ['{ named { name } } fragment F on Named { name }', /^Fragment "F" is never used/],
    [
      '{ named { ...A } } fragment A on Named { ...B } fragment B on Named { ...A }',
      /^Cannot spread fragment "A" within itself/,
    ],
    ['{ user(id: 1) { ... on Robot { model } } }', /^Fragment cannot be spread here/],
    ['{ named { ... on Role { x } } }', /^Fragment cannot condition on non composite type "Role"/],
    ['query ($x: Int) { named { name } }', /^Variable "\$x" is never used/],
    ['{ user(id: $x) { id } }', /^Variable "\$x" is not defined/],
    [
      'query ($x: Int!) { user(id: $x) { id } }',
      /^Variable "\$x" of type "Int!" used in position expecting type "ID!"/,
    ],
    ['query ($x: User) { named { name } }', /^Variable "\$x" cannot be non-input type "User"/],
    ['query A { named { name } } query A { named { name } }', /^There can be only one operation named "A"/],
    ['{ named { name } } query A { named { name } }', /^This anonymous operation must be the only/],
    ['{ named { name @nope } }', /^Unknown directive "@nope"/],
    ['{ named { name @deprecated } }', /^Directive "@deprecated" may not be used on FIELD/],
    [
      '{ x: user(id: 1) { id } x: user(id: 2) { id } }',
      /^Fields "x" conflict because they have differing arguments/,
    ],
    ['{ named { x: name x: __typename } }', /^Fields "x" conflict because/],
    ['subscription { a b }', /must select only one top level field/],
  ];
  for (const [query, message] of invalid) {
    test(`invalid: ${query}`, () => {
      assert.throws(() => call('graphql.parse', query, SCHEMA), { message });
      assert.equal(call('graphql.is_valid', query, SCHEMA), false);
      assert.deepEqual(call('graphql.parse_and_verify', query, SCHEMA), [false, {}, {}]);
    });
  }

  test('nodes that were parsed once can be checked as well', () => {
    const query = call('graphql.parse_query', '{ user(id: 1) { id } }') as Json;
    const schema = call('graphql.parse_schema', SCHEMA) as Json;
    assert.equal(call('graphql.is_valid', query, schema), true);
  });

  test('block strings lose their indentation, comments and commas mean nothing', () => {
    const [operation] = (
      call('graphql.parse_query', '{ f(a: """\n    x\n      y\n  """), # c\n }') as {
        Operations: { SelectionSet: { Arguments: { Value: { Raw: string } }[] }[] }[];
      }
    ).Operations;
    assert.equal(operation?.SelectionSet[0]?.Arguments[0]?.Value.Raw, 'x\n  y');
  });

  test('documents that nest without end are refused', () => {
    assert.throws(() => call('graphql.parse_query', '{a'.repeat(20_000)), { message: /nests too deeply/ });
    assert.throws(() => call('graphql.parse_query', `{a(b: ${'['.repeat(20_000)}`), {
      message: /nests too deeply/,
    });
  });
});

describe('schemas', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    [SCHEMA, true],
    ['extend type User { id: ID! }', true],
    ['type A { b: Nope }', false],
    ['type A { b: In } input In { c: Int }', false],
    ['type A { b(c: A): Int }', false],
    ['type A implements I { b: Int } interface I { c: Int }', false],
    ['type A implements I { c: Int! } interface I { c: Int }', true],
    ['type A { a: Int } type A { b: Int }', false],
    ['scalar A extend type A { b: Int }', false],
    ['type __A { b: Int }', false],
    ['schema { query: Nope }', false],
    ['enum E { true }', false],
    ['union U = E enum E { A }', false],
    ['directive @d(a: Int!) on OBJECT type A @d { b: Int }', false],
    ['directive @d on FIELD type A @d { b: Int }', false],
  ];
  for (const [schema, expected] of cases) {
    test(`${expected ? 'valid' : 'invalid'}: ${schema.trim().split('\n')[0]}`, () => {
      assert.equal(call('graphql.schema_is_valid', schema), expected);
    });
  }
});
