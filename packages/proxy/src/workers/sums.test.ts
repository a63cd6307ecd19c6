import assert from 'node:assert/strict';
import { test } from 'node:test';
import { added, NOTHING_YET, past, sharedLimits } from './sums.ts';

test('each worker gets its part of a limit, rounded up, so that a tenant with a limit can always connect', () => {
  assert.deepEqual(sharedLimits({ connections: 10, heldBytes: 1001 }, 4), {
    connections: 3,
    heldBytes: 251,
    eventsPerSecond: undefined,
  });
  assert.equal(sharedLimits({ connections: 1 }, 8).connections, 1);
});

test('of a worker that has ended what it has counted is kept, and nothing that was open', () => {
  const { counters } = NOTHING_YET;
  const one = { connections: 2, handshakes: 1, heldBytes: 5, counters: { ...counters, accepted: 7 } };
  const other = { ...NOTHING_YET, connections: 1, counters: { ...counters, accepted: 4, shed: 1 } };
  const sum = added(past(one), other);
  assert.deepEqual(sum, {
    connections: 1,
    handshakes: 0,
    heldBytes: 0,
    counters: { ...counters, accepted: 11, shed: 1 },
  });
});
