import assert from 'node:assert/strict';
import { test } from 'node:test';
import { steadyClock } from './steady-clock.ts';

const DAY = 86_400_000;

test('a steady clock counts what passes, the time asleep too, and never goes back', () => {
  const now = { wall: 1e12, monotonic: 500 };
  const clock = steadyClock({ wall: () => now.wall, monotonic: () => now.monotonic });
  const steps: readonly (readonly [what: string, wall: number, monotonic: number, elapsed: number])[] = [
    ['nothing', 0, 0, 0],
    ['a second', 1000, 1000, 1000],
    ['the wall clock is set back', -DAY, 10, 1010],
    ['and time goes on', 20, 20, 1030],
    ['the machine sleeps for a day', DAY, 5, 1030 + DAY],
  ];
  for (const [what, wall, monotonic, elapsed] of steps) {
    now.wall += wall;
    now.monotonic += monotonic;
    assert.equal(clock(), elapsed, what);
  }
});
