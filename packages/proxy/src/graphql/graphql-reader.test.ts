import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { GraphqlOperation, GraphqlOptions, QueryParameter, RequestContent } from '@openshell/policy';
import fc from 'fast-check';
import { limitsWith } from '../limits.ts';
import { loadGraphqlReader } from './graphql-reader.ts';

const reader = await loadGraphqlReader(limitsWith());

const REGISTERED: GraphqlOptions = {
  persistedQueries: 'allow_registered',
  registered: {
    abc123: { operationType: 'query', operationName: 'Viewer', fields: ['viewer'] },
    def456: { operationType: 'mutation', fields: ['a', 'b'] },
    untyped: { fields: [] },
  },
  maxBodyBytes: 65_536,
};
const UNREGISTERED: GraphqlOptions = { ...REGISTERED, persistedQueries: 'deny' };

const JSON_TYPE = 'application/json';

interface Post {
  readonly type?: string;
  readonly query?: readonly QueryParameter[];
  readonly options?: GraphqlOptions;
}

const contentType = (value: string) => ({ name: 'Content-Type', lowerName: 'content-type', value });

function post(
  body: unknown,
  { type = JSON_TYPE, query = [], options = REGISTERED }: Post = {},
): RequestContent {
  const text = Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
  return reader.readRequest({
    method: 'POST',
    query,
    fields: [contentType(type)],
    body: Buffer.from(text),
    options,
  });
}

const get = (query: readonly QueryParameter[], method = 'GET', body = ''): RequestContent =>
  reader.readRequest({ method, query, fields: [], body: Buffer.from(body), options: REGISTERED });

const executed = (...operations: GraphqlOperation[]): RequestContent => ({ kind: 'graphql', operations });

const assertMalformed = (content: RequestContent, reason: RegExp, what: string): void => {
  assert.equal(content.kind, 'malformed', what);
  if (content.kind === 'malformed') assert.match(content.reason, reason, what);
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('a document gives the type, the name and the real root fields of its operation', () => {
  const cases: [query: string, operation: GraphqlOperation][] = [
    ['{ viewer { login } }', { type: 'query', fields: ['viewer'] }],
    ['query Q($a: [Int!]! = [1]) { a b a }', { type: 'query', name: 'Q', fields: ['a', 'b'] }],
    [
      'mutation M { harmless: deleteAll(x: {y: "}"}) { id } }',
      { type: 'mutation', name: 'M', fields: ['deleteAll'] },
    ],
    ['subscription { s }', { type: 'subscription', fields: ['s'] }],
    ['{ a @skip(if: true) b @include(if: false) }', { type: 'query', fields: ['a', 'b'] }],
    [
      '{ __typename __schema { types { name } } __type(name: "T") { name } }',
      { type: 'query', fields: ['__typename', '__schema', '__type'] },
    ],
    [
      '{ ...A ... on Query { c } ... { d } ... @include(if: $x) { e } } fragment A on Other { a ...B } fragment B on Query { b ...A }',
      { type: 'query', fields: ['a', 'b', 'c', 'd', 'e'] },
    ],
    ['{ a { ...A } } fragment A on T { nested }', { type: 'query', fields: ['a'] }],
    ['# mutation { no }\n{ a(text: """ } mutation { x } """) }', { type: 'query', fields: ['a'] }],
    ['\ufeff{ a }', { type: 'query', fields: ['a'] }],
    ['{ __proto__ constructor }', { type: 'query', fields: ['__proto__', 'constructor'] }],
  ];
  for (const [query, operation] of cases) {
    assert.deepEqual(post({ query }), executed(operation), query);
    assert.deepEqual(get([['query', query]]), executed(operation), query);
    assert.deepEqual(post(query, { type: 'application/graphql' }), executed(operation), query);
  }
});

test('operationName selects the operation that is judged', () => {
  const query = 'query A { a } mutation B { b }';
  assert.deepEqual(
    post({ query, operationName: 'A' }),
    executed({ type: 'query', name: 'A', fields: ['a'] }),
  );
  assert.deepEqual(
    post({ query, operationName: 'B' }),
    executed({ type: 'mutation', name: 'B', fields: ['b'] }),
  );
  assert.deepEqual(
    get([
      ['query', query],
      ['operationName', 'B'],
    ]),
    executed({ type: 'mutation', name: 'B', fields: ['b'] }),
  );
  for (const operationName of [undefined, null, ''])
    assertMalformed(post({ query, operationName }), /several operations/, String(operationName));
  assertMalformed(post({ query, operationName: 'C' }), /does not have the operation/, 'C');
  assertMalformed(post({ query: '{ a }', operationName: 'A' }), /does not have the operation/, 'unnamed');
  assertMalformed(post({ query, operationName: ['A'] }), /"operationName" is not a text/, 'list');
});

test('a document that servers could execute differently, or not at all, is refused', () => {
  const cases: [query: string, reason: RegExp][] = [
    ['', /no query/],
    ['{ a', /not valid GraphQL at line 1, column 4/],
    ['{ }', /not valid GraphQL/],
    ['{ a { } }', /not valid GraphQL/],
    ['{ a; b }', /not valid GraphQL/],
    ['query A { a } query A { b }', /one name/],
    ['{ a } { b }', /one name/],
    ['{ a } query B { b }', /without name is not the only one/],
    ['{ ...A } fragment A on Q { a } fragment A on Q { b }', /two fragments/],
    ['{ ...Nowhere }', /fragment that it does not have/],
    ['{ ...A } fragment A on Q { ...B } fragment B on Q { ...A }', /selects no field/],
    ['{ a } type T { f: Int }', /definitions of a schema/],
    ['{ a } extend schema { mutation: M }', /definitions of a schema/],
    ['fragment A on Q { a }', /does not have the operation/],
    ['schema { query: Q }', /definitions of a schema/],
  ];
  for (const [query, reason] of cases) assertMalformed(post({ query }), reason, query);
});

test('no reason quotes the document', () => {
  const content = post({ query: '{ a "s3cr3t" }' });
  assert.equal(content.kind, 'malformed');
  assert.doesNotMatch(JSON.stringify(content), /s3cr3t/);
});

test('a hostile document is refused within bounds', () => {
  const cases: [query: string, reason: RegExp][] = [
    ['{'.repeat(100_000), /nested more than 128 deep/],
    ['{a'.repeat(5000) + '}'.repeat(5000), /nested more than 128 deep/],
    [`{ a(b: ${'['.repeat(15_000)}`, /nested more than 128 deep/],
    [`query($a: ${'['.repeat(15_000)}`, /nested more than 128 deep/],
    [`${'}'.repeat(1000)}${'{a'.repeat(1100)}`, /not valid GraphQL|nested/],
    [`{ ${'a '.repeat(20_001)}}`, /more than 20000 tokens/],
    [`{ a(s: "${'x'.repeat(50_000)}`, /not valid GraphQL/],
  ];
  for (const [query, reason] of cases) assertMalformed(post({ query }), reason, query.slice(0, 20));
});

test('fragments that are chained as long as a document may be are followed', () => {
  const length = 2400;
  const chain = Array.from({ length }, (_, index) => `fragment F${index} on Q { ...F${index + 1} }`);
  const query = `{ ...F0 } ${chain.join(' ')} fragment F${length} on Q { end }`;
  assert.deepEqual(post({ query }), executed({ type: 'query', fields: ['end'] }));
});

test('every field that a document selects at its root is reported, wherever fragments put it', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const { selection } = fc.letrec((tie) => ({
    selection: fc.oneof(
      { depthSize: 'small' },
      name.map((field) => ({ text: field, fields: [field] })),
      fc
        .tuple(name, name)
        .map(([alias, field]) => ({ text: `${alias}: ${field} { nested }`, fields: [field] })),
      (tie('selections') as fc.Arbitrary<Selection>).map(({ text, fields }) => ({
        text: `... on T { ${text} }`,
        fields,
      })),
    ),
    selections: fc
      .array(tie('selection') as fc.Arbitrary<Selection>, { minLength: 1, maxLength: 4 })
      .map((parts) => ({
        text: parts.map(({ text }) => text).join(' '),
        fields: parts.flatMap(({ fields }) => fields),
      })),
  }));
  fc.assert(
    fc.property(fc.array(selection as fc.Arbitrary<Selection>, { minLength: 1, maxLength: 5 }), (parts) => {
      const query = `{ ...F ${parts[0]?.text} } fragment F on Q { ${parts.map(({ text }) => text).join(' ')} }`;
      const content = post({ query });
      assert.equal(content.kind, 'graphql', query);
      const fields = content.kind === 'graphql' ? content.operations[0]?.fields : [];
      assert.deepEqual(new Set(fields), new Set(parts.flatMap((part) => part.fields)), query);
    }),
    { numRuns: 100 },
  );
});

interface Selection {
  readonly text: string;
  readonly fields: readonly string[];
}

test('a batch is all its operations, and one that is not understood spoils it', () => {
  const batch = [
    { query: '{ a }' },
    { query: 'mutation M { b }' },
    { extensions: { persistedQuery: { sha256Hash: 'abc123' } } },
  ];
  assert.deepEqual(
    post(batch),
    executed(
      { type: 'query', fields: ['a'] },
      { type: 'mutation', name: 'M', fields: ['b'] },
      { type: 'query', name: 'Viewer', fields: ['viewer'], persisted: 'abc123' },
    ),
  );
  assertMalformed(post([{ query: '{ a }' }, { query: '{' }]), /not valid GraphQL/, 'one broken');
  assertMalformed(post([{ query: '{ a }' }, [{ query: '{ a }' }]]), /JSON object/, 'nested');
  assertMalformed(post([]), /empty batch/, 'empty');
  assertMalformed(post(Array.from({ length: 65 }, () => ({ query: '{ a }' }))), /more than 64/, 'long');
});

test('members that could be read differently are refused', () => {
  const cases: [body: unknown, reason: RegExp][] = [
    ['{"query":"{a}","query":"{b}"}', /twice/],
    ['{"query":"{a}","Query":"mutation{b}"}', /differs from "query" only in case/],
    ['{"query":"{a}","operationname":"B"}', /differs from "operationName"/],
    ['{"query":"{a}","extenſionſ":{}}', /differs from "extensions"/],
    [
      '{"query":"{a}","extensions":{"persistedquery":{"sha256Hash":"abc123"}}}',
      /differs from "persistedQuery"/,
    ],
    ['{"query":"{a}","extensions":{"persistedQuery":{"SHA256hash":"abc123"}}}', /differs from "sha256Hash"/],
    [{ query: ['{a}'] }, /"query" is not a text/],
    [{ query: { toString: '{a}' } }, /"query" is not a text/],
    [{ query: '{a}', variables: [] }, /"variables" is not an object/],
    [{ query: '{a}', variables: '{}' }, /"variables" is not an object/],
    [{ query: '{a}', extensions: [] }, /"extensions" is not an object/],
    [{ query: '{a}', extensions: { persistedQuery: 'abc123' } }, /"persistedQuery" is not an object/],
    [{ query: '{a}', extensions: { persistedQuery: { version: 1 } } }, /has no hash/],
    [{ query: '{a}', id: 7 }, /"id" is not a text/],
    ['"{a}"', /JSON object/],
    ['null', /JSON object/],
    ['{}', /no query/],
    ['', /not acceptable JSON/],
    [Buffer.from([0xff]), /UTF-8/],
  ];
  for (const [body, reason] of cases) assertMalformed(post(body), reason, JSON.stringify(body));
  assert.deepEqual(
    post({ query: '{a}', variables: null, extensions: null, operationName: null, id: null, other: 1 }),
    executed({ type: 'query', fields: ['a'] }),
  );
});

test('a persisted query is what the registry says', () => {
  const viewer = { type: 'query', name: 'Viewer', fields: ['viewer'], persisted: 'abc123' } as const;
  const byHash = { extensions: { persistedQuery: { version: 1, sha256Hash: 'abc123' } } };
  for (const body of [
    byHash,
    { ...byHash, query: '' },
    { ...byHash, query: null, operationName: 'Viewer' },
    { ...byHash, id: 'abc123' },
    { id: 'abc123' },
    { documentId: 'abc123' },
    { queryId: 'abc123' },
  ])
    assert.deepEqual(post(body), executed(viewer), JSON.stringify(body));
  assert.deepEqual(get([['extensions', JSON.stringify(byHash.extensions)]]), executed(viewer));
  assert.deepEqual(get([['documentId', 'abc123']]), executed(viewer));
  assert.deepEqual(
    post({ id: 'def456', operationName: 'Any' }),
    executed({ type: 'mutation', fields: ['a', 'b'], persisted: 'def456' }),
  );
});

test('a persisted query that is not registered, or not clear, is refused', () => {
  const notRegistered = /^persisted query is not registered$/;
  assertMalformed(post({ id: 'abc123' }, { options: UNREGISTERED }), notRegistered, 'denied');
  const cases: [body: unknown, reason: RegExp][] = [
    [{ id: 'other' }, notRegistered],
    [{ id: 'untyped' }, notRegistered],
    [{ id: '__proto__' }, notRegistered],
    [{ id: 'constructor' }, notRegistered],
    [{ id: 'ABC123' }, notRegistered],
    [{ id: 'abc123', documentId: 'def456' }, /different persisted queries/],
    [{ id: 'abc123', operationName: 'Other' }, /not the operation of the registered query/],
  ];
  for (const [body, reason] of cases) assertMalformed(post(body), reason, JSON.stringify(body));
});

test('a query that comes with an identifier is judged itself, and must be the one of this hash', () => {
  const query = 'mutation { x }';
  const operation = executed({ type: 'mutation', fields: ['x'] });
  assert.deepEqual(post({ query, extensions: { persistedQuery: { sha256Hash: sha256(query) } } }), operation);
  assert.deepEqual(post({ query, documentId: `sha256:${sha256(query)}` }), operation);
  for (const body of [
    { query: '{ a }', extensions: { persistedQuery: { sha256Hash: sha256(query) } } },
    { query: '{ a }', id: 'abc123' },
    { query: '{ a }', queryHash: 'abc123' },
  ])
    assertMalformed(post(body), /not the SHA-256 hash/, JSON.stringify(body));
});

test('a URL and a body that do not say the same are refused', () => {
  const body = { query: 'query A { a } query B { b }', operationName: 'A' };
  const cases: [name: string, value: string, ok: boolean][] = [
    ['operationName', 'A', true],
    ['query', body.query, true],
    ['op', 'A', true],
    ['operationName', 'B', false],
    ['operationName', '', false],
    ['OperationName', 'A', false],
    ['query', 'mutation { x }', false],
    ['query', '', false],
    [' query', body.query, false],
    ['query[]', 'mutation { x }', false],
    ['query[0]', 'mutation { x }', false],
    ['variables', '{}', false],
    ['extensions', '{}', false],
    ['id', 'abc123', false],
  ];
  for (const [name, value, ok] of cases)
    assert.equal(
      post(body, { query: [[name, value]] }).kind,
      ok ? 'graphql' : 'malformed',
      `${name}=${value}`,
    );
  const twice: QueryParameter[] = [
    ['operationName', 'A'],
    ['operationName', 'A'],
  ];
  assertMalformed(post(body, { query: twice }), /twice/, 'twice');
  assertMalformed(
    post([body], { query: [['operationName', 'B']] }),
    /not what the body says/,
    'batch of one',
  );
  assertMalformed(post([body, body], { query: [['operationName', 'A']] }), /not what the body says/, 'batch');
});

test('a GET is read from its URL alone', () => {
  const cases: [query: readonly QueryParameter[], reason: RegExp][] = [
    [[], /no query/],
    [
      [
        ['query', '{a}'],
        ['query', '{b}'],
      ],
      /twice/,
    ],
    [
      [
        ['query', '{a}'],
        ['QUERY', '{b}'],
      ],
      /taken for "query"/,
    ],
    [
      [
        ['query', '{a}'],
        ['query[x]', '{b}'],
      ],
      /taken for "query"/,
    ],
    [
      [
        ['query', '{a}'],
        ['variables', '{"a":1,"a":2}'],
      ],
      /"variables" in the URL is not acceptable JSON/,
    ],
    [
      [
        ['query', '{a}'],
        ['variables', '[]'],
      ],
      /"variables" is not an object/,
    ],
    [
      [
        ['query', '{a}'],
        ['extensions', '{'],
      ],
      /"extensions" in the URL/,
    ],
  ];
  for (const [query, reason] of cases) assertMalformed(get(query), reason, JSON.stringify(query));
  assertMalformed(get([['query', '{a}']], 'GET', '{"query":"mutation{b}"}'), /with a body/, 'body');
  assertMalformed(get([['query', '{a}']], 'PUT'), /GET or POST/, 'PUT');
  assertMalformed(get([['query', '{a}']], 'get'), /GET or POST/, 'methods are case-sensitive');
  assert.deepEqual(
    get(
      [
        ['query', '{a}'],
        ['variables', ''],
        ['key', 'x'],
      ],
      'HEAD',
    ),
    executed({ type: 'query', fields: ['a'] }),
  );
});

test('only JSON and plain GraphQL bodies are read', () => {
  for (const type of [
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/json; charset=utf-16',
    'application/jsonp',
  ])
    assert.equal(post({ query: '{ a }' }, { type }).kind, 'malformed', type);
  assert.equal(post({ query: '{ a }' }, { type: 'application/graphql-request+json' }).kind, 'graphql');
  assertMalformed(post(Buffer.from([0x7b, 0xff, 0x7d]), { type: 'application/graphql' }), /UTF-8/, 'bytes');
});

test('messages of both protocols over WebSocket are operations, control, or refused', () => {
  const a = { kind: 'message', graphql: { type: 'query', fields: ['a'] } };
  const control = { kind: 'message', graphql: 'control' };
  const payload = { query: '{ a }' };
  const cases: [message: unknown, content: unknown][] = [
    [{ type: 'subscribe', id: '1', payload }, a],
    [{ type: 'start', id: '1', payload }, a],
    [
      { type: 'subscribe', id: '1', payload: { query: 'subscription S { m }', operationName: 'S' } },
      { kind: 'message', graphql: { type: 'subscription', name: 'S', fields: ['m'] } },
    ],
    [{ type: 'connection_init', payload: { anything: true } }, control],
    [{ type: 'connection_terminate' }, control],
    [{ type: 'ping' }, control],
    [{ type: 'pong' }, control],
    [{ type: 'complete', id: '1' }, control],
    [{ type: 'stop', id: '1' }, control],
  ];
  for (const [message, content] of cases)
    assert.deepEqual(
      reader.readMessage(JSON.stringify(message), REGISTERED),
      content,
      JSON.stringify(message),
    );
  const refused: [text: string, reason: RegExp][] = [
    ['', /not acceptable JSON/],
    ['[]', /JSON object/],
    ['{}', /no type/],
    ['{"type":"next","id":"1","payload":{}}', /unknown type/],
    ['{"type":"toString","id":"1"}', /unknown type/],
    ['{"type":"ping","Type":"subscribe","id":"1","payload":{"query":"{a}"}}', /differs from "type"/],
    ['{"type":"ping","type":"subscribe"}', /twice/],
    ['{"type":"subscribe","payload":{"query":"{a}"}}', /no id/],
    ['{"type":"subscribe","id":1,"payload":{"query":"{a}"}}', /no id/],
    ['{"type":"subscribe","id":"1"}', /JSON object/],
    ['{"type":"subscribe","id":"1","payload":[{"query":"{a}"}]}', /JSON object/],
    ['{"type":"subscribe","id":"1","payload":{"query":"{"}}', /not valid GraphQL/],
    ['{"type":"complete"}', /no id/],
  ];
  for (const [text, reason] of refused) assertMalformed(reader.readMessage(text, REGISTERED), reason, text);
});
