import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../value/index.ts';
import { call, callText } from './calling.ts';
import { bytesOfText, textOfBytes } from './encoding/bytes.ts';

describe('encodings', () => {
  const cases: readonly (readonly [string, readonly Json[], Json])[] = [
    ['base64.encode', ['hello'], 'aGVsbG8='],
    ['base64.decode', ['aGVs\nbG8='], 'hello'],
    ['base64.is_valid', ['aGVsbG8'], false],
    ['base64.is_valid', [1], false],
    ['base64url.encode', ['??>'], 'Pz8-'],
    ['base64url.encode_no_pad', ['a'], 'YQ'],
    ['base64url.decode', ['YQ'], 'a'],
    ['hex.encode', ['lorem'], '6c6f72656d'],
    ['hex.decode', ['6C6f'], 'lo'],
    ['urlquery.encode', ['a=b+1 ü'], 'a%3Db%2B1+%C3%BC'],
    ['urlquery.decode', ['a%3Db%2B1+x'], 'a=b+1 x'],
    ['urlquery.encode_object', [{ b: ['x', 'y'], a: 'c=d' }], 'a=c%3Dd&b=x&b=y'],
    ['urlquery.decode_object', ['a=1&b=2&a=3&c'], { a: ['1', '3'], b: ['2'], c: [''] }],
    ['json.marshal', [{ b: '<&>', a: [1, null] }], '{"a":[1,null],"b":"\\u003c\\u0026\\u003e"}'],
    ['json.marshal_with_options', [{ a: [1], b: [] }, { indent: ' ' }], '{\n "a": [\n  1\n ],\n "b": []\n}'],
    ['json.marshal_with_options', [[1], { prefix: '>' }], '>[\n>\t1\n>]'],
    ['json.marshal_with_options', [[1], { pretty: false, indent: 'x' }], '[1]'],
    ['json.is_valid', ['{'], false],
    [
      'yaml.marshal',
      [{ foo: [1, 'true', 'a: b'], bar: { x: null } }],
      'bar:\n  x: null\nfoo:\n- 1\n- "true"\n- \'a: b\'\n',
    ],
    [
      'yaml.unmarshal',
      ['a: yes\nb: 2001-01-01\n1: 0x1f\nc: [1.5, ~]'],
      { a: true, b: '2001-01-01', '1': 31, c: [1.5, null] },
    ],
    ['yaml.unmarshal', ['base: &b {x: 1}\nc:\n  <<: *b\n  z: 2'], { base: { x: 1 }, c: { x: 1, z: 2 } }],
    ['yaml.is_valid', ['a: {'], false],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name}${JSON.stringify(args)}`, () => {
      assert.deepEqual(call(name, ...args), expected);
    });
  }

  const failures: readonly (readonly [string, readonly Json[], RegExp])[] = [
    ['base64.decode', ['aGVs^bG8='], /^illegal base64 data at input byte 4$/],
    ['base64.decode', ['aGVsbG8'], /^illegal base64 data at input byte 4$/],
    ['base64.decode', ['YQ=='.concat('x')], /^illegal base64 data at input byte 4$/],
    ['base64url.decode', ['a'], /^illegal base64url string: a$/],
    ['hex.decode', ['fghi'], /^encoding\/hex: invalid byte: U\+0067 'g'$/],
    ['hex.decode', ['abc'], /^encoding\/hex: odd length hex string$/],
    ['urlquery.decode', ['%zz'], /^invalid URL escape "%zz"$/],
    ['json.unmarshal', ['{'], /^invalid JSON/],
    ['json.marshal_with_options', [1, { nope: 1 }], /unknown key nope$/],
    ['yaml.unmarshal', ['[1,2,3'], /^yaml: line 1: did not find expected/],
  ];
  for (const [name, args, message] of failures) {
    test(`${name}${JSON.stringify(args)} fails with ${message.source}`, () => {
      assert.throws(() => call(name, ...args), { message });
    });
  }

  test('numbers go through JSON with every digit', () => {
    const text = '[12345678901234567890,1.10]';
    assert.equal(callText('json.marshal', text), text);
  });

  test('a layout that would fill the memory is refused', () => {
    const indent = ' '.repeat(10_000);
    assert.throws(() => call('json.marshal_with_options', new Array<number>(1_000).fill(1), { indent }), {
      message: /longer than the limit/,
    });
  });

  test('YAML that grows when it is read is refused', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `a${level}: &a${level} [${`*a${level - 1},`.repeat(level === 0 ? 0 : 9)}1]`,
    );
    assert.throws(() => call('yaml.unmarshal', levels.join('\n')), { name: 'BuiltinError' });
  });

  test('bytes that are no text survive being decoded and encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.deepEqual(new Uint8Array(bytesOfText(textOfBytes(bytes))), bytes);
        const encoded = Buffer.from(bytes).toString('base64');
        assert.equal(call('base64.encode', call('base64.decode', encoded) as string), encoded);
      }),
    );
    assert.equal(
      call('count', call('base64.decode', '2E84ZuPUd7zfvCZSNEchVpDEIj6PL7JfLpIqyxVG16k=') as string),
      30,
    );
  });
});
