import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findingEvent, type SecurityEvent } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import { Counters } from './counters.ts';
import { EVENTS_LOST_UID, EventGate } from './event-gate.ts';

const EVENT: SecurityEvent = findingEvent({ uid: 'x', title: 'x' });

function fixture(perSecond: number) {
  const counters = new Counters();
  const taken: string[] = [];
  const one = { now: 0, room: true, counters, taken };
  const gate = new EventGate({
    sandbox: sandboxId('box'),
    perSecond,
    counters,
    now: () => one.now,
    events: (event) => {
      if (!one.room) return false;
      const { uid = '' } = 'finding_info' in event ? event.finding_info : {};
      taken.push(uid === EVENTS_LOST_UID ? `lost ${event.unmapped?.count}` : uid);
      return true;
    },
  });
  const pass = (count: number): number =>
    Array.from({ length: count }, () => gate.pass(EVENT)).filter(Boolean).length;
  return Object.assign(one, { gate, pass });
}

describe('the bound of events', () => {
  test('lets so many a second pass, and tells how many did not as soon as some may again', () => {
    const one = fixture(3);
    // The first window begins with the first event that does not fit what came before it.
    assert.equal(one.pass(6), 6);
    assert.equal(one.pass(5), 0);
    one.now = 999;
    assert.equal(one.pass(1), 0);
    one.now = 1000;
    assert.equal(one.pass(4), 3);
    assert.deepEqual(one.taken, [...Array(6).fill('x'), 'lost 6', ...Array(3).fill('x')]);
    one.gate.close();
    assert.equal(one.taken.at(-1), 'lost 1');
    assert.deepEqual([one.counters.events, one.counters.eventsLost], [11, 7]);
  });

  test('does not take for lost what is offered again, and lets the last words pass', () => {
    const one = fixture(1);
    one.pass(2);
    assert.equal(one.gate.offer(EVENT), false);
    assert.equal(one.counters.eventsLost, 0);
    one.gate.close();
    assert.ok(one.gate.offer(EVENT) && one.gate.pass(EVENT));
  });

  test('counts what the record itself has no room for', () => {
    const one = fixture(10);
    one.room = false;
    assert.equal(one.pass(2), 0);
    assert.equal(one.gate.offer(EVENT), false);
    assert.deepEqual([one.counters.events, one.counters.eventsLost], [0, 2]);
  });

  test('tells of losses of a sandbox that has fallen silent', async () => {
    const one = fixture(1);
    one.pass(3);
    // The timer alone would not keep this process.
    const alive = setInterval(() => {}, 10);
    while (!one.taken.includes('lost 1')) await new Promise(setImmediate);
    clearInterval(alive);
  });
});
