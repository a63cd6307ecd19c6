import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DescriptorLevel, DescriptorWatch } from './descriptors.ts';

test('descriptors that run out, and that are there again, are told once each', () => {
  const told: DescriptorLevel[] = [];
  let lowest: number | undefined = 20;
  using watch = new DescriptorWatch({
    limit: 100,
    lowestFree: () => lowest,
    onChange: (level, limit) => {
      assert.equal(limit, 100);
      told.push(level);
    },
  });
  const steps: readonly (readonly [number | undefined, readonly DescriptorLevel[]])[] = [
    [20, []],
    [89, []],
    [90, ['scarce']],
    // None at all.
    [undefined, ['scarce']],
    // At the edge of the bound it does not go back and forth.
    [80, ['scarce']],
    [95, ['scarce']],
    [69, ['scarce', 'plenty']],
    [75, ['scarce', 'plenty']],
  ];
  for (const [free, expected] of steps) {
    lowest = free;
    watch.look();
    assert.deepEqual(told, expected, `the lowest free one is ${free}`);
  }
});
