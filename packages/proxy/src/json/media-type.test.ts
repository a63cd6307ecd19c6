import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonType, readableMediaType } from './media-type.ts';

const fields = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => ({ name, lowerName: name.toLowerCase(), value }));

test('the type of a body is read without its parameters', () => {
  const cases: [value: string, type: string][] = [
    ['application/json', 'application/json'],
    ['Application/JSON; Charset=UTF-8', 'application/json'],
    ['application/json;charset="utf-8"', 'application/json'],
    ['application/json;', 'application/json'],
    ['application/json; profile="a;charset=utf-16"', 'application/json'],
    ['text/event-stream', 'text/event-stream'],
  ];
  for (const [value, type] of cases)
    assert.deepEqual(readableMediaType(fields([['Content-Type', value]])), {
      kind: 'understood',
      value: type,
    });
  assert.deepEqual(readableMediaType([]), { kind: 'understood', value: undefined });
});

test('a body that would have to be decoded, or whose type is not clear, is refused', () => {
  const cases: (readonly (readonly [string, string])[])[] = [
    [['Content-Type', 'application/json; charset=utf-16']],
    [['Content-Type', 'application/json; charset=utf-8; charset=utf-7']],
    [['Content-Type', 'application/json; charset="utf-1\\6"']],
    [['Content-Type', 'application/json, text/plain']],
    [['Content-Type', 'json']],
    [['Content-Type', '']],
    [
      ['Content-Type', 'application/json'],
      ['content-type', 'application/json'],
    ],
    [
      ['Content-Type', 'application/json'],
      ['Content-Encoding', 'gzip'],
    ],
    [['Content-Encoding', 'identity']],
  ];
  for (const pairs of cases)
    assert.equal(readableMediaType(fields(pairs)).kind, 'malformed', JSON.stringify(pairs));
});

test('JSON has one type and many that end in +json', () => {
  for (const [type, json] of [
    ['application/json', true],
    ['application/graphql-request+json', true],
    ['application/+json', false],
    ['text/json', false],
    ['application/jsonp', false],
  ] as const)
    assert.equal(isJsonType(type), json, type);
});

test('a long hostile type is refused at once', () => {
  const cases = ['; \t'.repeat(5000), ';a="\\a'.repeat(3000), ';a=b'.repeat(4000)];
  for (const rest of cases)
    assert.equal(readableMediaType(fields([['Content-Type', `application/json${rest}"`]])).kind, 'malformed');
});
