import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_PROCESSES, workloadLimits } from './limits.ts';

describe('the limits of a workload', () => {
  const limits = new Map(workloadLimits().map((limit) => [limit.resource, limit]));

  test('bound its processes, by no more than the supervisor’s own bound', () => {
    const processes = limits.get(6);
    assert.ok(processes && processes.hard >= 1n && processes.hard <= BigInt(MAX_PROCESSES));
    assert.equal(processes.soft, processes.hard);
  });

  test('leave no room for a core dump, in a file or through a pipe', () => {
    assert.deepEqual(limits.get(4), { resource: 4, soft: 1n, hard: 1n });
  });
});
