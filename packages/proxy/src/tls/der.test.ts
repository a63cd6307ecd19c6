import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { element, integer, oid, sequence, TAG, time } from './der.ts';
import { DerReader } from './der-reader.ts';

describe('DER', () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['a length below 128', sequence(Buffer.alloc(127)).subarray(0, 2), '307f'],
    ['a length of one byte', sequence(Buffer.alloc(128)).subarray(0, 3), '308180'],
    ['a length of two bytes', sequence(Buffer.alloc(256)).subarray(0, 4), '30820100'],
    ['a length of three bytes', sequence(Buffer.alloc(65_536)).subarray(0, 5), '3083010000'],
    ['a number whose first bit is set', integer(Buffer.of(0x80)), '02020080'],
    ['an identifier with large parts', oid('1.2.840.10045'), '06052a8648ce3d'],
    [
      'the last UTCTime',
      time(new Date('2049-12-31T23:59:59.999Z')),
      `170d${Buffer.from('491231235959Z').toString('hex')}`,
    ],
    [
      'the first GeneralizedTime',
      time(new Date('2050-01-01T00:00:00Z')),
      `180f${Buffer.from('20500101000000Z').toString('hex')}`,
    ],
  ];
  for (const [name, bytes, hex] of cases) test(name, () => assert.equal(bytes.toString('hex'), hex));

  test('what is written is read again, and anything cut short is a RangeError', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
        fc.nat(),
        (contents, cut) => {
          const bytes = Buffer.concat(contents.map((content) => element(TAG.octetString, content)));
          const reader = new DerReader(bytes);
          for (const content of contents) assert.ok(reader.expect(TAG.octetString).equals(content));
          assert.ok(reader.done);
          const short = new DerReader(element(TAG.sequence, bytes).subarray(0, cut % (bytes.length + 2)));
          assert.throws(() => short.next(), RangeError);
        },
      ),
      { numRuns: 100 },
    );
  });

  const hostile: readonly (readonly [string, string])[] = [
    ['an indefinite length', '3080'],
    ['a length of four bytes', '308401000000'],
    ['a length beyond the end', '30820100aa'],
  ];
  for (const [what, hex] of hostile) {
    test(`refuses ${what}`, () =>
      assert.throws(() => new DerReader(Buffer.from(hex, 'hex')).next(), RangeError));
  }
});
