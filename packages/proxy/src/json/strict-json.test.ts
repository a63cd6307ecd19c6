import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limitsWith } from '../limits.ts';
import { isJsonArray, isJsonObject, type JsonValue, scalarText, writeJson } from './json-value.ts';
import { parseStrictJson } from './strict-json.ts';

const LIMITS = limitsWith();

const parsed = (text: string): JsonValue => {
  const result = parseStrictJson(Buffer.from(text), LIMITS);
  assert.equal(result.kind, 'value', text);
  return result.kind === 'value' ? result.value : null;
};

/** What `JSON.parse` would have made. */
function plain(value: JsonValue): unknown {
  if (isJsonArray(value)) return value.map(plain);
  if (isJsonObject(value)) {
    const object = {};
    for (const [name, member] of value)
      Object.defineProperty(object, name, {
        value: plain(member),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return object;
  }
  return typeof value === 'bigint' ? Number(value) : value;
}

test('what JSON.parse makes of a valid text, strict parsing makes too', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(plain(parsed(text)), JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

test('what JSON.parse refuses, strict parsing refuses too', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789-+.eEtrufalsn\\ \n') }), (text) => {
      const result = parseStrictJson(text, LIMITS);
      if (result.kind === 'value') assert.deepEqual(plain(result.value), JSON.parse(text));
    }),
    { numRuns: 2000 },
  );
});

test('a value that is written is read as the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const once = parsed(JSON.stringify(value));
      assert.deepEqual(parsed(writeJson(once)), once);
    }),
    { numRuns: 200 },
  );
});

test('a text that two readers could understand differently is refused, with the byte at which it goes wrong', () => {
  const cases: [text: string | Buffer, reason: RegExp, offset?: number][] = [
    ['', /value is expected/, 0],
    ['\ufeff{}', /value is expected/, 0],
    [Buffer.from([0x22, 0xc3, 0x28, 0x22]), /UTF-8/, 0],
    [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /UTF-8/, 0],
    ['{"a":1,"a":2}', /twice/, 7],
    ['{"é":1,"\\u00e9":2}', /twice/, 8],
    ['{"__proto__":1,"__proto__":2}', /twice/],
    ['{"method\\u0000":1}', /NUL/, 1],
    ['"\\ud800"', /surrogate/, 0],
    ['"\\udc00\\ud800"', /surrogate/],
    ['"\n"', /control character/, 1],
    ['"\\x41"', /escape/, 1],
    ['"\\u00e"', /escape/],
    ['"\\u+041"', /escape/],
    ['"ab', /does not end/, 3],
    ['"ab\\', /escape/],
    ["{'a':1}", /name is expected/, 1],
    ['{"a":1,}', /name is expected/, 7],
    ['[1,]', /value is expected/, 3],
    ['[1 2]', /"," or "\]"/, 3],
    ['{"a" 1}', /":"/, 5],
    ['{} {}', /follows/, 3],
    ['[1]//', /follows/, 3],
    ['/**/1', /value is expected/, 0],
    ['01', /follows/, 1],
    ['+1', /value is expected/, 0],
    ['.5', /value is expected/, 0],
    ['1.', /follows/, 1],
    ['-', /value is expected/, 0],
    ['NaN', /value is expected/, 0],
    ['Infinity', /value is expected/, 0],
    ['truest', /follows/, 4],
    ['1e400', /too large/, 0],
    ['\u00a01', /value is expected/, 0],
    ['\v1', /value is expected/, 0],
  ];
  for (const [text, reason, offset] of cases) {
    const result = parseStrictJson(typeof text === 'string' ? Buffer.from(text) : text, LIMITS);
    assert.equal(result.kind, 'fault', String(text));
    if (result.kind !== 'fault') continue;
    assert.match(result.reason, reason, String(text));
    if (offset !== undefined) assert.equal(result.offset, offset, String(text));
  }
});

test('the bounds are of depth, of values and of the length of a number', () => {
  const limits = { jsonDepth: 3, jsonValues: 5, jsonNumberLength: 4 };
  const cases: [text: string, ok: boolean][] = [
    ['[[[1]]]', true],
    ['[[[[]]]]', false],
    ['[[],[],[]]', true],
    ['[1,2,3,4]', true],
    ['[1,2,3,4,5]', false],
    ['1234', true],
    ['12345', false],
  ];
  for (const [text, ok] of cases) assert.equal(parseStrictJson(text, limits).kind === 'value', ok, text);
});

test('deep nesting is refused without using up the stack', () => {
  for (const open of ['[', '{"a":']) {
    const result = parseStrictJson(Buffer.from(open.repeat(100_000)), LIMITS);
    assert.match(result.kind === 'fault' ? result.reason : '', /nested more than 128 deep/);
  }
});

test('no name reaches a prototype', () => {
  const value = parsed('{"__proto__":{"polluted":true},"constructor":1}');
  assert.ok(isJsonObject(value) && isJsonObject(value.get('__proto__')));
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.equal(writeJson(value), '{"__proto__":{"polluted":true},"constructor":1}');
});

test('integers are exact, and equal numbers have equal texts', () => {
  const cases: [text: string, expected: string][] = [
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['1000.0', '1000'],
    ['1e3', '1000'],
    ['-0', '0'],
    ['0.5', '0.5'],
    ['5e-1', '0.5'],
    ['1e21', '1000000000000000000000'],
    ['1000000000000000000000', '1000000000000000000000'],
  ];
  for (const [text, expected] of cases)
    assert.equal(scalarText(parsed(text) as number | bigint), expected, text);
  assert.equal(writeJson(parsed('[9007199254740993,1.5]')), '[9007199254740993,1.5]');
});
