import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  compare,
  compareStrings,
  equal,
  format,
  fromJson,
  type Json,
  jsonText,
  keyOf,
  numberFromText,
  numberText,
  parseJson,
  RegoObject,
  RegoSet,
  toBigInt,
  toJson,
  type Value,
} from './index.ts';

const jsonArbitrary = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

describe('numbers', () => {
  for (const [text, plain] of [
    ['1', true],
    ['1.5', true],
    ['-0.25', true],
    ['9007199254740991', true],
    ['9007199254740993', false],
    ['1.0', false],
    ['1e3', false],
    ['0.1000000000000000055511151231257827', false],
  ] as const) {
    test(`${text} is ${plain ? 'a double' : 'kept as its text'} and prints as it was written`, () => {
      const value = numberFromText(text);
      assert.equal(typeof value === 'number', plain);
      assert.equal(numberText(value), text);
    });
  }

  for (const [a, b, sign] of [
    ['1', '1.0', 0],
    ['1e2', '100', 0],
    ['0.10', '0.1', 0],
    ['-0', '0', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['1e400', '1e399', 1],
    ['-1e400', '5', -1],
    ['1e-400', '0', 1],
    ['2', '10', -1],
  ] as const) {
    test(`${a} compared with ${b} is ${sign}`, () => {
      const left = numberFromText(a);
      const right = numberFromText(b);
      assert.equal(Math.sign(compare(left, right)), sign);
      assert.equal(Math.sign(compare(right, left)), -sign + 0);
      assert.equal(keyOf(left) === keyOf(right), sign === 0);
    });
  }

  test('an integer written with an endless exponent is not expanded', () => {
    assert.equal(toBigInt(numberFromText('1e999999999')), undefined);
    assert.equal(toBigInt(numberFromText('12e2')), 1200n);
  });
});

describe('order', () => {
  const ascending: readonly Value[] = [
    null,
    false,
    true,
    -1,
    0,
    1.5,
    2,
    '',
    'a',
    'b',
    [],
    [1],
    [1, 2],
    [2],
    new RegoObject(),
    new RegoObject([['a', 1]]),
    new RegoObject([['a', 2]]),
    new RegoObject([['b', 0]]),
    new RegoSet(),
    new RegoSet([1]),
    new RegoSet([1, 2]),
    new RegoSet([2]),
  ];

  test('values of all types stand in the order of OPA', () => {
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        assert.equal(Math.sign(compare(a, b)), Math.sign(i - j), `${format(a)} and ${format(b)}`);
        assert.equal(equal(a, b), i === j);
        assert.equal(keyOf(a) === keyOf(b), i === j);
      }
    }
  });

  test('strings are ordered by code points, not by UTF-16 units', () => {
    assert.ok('\u{1f600}' < '\uffff');
    assert.ok(compareStrings('\u{1f600}', '\uffff') > 0);
  });

  test('a string cannot pass for the key of something else', () => {
    for (const value of [
      [1],
      new RegoSet([1]),
      new RegoObject([[1, 2]]),
      numberFromText('1e400'),
    ] as Value[]) {
      const key = keyOf(value);
      assert.notEqual(keyOf(String(key)), key);
    }
  });
});

describe('JSON', () => {
  test('a value made of JSON is that JSON again', () => {
    fc.assert(
      fc.property(jsonArbitrary, (json) => {
        const expected = JSON.parse(JSON.stringify(json)) as Json;
        assert.deepEqual(
          JSON.parse(JSON.stringify(toJson(fromJson(expected)))),
          JSON.parse(JSON.stringify(expected)),
        );
        assert.ok(equal(fromJson(expected), parseJson(JSON.stringify(expected))));
      }),
    );
  });

  test('equal values have equal keys and texts, and compare as zero', () => {
    fc.assert(
      fc.property(jsonArbitrary, jsonArbitrary, (left, right) => {
        const a = fromJson(left);
        const b = fromJson(right);
        const same = compare(a, b) === 0;
        assert.equal(same, keyOf(a) === keyOf(b));
        assert.equal(same, equal(a, b));
        assert.equal(Math.sign(compare(a, b)), -Math.sign(compare(b, a)) + 0);
      }),
    );
  });

  test('all digits of numbers are kept in text', () => {
    const text = '{"a":9007199254740993,"b":1.10}';
    assert.equal(jsonText(parseJson(text)), text);
  });

  test('sets become sorted arrays, and keys that are no strings their text', () => {
    const value = new RegoObject([
      [[1, 'a'], new RegoSet([3, 1, 2])],
      [2, null],
    ]);
    assert.deepEqual(toJson(value), { '[1,"a"]': [1, 2, 3], '2': null });
  });

  test('a member called __proto__ is a member like any other', () => {
    const json = JSON.parse('{"__proto__": {"polluted": true}}') as Json;
    const value = fromJson(json) as RegoObject;
    assert.equal(value.get('polluted'), undefined);
    assert.equal(value.get('toString'), undefined);
    assert.equal(JSON.stringify(toJson(value)), '{"__proto__":{"polluted":true}}');
  });

  test('what shares its parts endlessly is refused and not written out', () => {
    let value: Value = [1];
    for (let level = 0; level < 60; level += 1) value = [value, value];
    for (const walk of [toJson, jsonText, format, keyOf]) assert.throws(() => walk(value), RangeError);
  });
});

test('terms print as OPA prints them', () => {
  for (const [value, text] of [
    [new RegoSet(), 'set()'],
    [new RegoSet(['b', 'a']), '{"a", "b"}'],
    [new RegoObject([['k', [1, null]]]), '{"k": [1, null]}'],
    ['a"\n\u0001\u00e9', '"a\\"\\n\\x01\u00e9"'],
  ] as const) {
    assert.equal(format(value), text);
  }
});
