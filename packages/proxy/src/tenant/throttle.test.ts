import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Throttle } from './throttle.ts';

function throttle(maxKinds: number): { throttle: Throttle<string>; emitted: string[] } {
  const emitted: string[] = [];
  const emit = (item: string, count: number): unknown => emitted.push(`${item} ${count}`);
  return { throttle: new Throttle({ maxKinds, windowMs: 60_000, emit }), emitted };
}

test('the first of a kind is told at once, the others as a number', () => {
  const { throttle: subject, emitted } = throttle(10);
  for (const item of ['a', 'a', 'b', 'a']) subject.add(item, item);
  assert.deepEqual(emitted, ['a 1', 'b 1']);
  subject.flush();
  subject.flush();
  assert.deepEqual(emitted, ['a 1', 'b 1', 'a 2']);
  subject.add('a', 'a');
  assert.equal(emitted.at(-1), 'a 1');
  subject.flush();
});

test('kinds beyond the bound are counted together', () => {
  const { throttle: subject, emitted } = throttle(2);
  for (let i = 0; i < 1000; i++) subject.add(`k${i}`, `k${i}`);
  assert.deepEqual(emitted, ['k0 1', 'k1 1', 'k2 1']);
  subject.flush();
  assert.equal(emitted.at(-1), 'k2 997');
});
