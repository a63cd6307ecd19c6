import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyMask, freshMask } from './mask.ts';

/** RFC 6455 section 5.3, word for word. */
const naive = (bytes: Buffer, key: number, offset: number): Buffer => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(key);
  return Buffer.from(bytes.map((byte, at) => byte ^ octets[(at + offset) % 4]!));
};

test('masking is the one of the RFC at any length, place in memory and offset', () => {
  const key = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      key,
      fc.nat(1000),
      fc.nat(7),
      (payload, mask, offset, at) => {
        const memory = Buffer.alloc(at + payload.length + 8, 0xee);
        const bytes = memory.subarray(at, at + payload.length);
        bytes.set(payload);
        const expected = naive(bytes, mask, offset);
        applyMask(bytes, mask, offset);
        assert.deepEqual(bytes, expected);
        assert.ok(memory.subarray(at + payload.length).every((byte) => byte === 0xee));
        assert.ok(memory.subarray(0, at).every((byte) => byte === 0xee));
      },
    ),
  );
});

test('masking in parts is masking the whole', () => {
  const whole = Buffer.from('x'.repeat(301));
  const parts = Buffer.from(whole);
  applyMask(whole, 0x89abcdef);
  applyMask(parts.subarray(0, 77), 0x89abcdef);
  applyMask(parts.subarray(77, 200), 0x89abcdef, 77);
  applyMask(parts.subarray(200), 0x89abcdef, 200);
  assert.deepEqual(parts, whole);
});

test('keys do not repeat', () => {
  const keys = new Set(Array.from({ length: 3000 }, freshMask));
  assert.ok(keys.size > 2990);
});
