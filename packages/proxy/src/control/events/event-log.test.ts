import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configEvent, networkEvent, type SecurityEvent } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import type { ControlEvent, EventQuery } from '@openshell/control';
import { EventLog } from './event-log.ts';
import { readEvents } from './event-reader.ts';

const [A, B, C] = ['a', 'b', 'c'].map(sandboxId) as [
  ReturnType<typeof sandboxId>,
  ReturnType<typeof sandboxId>,
  ReturnType<typeof sandboxId>,
];

const logOf = (maxEvents: number, maxBytes = 1_000_000) =>
  new EventLog({ instance: 'here', maxEvents, maxBytes });

const said = (message: string): SecurityEvent => configEvent({ state: 'loaded', message });

const denied = (): SecurityEvent =>
  networkEvent({ activity: 'open', action: 'denied', destination: { host: 'a.test', port: 443 } });

/** `3` is an event, `-2` a gap of two, `-?` one of unknown length; each with its place. */
const short = (event: ControlEvent): string =>
  event.kind === 'event' ? `${event.cursor.sequence}` : `-${event.lost ?? '?'}@${event.cursor.sequence}`;

async function kept(log: EventLog, query: Partial<EventQuery> = {}): Promise<string> {
  const after = { instance: 'here', sequence: 0 };
  const read: string[] = [];
  for await (const event of readEvents(log, { after, follow: false, ...query })) read.push(short(event));
  return read.join(' ');
}

const place = (sequence: number, instance = 'here') => ({ after: { instance, sequence } });

test('whoever comes back gets what came in between, and a gap where it is gone', async () => {
  const log = logOf(4);
  for (let i = 1; i <= 4; i++) log.append(A, said(`${i}`));
  assert.equal(await kept(log), '1 2 3 4');
  log.append(A, said('5'));
  const cases: [Partial<EventQuery>, string][] = [
    [{}, '-2@2 3 4 5'],
    [place(1), '-1@2 3 4 5'],
    [place(2), '3 4 5'],
    [place(5), ''],
    [{ after: undefined }, ''],
    [place(3, 'another'), '-?@2 3 4 5'],
    [place(99), '-?@2 3 4 5'],
    [{ tenants: [A] }, '-?@2 3 4 5'],
    [{ tenants: [A], ...place(2) }, '3 4 5'],
    [{ tenants: [B] }, ''],
  ];
  for (const [query, expected] of cases)
    assert.equal(await kept(log, query), expected, JSON.stringify(query));
});

test('who makes many events loses its own, and nobody else loses any', async () => {
  const log = logOf(32);
  log.append(A, said('rare'));
  for (let i = 0; i < 100; i++) log.append(B, said('often'));
  log.append(C, said('rare'));
  assert.equal(await kept(log, { tenants: [A, C] }), '1 102');
  assert.match(await kept(log), /^1 -\d+@\d+ \d+ .* 102$/);
  assert.match(await kept(log, { tenants: [B] }), /^-\?@0 |^-\?@\d+ /);
  assert.equal(await kept(log, { tenants: [A] }), '1');
});

test('the log is bounded by bytes, too, and one event larger than all of it is kept alone', async () => {
  const log = logOf(1000, 20_000);
  for (let i = 0; i < 200; i++) log.append(A, said('x'.repeat(500)));
  assert.ok(log.bytes <= 20_000);
  log.append(A, said('x'.repeat(30_000)));
  assert.equal(await kept(log), '-200@200 201');
});

test('denials alone can be asked for', async () => {
  const log = logOf(10);
  log.append(A, said('1'));
  log.append(A, denied());
  log.append(B, denied());
  assert.equal(await kept(log, { denialsOnly: true }), '2 3');
  assert.equal(await kept(log, { denialsOnly: true, tenants: [B] }), '3');
});

test('a follower gets events as they come, and a gap when it was too slow', async () => {
  const log = logOf(4);
  const stop = new AbortController();
  const reading = readEvents(log, { follow: true, signal: stop.signal });
  const first = reading.next();
  log.append(A, said('1'));
  assert.equal(short((await first).value), '1');
  for (let i = 2; i <= 20; i++) log.append(A, said(`${i}`));
  const gap = (await reading.next()).value as ControlEvent;
  assert.ok(gap.kind === 'gap' && gap.lost === gap.cursor.sequence - 1, short(gap));
  assert.equal(short((await reading.next()).value), `${gap.cursor.sequence + 1}`);
  for (let i = gap.cursor.sequence + 2; i <= 20; i++) await reading.next();
  const waiting = reading.next();
  stop.abort();
  assert.deepEqual(await waiting, { value: undefined, done: true });
});

test('nothing is left of tenants that are gone when their events are', () => {
  const log = logOf(8);
  for (let i = 0; i < 100; i++) {
    const tenant = sandboxId(`t${i}`);
    log.append(tenant, said('once'));
    log.forget(tenant);
  }
  assert.ok(log.tenants <= 8);
  assert.ok(log.lostUpTo(new Set([sandboxId('t0')])) >= 92);
});
