import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSchema, getOperationAST, type OperationDefinitionNode } from 'graphql';
import { createHandler } from 'graphql-http';
import { limitsWith } from '../limits.ts';
import { loadGraphqlReader } from './graphql-reader.ts';

const FIELDS = ['a', 'b', 'c'] as const;
const schema = buildSchema(`
  type Query { a: String b: String c: String }
  type Mutation { a: String b: String c: String }
`);

interface Executed {
  readonly type: string;
  readonly name: string | undefined;
  readonly fields: readonly string[];
}

interface Wire {
  readonly method: string;
  readonly url?: string;
  readonly body?: string;
  readonly type?: string;
}

/** What graphql-http really executes: the operation it selects, and the resolvers that are called. */
async function execute({
  method,
  url = '/graphql',
  body,
  type = 'application/json',
}: Wire): Promise<Executed | undefined> {
  const called: string[] = [];
  let operation: OperationDefinitionNode | null | undefined;
  const handler = createHandler({
    schema,
    rootValue: Object.fromEntries(FIELDS.map((field) => [field, () => void called.push(field)])),
    onOperation: (_request, args) => {
      operation = getOperationAST(args.document, args.operationName);
    },
  });
  await handler({
    method,
    url,
    headers: { 'content-type': type, accept: 'application/json' },
    body: body ?? null,
    raw: undefined,
    context: undefined,
  });
  return operation ? { type: operation.operation, name: operation.name?.value, fields: called } : undefined;
}

const json = (value: unknown): string => JSON.stringify(value);
const url = (parameters: Record<string, string>): string => `/graphql?${new URLSearchParams(parameters)}`;

const REQUESTS: readonly Wire[] = [
  { method: 'POST', body: json({ query: '{ a }' }) },
  { method: 'POST', body: json({ query: 'query Q { x: a b }' }) },
  { method: 'POST', body: json({ query: 'mutation M { c }' }) },
  { method: 'POST', body: json({ query: 'query A { a } query B { b }', operationName: 'B' }) },
  { method: 'POST', body: json({ query: 'query A { a } mutation B { b }', operationName: 'A' }) },
  { method: 'POST', body: json({ query: 'query A { a } query B { b }' }) },
  { method: 'POST', body: json({ query: 'query A { a }', operationName: 'B' }) },
  { method: 'POST', body: json({ query: '{ ...F ... on Query { b } } fragment F on Query { c }' }) },
  { method: 'POST', body: json({ query: '{ a @skip(if: true) b }' }) },
  { method: 'POST', body: json({ query: '{ __typename }' }) },
  { method: 'POST', body: json({ query: '{ a }', variables: { x: 1 }, extensions: {} }) },
  { method: 'POST', body: json({ query: '{ a }', variables: null, operationName: null }) },
  { method: 'POST', body: '{"query":"{ a }","query":"mutation { b }"}' },
  { method: 'POST', body: '{"query":"{ a }","__proto__":{"query":"mutation { b }"}}' },
  { method: 'POST', body: '{"__proto__":{"query":"mutation { b }"}}' },
  { method: 'POST', body: json({ query: '{ a' }) },
  { method: 'POST', body: json({ query: '{}' }) },
  { method: 'POST', body: json({ query: 'fragment F on Query { a }' }) },
  { method: 'POST', body: json([{ query: '{ a }' }]) },
  { method: 'POST', body: '{ a }', type: 'application/graphql' },
  { method: 'POST', url: url({ query: 'mutation { b }' }), body: json({ query: '{ a }' }) },
  {
    method: 'POST',
    url: url({ operationName: 'B' }),
    body: json({ query: 'query A { a } query B { b }', operationName: 'A' }),
  },
  { method: 'GET', url: url({ query: '{ a }' }) },
  { method: 'GET', url: url({ query: 'query A { a } query B { b }', operationName: 'B' }) },
  { method: 'GET', url: '/graphql?query=%7Ba%7D&query=%7Bb%7D' },
  { method: 'GET', url: url({ query: '{ a }', variables: '{' }) },
  { method: 'GET', url: '/graphql' },
  { method: 'PUT', body: json({ query: '{ a }' }) },
];

const reader = await loadGraphqlReader(limitsWith());

const read = (wire: Wire) =>
  reader.readRequest({
    method: wire.method,
    query: [...new URL(wire.url ?? '/graphql', 'http://origin.test').searchParams],
    fields: wire.body
      ? [{ name: 'Content-Type', lowerName: 'content-type', value: wire.type ?? 'application/json' }]
      : [],
    body: Buffer.from(wire.body ?? ''),
    options: { persistedQueries: 'deny', registered: {}, maxBodyBytes: 65_536 },
  });

test('whatever graphql-http executes is what was reported, or the request was refused', async () => {
  let compared = 0;
  for (const wire of REQUESTS) {
    const content = read(wire);
    const executed = await execute(wire);
    if (content.kind === 'malformed' || executed === undefined) continue;
    assert.ok(content.kind === 'graphql' && content.operations.length === 1, json(wire));
    const [operation] = content.operations;
    assert.equal(operation?.type, executed.type, json(wire));
    assert.equal(operation?.name, executed.name, json(wire));
    // A field that is skipped is reported all the same.
    for (const field of executed.fields)
      assert.ok(operation?.fields.includes(field), `${field} of ${json(wire)}`);
    compared += 1;
  }
  assert.equal(compared, 13);
});

test('what graphql-http executes and the reader refuses is what other servers read differently', async () => {
  const refused: string[] = [];
  for (const wire of REQUESTS) {
    const content = read(wire);
    if (content.kind === 'malformed' && (await execute(wire))) refused.push(content.reason);
  }
  assert.deepEqual(refused, [
    'the body is not acceptable JSON: a name appears twice in one object (byte 17)',
    // `{}` selects nothing; this version of the language lets it pass.
    'the query is not valid GraphQL at line 1, column 2',
    '"query" of the URL is not what the body says',
    '"operationName" of the URL is not what the body says',
    '"query" appears twice in the URL',
  ]);
});
