import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROTOCOL } from '../contract/protocol.ts';
import type { ControllerHello } from '../contract/proxy-control.ts';
import { A, refused } from '../testing/index.ts';
import type { ControlOperations } from './operations.ts';
import { type SessionChange, SessionDesk } from './session-desk.ts';

const hello = (name: string, more: Partial<ControllerHello> = {}): ControllerHello => ({
  name,
  protocol: PROTOCOL,
  role: 'controller',
  ...more,
});

/** Only what a test needs of a proxy. */
const operations = (some: Partial<ControlOperations>): ControlOperations => some as ControlOperations;

function desk() {
  const changes: SessionChange[] = [];
  const made = new SessionDesk({
    version: '1',
    features: ['socks5'],
    installed: () => [],
    watch: (change) => changes.push(change),
  });
  return { made, changes };
}

describe('SessionDesk', () => {
  test('who takes over begins only when what the one before had under way is done', async () => {
    const { made } = desk();
    const removal = Promise.withResolvers<void>();
    const first = await made.open(hello('first'), operations({ removeTenant: () => removal.promise }));
    const removing = first.removeTenant(A);
    let begun = false;
    const second = made.open(hello('second', { takeOver: true }), operations({})).then((session) => {
      begun = true;
      return session;
    });
    assert.deepEqual(await first.ended, { kind: 'taken_over', by: 'second' });
    assert.equal(begun, false);
    removal.resolve();
    await removing;
    await second;
    assert.equal(begun, true);
  });

  test('a change that fails is waited for no longer than one that does not', async () => {
    const { made } = desk();
    const failing = operations({ removeTenant: () => Promise.reject(new Error('no')) });
    const first = await made.open(hello('first'), failing);
    await assert.rejects(first.removeTenant(A), /no/);
    await made.open(hello('second', { takeOver: true }), operations({}));
  });

  test('of two who take over at once the later one controls, and the earlier one is told', async () => {
    const { made, changes } = desk();
    const removal = Promise.withResolvers<void>();
    const first = await made.open(hello('first'), operations({ removeTenant: () => removal.promise }));
    const removing = first.removeTenant(A);
    const second = made.open(hello('second', { takeOver: true }), operations({}));
    const third = made.open(hello('third', { takeOver: true }), operations({}));
    removal.resolve();
    await removing;
    await refused(second, 'session_ended');
    assert.equal((await third).hello.protocol, PROTOCOL.max);
    assert.equal(made.controller?.name, 'third');
    assert.deepEqual(
      changes.map(({ kind, by }) => [kind, by.name]),
      [
        ['began', 'first'],
        ['ended', 'first'],
        ['began', 'third'],
      ],
    );
  });

  test('events of a session that is lost end with an error, and those of one that is closed just end', async () => {
    const { made } = desk();
    const waiting = operations({
      events: async function* ({ signal }) {
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      },
    });
    const gone = new AbortController();
    const lost = await made.open(hello('lost'), waiting, { signal: gone.signal });
    const following = Array.fromAsync(lost.events({ follow: true }));
    gone.abort(new Error('the cable'));
    await refused(following, 'unavailable');
    assert.deepEqual(await lost.ended, { kind: 'lost', reason: 'the cable' });
    const closed = await made.open(hello('closed'), waiting);
    const quiet = Array.fromAsync(closed.events({ follow: true }));
    await closed[Symbol.asyncDispose]();
    assert.deepEqual(await quiet, []);
  });

  test('what is refused at the door leaves no trace', async () => {
    const { made, changes } = desk();
    await refused(made.open(hello(''), operations({})), 'request_invalid');
    await refused(
      made.open(hello('new', { protocol: { min: 9, max: 9 } }), operations({})),
      'protocol_unsupported',
    );
    assert.equal(made.controller, undefined);
    assert.deepEqual(changes, []);
  });
});
