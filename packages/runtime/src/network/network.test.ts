import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sandboxNetwork } from './index.ts';

interface Attribute {
  readonly type: number;
  readonly nested: boolean;
  readonly value: Buffer;
}

interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

const padded = (length: number): number => (length + 3) & ~3;

/** Messages as the kernel reads them (netlink(7)); fails where a length does not fit. */
const messages = (bytes: Uint8Array): Message[] => {
  const buffer = Buffer.from(bytes);
  const found: Message[] = [];
  for (let at = 0; at < buffer.length; ) {
    const size = buffer.readUInt32LE(at);
    assert.ok(size >= 16 && at + size <= buffer.length, `a message of ${size} bytes at ${at}`);
    found.push({
      type: buffer.readUInt16LE(at + 4),
      flags: buffer.readUInt16LE(at + 6),
      sequence: buffer.readUInt32LE(at + 8),
      body: buffer.subarray(at + 16, at + size),
    });
    at += padded(size);
  }
  return found;
};

const attributes = (buffer: Buffer): Attribute[] => {
  const found: Attribute[] = [];
  for (let at = 0; at < buffer.length; ) {
    const size = buffer.readUInt16LE(at);
    assert.ok(size >= 4 && at + size <= buffer.length, `an attribute of ${size} bytes at ${at}`);
    const type = buffer.readUInt16LE(at + 2);
    found.push({
      type: type & 0x3fff,
      nested: (type & 0x8000) !== 0,
      value: buffer.subarray(at + 4, at + size),
    });
    at += padded(size);
  }
  return found;
};

const PORT = 15001;
const named = (name: string) => {
  const item = sandboxNetwork(PORT).find((candidate) => candidate.name === name);
  assert.ok(item);
  return item;
};

const REQUEST = 1;
const ACKNOWLEDGE = 4;
const NFNL_HEADER = 4;

describe('the messages that make the sandbox’s network', () => {
  test('come in the order in which each needs the ones before', () => {
    const items = sandboxNetwork(PORT).map(({ name, required }) => `${name} ${required}`);
    assert.deepEqual(items, [
      'loopback true',
      'routes4 true',
      'routes6 false',
      'tproxy4 false',
      'tproxy6 false',
    ]);
  });

  test('are whole, and each set ends by the one that is acknowledged', () => {
    for (const { bytes, lastSequence } of sandboxNetwork(PORT)) {
      const all = messages(bytes);
      assert.ok(all.every(({ flags }) => flags & REQUEST));
      assert.deepEqual(
        all.filter(({ flags }) => flags & ACKNOWLEDGE).map(({ sequence }) => sequence),
        [lastSequence],
      );
    }
  });

  test('bring lo up', () => {
    const [link] = messages(named('loopback').bytes);
    assert.equal(link?.type, 16);
    assert.deepEqual(
      [link?.body.readInt32LE(4), link?.body.readUInt32LE(8), link?.body.readUInt32LE(12)],
      [1, 1, 1],
    );
  });

  for (const [name, family, scope] of [
    ['routes4', 2, 254],
    ['routes6', 10, 0],
  ] as const) {
    test(`make every address local: ${name}`, () => {
      const [route] = messages(named(name).bytes);
      assert.equal(route?.type, 24);
      const [actual, bits] = [route?.body[0], route?.body[1]];
      assert.deepEqual(
        [actual, bits, route?.body[4], route?.body[6], route?.body[7]],
        [family, 0, 255, scope, 2],
      );
      const [device, ...others] = attributes(route!.body.subarray(12));
      assert.deepEqual([device?.type, device?.value.readInt32LE(), others.length], [4, 1, 0]);
    });
  }

  for (const [name, family, proto] of [
    ['tproxy4', 4, 2],
    ['tproxy6', 6, 10],
  ] as const) {
    test(`capture TCP that is not for loopback, in one batch: ${name}`, () => {
      const all = messages(named(name).bytes);
      assert.deepEqual(
        all.map(({ type }) => type),
        [16, 0xa00, 0xa03, 0xa06, 17],
      );
      for (const { body } of all.slice(1, 4)) assert.equal(body[0], proto);
      const rule = attributes(all[3]!.body.subarray(NFNL_HEADER));
      const expressions = attributes(rule.find(({ type }) => type === 4)!.value).map(({ value }) => {
        const [label, data] = attributes(value);
        return {
          name: label!.value.toString('utf8', 0, label!.value.length - 1),
          data: attributes(data!.value),
        };
      });
      assert.deepEqual(
        expressions.map((expression) => expression.name),
        ['meta', 'cmp', 'payload', 'cmp', 'immediate', 'tproxy', 'immediate'],
      );
      const value = (index: number): Buffer =>
        attributes(expressions[index]!.data.find(({ nested }) => nested)!.value)[0]!.value;
      assert.deepEqual([...value(1)], [6], 'TCP');
      assert.deepEqual([...value(3)], family === 4 ? [127] : [...new Array(15).fill(0), 1], 'loopback');
      assert.equal(value(4).readUInt16BE(), PORT);
      const [offset, length] = expressions[2]!.data.slice(2).map(({ value: number }) => number.readInt32BE());
      assert.deepEqual([offset, length], family === 4 ? [16, 1] : [24, 16]);
    });
  }
});
