import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlEvent } from '../contract/events.ts';
import type { ControlSession } from '../contract/proxy-control.ts';
import {
  A,
  B,
  beginning,
  connect,
  eventsNow,
  install,
  isDenial,
  type MakeSubject,
  spec,
} from './contract-subject.ts';

const sequences = (events: readonly ControlEvent[]): number[] => events.map(({ cursor }) => cursor.sequence);

const withTenants = async (session: ControlSession): Promise<void> => {
  await session.registerTenant(spec(A));
  await session.registerTenant(spec(B));
};

/** Following, resuming, gaps, filters. */
export function eventsContract(make: MakeSubject): void {
  test('whoever follows sees what happens from then on', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await withTenants(session);
    const { lastEvent } = await session.status();
    const after = { instance: session.hello.instance, sequence: lastEvent };
    const follower = session.events({ after, follow: true, denialsOnly: true })[Symbol.asyncIterator]();
    const first = follower.next();
    await subject.provoke(A);
    const { value } = await first;
    assert.ok(value?.kind === 'event');
    assert.equal(value.tenant, A);
    assert.ok(isDenial(value));
    assert.equal(value.event.metadata.tenant_uid, A);
    assert.equal(value.cursor.instance, session.hello.instance);
    const second = follower.next();
    await subject.provoke(B);
    const { value: next } = await second;
    assert.equal(next?.kind === 'event' && next.tenant, B);
    await follower.return?.();
  });

  test('who does not follow gets what there is, each once and in order', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await withTenants(session);
    for (const tenant of [A, B, A]) await subject.provoke(tenant);
    const events = await eventsNow(session, { after: beginning(session) });
    const numbers = sequences(events);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(numbers).size, numbers.length);
    assert.deepEqual(
      events.filter(isDenial).map((event) => event.kind === 'event' && event.tenant),
      [A, B, A],
    );
    assert.equal((await session.status()).lastEvent, numbers.at(-1));
    assert.deepEqual(await eventsNow(session), [], 'from now on there is nothing yet');
  });

  test('what was applied is an event of the tenant', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await withTenants(session);
    await session.apply(install(A));
    const events = await eventsNow(session, { after: beginning(session), tenants: [A] });
    assert.ok(events.some((event) => event.kind === 'event' && event.event.class_uid === 5019));
  });

  test('only denials, and only of the tenants that were asked for', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await withTenants(session);
    await session.apply(install(A));
    for (const tenant of [A, B, A]) await subject.provoke(tenant);
    const query = { after: beginning(session), tenants: [A], denialsOnly: true };
    const events = await eventsNow(session, query);
    assert.equal(events.length, 2);
    assert.ok(events.every((event) => isDenial(event) && event.kind === 'event' && event.tenant === A));
  });

  test('another session goes on where the first has stopped', async () => {
    await using subject = await make();
    const first = await connect(subject);
    await withTenants(first);
    await subject.provoke(A);
    const seen = await eventsNow(first, { after: beginning(first) });
    await first[Symbol.asyncDispose]();
    await subject.provoke(B);
    await using second = await connect(subject);
    const missed = await eventsNow(second, { after: seen.at(-1)!.cursor, denialsOnly: true });
    assert.deepEqual(
      missed.map((event) => event.kind === 'event' && event.tenant),
      [B],
    );
  });

  test('events that are kept no longer are a gap, with their number', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await withTenants(session);
    for (let count = 0; count <= subject.eventsKept; count++) await subject.provoke(A);
    const events = await eventsNow(session, { after: beginning(session) });
    assert.ok(events.some(({ kind }) => kind === 'gap'));
    let accounted = 0;
    for (const event of events) {
      accounted += event.kind === 'gap' ? event.lost! : 1;
      assert.equal(event.cursor.sequence, accounted, 'the cursor of a gap is after what was lost');
    }
    assert.equal(accounted, (await session.status()).lastEvent);
  });

  test('what another start of the proxy counted is a gap of unknown size before all that is there', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await withTenants(session);
    await subject.provoke(A);
    const elsewhere = { instance: 'f'.repeat(32), sequence: 7 };
    const [gap, ...events] = await eventsNow(session, { after: elsewhere });
    assert.ok(gap?.kind === 'gap');
    assert.equal(gap.lost, undefined);
    assert.equal(gap.cursor.instance, session.hello.instance);
    assert.ok(events.some(isDenial));
  });

  test('of a reader that is slow nothing is kept for long: each event comes, or is counted as lost', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await withTenants(session);
    await subject.provoke(A);
    const reader = session.events({ after: beginning(session), follow: true })[Symbol.asyncIterator]();
    let { value } = await reader.next();
    for (let count = 0; count < 3 * subject.eventsKept; count++) await subject.provoke(A);
    const { lastEvent } = await session.status();
    for (let accounted = 1; ; ) {
      assert.ok(value !== undefined);
      assert.equal(value.cursor.sequence, accounted, 'nothing is missing without a word');
      if (accounted === lastEvent) break;
      ({ value } = await reader.next());
      accounted += value?.kind === 'gap' ? value.lost! : 1;
    }
    await reader.return?.();
  });

  test('following ends with its signal, and with the session', async () => {
    await using subject = await make();
    const session = await connect(subject);
    const enough = new AbortController();
    const one = Array.fromAsync(session.events({ follow: true, signal: enough.signal }));
    const other = Array.fromAsync(session.events({ follow: true }));
    enough.abort();
    assert.deepEqual(await one, []);
    await session[Symbol.asyncDispose]();
    assert.deepEqual(await other, []);
  });

  test('following ends when another controller takes over', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const follower = session.events({ after: beginning(session), follow: true })[Symbol.asyncIterator]();
    await subject.provoke(A);
    await follower.next();
    await using other = await connect(subject, { takeOver: true });
    assert.notEqual(other.hello.instance, '');
    for (let done = false; !done; ) done = (await follower.next()).done ?? false;
  });
}
