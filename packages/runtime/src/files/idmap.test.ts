import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { exchange, ownerMap } from './idmap.ts';

const NO_ID = 0xffff_ffff;

interface Range {
  readonly onDisk: number;
  readonly inside: number;
  readonly count: number;
}

const ranges = (map: string): Range[] =>
  map.split('\n').map((line) => {
    const [onDisk = 0, inside = 0, count = 0] = line.split(' ').map(Number);
    return { onDisk, inside, count };
  });

const through = (map: string, id: number): number | undefined => {
  const range = ranges(map).find(({ onDisk, count }) => id >= onDisk && id < onDisk + count);
  return range && id - range.onDisk + range.inside;
};

const id = fc.oneof(
  fc.nat(3),
  fc.nat(70_000),
  fc.integer({ min: 0, max: NO_ID - 1 }),
  fc.constant(NO_ID - 1),
);

/** Sorted, without a gap and without an overlap, from 0 to the last id. */
const coverEverything = (starts: readonly { at: number; count: number }[]): boolean => {
  let next = 0;
  for (const { at, count } of [...starts].sort((a, b) => a.at - b.at)) {
    if (at !== next || count < 1) return false;
    next += count;
  }
  return next === NO_ID;
};

describe('the exchange of two ids', () => {
  test('is a bijection of all ids', () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        const parts = ranges(exchange(a, b));
        assert.ok(coverEverything(parts.map(({ onDisk, count }) => ({ at: onDisk, count }))));
        assert.ok(coverEverything(parts.map(({ inside, count }) => ({ at: inside, count }))));
        assert.ok(parts.length <= 5);
      }),
    );
  });

  test('exchanges exactly these two, whichever comes first', () => {
    fc.assert(
      fc.property(id, id, id, (a, b, other) => {
        const map = exchange(a, b);
        assert.equal(through(map, a), b);
        assert.equal(through(map, b), a);
        if (other !== a && other !== b) assert.equal(through(map, other), other);
        assert.equal(map, exchange(b, a));
      }),
    );
  });

  const examples: readonly [number, number, string][] = [
    [0, 65000, '0 65000 1\n65000 0 1\n1 1 64999\n65001 65001 4294902294'],
    [1000, 1000, '0 0 1000\n1000 1000 1\n1001 1001 4294966294'],
    [0, 0, '0 0 1\n1 1 4294967294'],
  ];
  for (const [onDisk, inside, map] of examples) {
    test(`of ${onDisk} and ${inside}`, () => assert.equal(exchange(onDisk, inside), map));
  }

  test('is made for users and groups apart', () => {
    const map = ownerMap({ uid: 1, gid: 2 }, { uid: 3, gid: 4 });
    assert.deepEqual([through(map.uidMap, 1), through(map.gidMap, 2)], [3, 4]);
    assert.deepEqual([through(map.uidMap, 2), through(map.gidMap, 1)], [2, 1]);
  });
});
