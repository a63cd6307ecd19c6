import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemberCapture } from './member-capture.ts';

function captured(text: string, size = text.length): string | undefined {
  const capture = new MemberCapture('usage');
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) capture.push(bytes.subarray(at, at + size));
  return capture.value;
}

test('it finds what a parser finds, in pieces of any size', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('a', 'usage', 'b"', ''), fc.jsonValue()),
      fc.integer({ min: 1, max: 9 }),
      (value, size) => {
        const found = captured(JSON.stringify(value, undefined, 1), size);
        assert.deepEqual(
          found === undefined ? undefined : JSON.parse(found),
          Object.hasOwn(value, 'usage') ? JSON.parse(JSON.stringify(value.usage)) : undefined,
        );
      },
    ),
  );
});

test('a name further down, or in a text, is none', () => {
  for (const text of [
    '{"a":{"usage":1}}',
    '[{"usage":1}]',
    '{"a":"\\"usage\\":1,"}',
    '"usage":1',
    '{"a":"usage","b":1}',
  ])
    assert.equal(captured(text), undefined, text);
});

test('neither a long value nor what is not JSON is kept', () => {
  assert.equal(captured(`{"usage":"${'x'.repeat(10_000)}","a":1}`), undefined);
  for (const text of ['}}}}{"usage":', '{"usage":1', ''.padEnd(10_000, '{'), '{"usage":}'])
    assert.doesNotThrow(() => captured(text));
});
