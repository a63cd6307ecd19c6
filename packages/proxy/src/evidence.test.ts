import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { identifyWithin, processOf, unmapped } from './evidence.ts';
import { CURL } from './test-support/fixture.ts';

const FLOW = {
  family: 4,
  clientAddress: '127.0.0.1',
  clientPort: 1,
  serverAddress: '127.0.0.1',
  serverPort: 2,
} as const;

describe('evidence', () => {
  test('is what the source says', async () => {
    assert.equal(await identifyWithin({ identify: async () => CURL }, FLOW, 1000), CURL);
  });

  test('is unknown when the source fails, is late, or there is nobody to ask about', async () => {
    const failing = { identify: () => Promise.reject(new Error('broken')) };
    assert.deepEqual(await identifyWithin(failing, FLOW, 1000), { kind: 'unknown', reason: 'broken' });
    const silent = { identify: () => new Promise<never>(() => {}) };
    assert.deepEqual(await identifyWithin(silent, FLOW, 5), {
      kind: 'unknown',
      reason: 'identification took over 5 ms',
    });
    assert.equal((await identifyWithin(silent, undefined, 1000)).kind, 'unknown');
  });

  test('names the program in events', () => {
    assert.deepEqual(processOf(CURL), {
      name: 'curl',
      pid: 12,
      path: '/usr/bin/curl',
      sha256: 'ab'.repeat(32),
    });
    assert.equal(processOf({ kind: 'unknown', reason: '' }), undefined);
  });

  test('sees through the IPv6 form of an IPv4 address, and through no other', () => {
    assert.equal(unmapped('::ffff:1.2.3.4'), '1.2.3.4');
    assert.equal(unmapped('::ffff:1'), '::ffff:1');
    assert.equal(unmapped('::1'), '::1');
  });
});
