import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Lookups, type LookupsOptions, lookupSlots } from './lookups.ts';

/** A resolver whose names are answered when the test says so; all others never are. */
class Slow {
  readonly asked: string[] = [];
  readonly #open = new Map<string, () => void>();

  lookups(more: Partial<LookupsOptions> = {}): Lookups {
    const resolver = {
      lookup: (host: string): Promise<readonly string[]> => {
        this.asked.push(host);
        return new Promise((resolve) => this.#open.set(host, () => resolve([host])));
      },
    };
    return new Lookups({ resolver, slots: 4, tenants: () => 2, maxWaiting: 100, waitMs: 10_000, ...more });
  }

  answer(host: string): void {
    this.#open.get(host)!();
  }
}

/** Whoever asked has given up. */
const forgotten = (promise: Promise<unknown>): void => void promise.catch(() => {});

describe('names', () => {
  test('that are never answered take no slot from another tenant', async () => {
    const slow = new Slow();
    const lookups = slow.lookups();
    const [hostile, other] = [lookups.lane(), lookups.lane()];
    for (let index = 0; index < 50; index += 1) forgotten(hostile.lookup(`${index}.hangs`));
    const answer = other.lookup('a.test');
    assert.deepEqual(slow.asked, ['0.hangs', 'a.test']);
    slow.answer('a.test');
    assert.deepEqual(await answer, ['a.test']);
  });

  test('of one tenant alone have all slots, and one name has one of them', async () => {
    const slow = new Slow();
    const lane = slow.lookups({ tenants: () => 1 }).lane();
    const twice = [lane.lookup('a'), lane.lookup('a')];
    for (const host of ['b', 'c', 'd', 'e']) forgotten(lane.lookup(host));
    assert.deepEqual(slow.asked, ['a', 'b', 'c', 'd']);
    slow.answer('a');
    assert.deepEqual(await Promise.all(twice), [['a'], ['a']]);
    await turn();
    assert.deepEqual(slow.asked.slice(4), ['e']);
    forgotten(lane.lookup('a'));
    slow.answer('b');
    await turn();
    assert.deepEqual(slow.asked.slice(5), ['a'], 'an answer is not kept');
  });

  test('wait in turns', async () => {
    const slow = new Slow();
    const lookups = slow.lookups({ slots: 1 });
    const [one, other] = [lookups.lane(), lookups.lane()];
    for (const host of ['a1', 'a2', 'a3']) forgotten(one.lookup(host));
    for (const host of ['b1', 'b2']) forgotten(other.lookup(host));
    for (const host of ['a1', 'a2', 'b1', 'a3', 'b2']) {
      assert.equal(slow.asked.at(-1), host);
      slow.answer(host);
      await turn();
    }
  });

  test('that nobody waits for any more are not looked up, and no more wait than may', async (t) => {
    t.mock.method(performance, 'now', () => clock);
    let clock = 0;
    const slow = new Slow();
    const lane = slow.lookups({ slots: 1, maxWaiting: 2 }).lane();
    forgotten(lane.lookup('hangs'));
    const late = assert.rejects(lane.lookup('late'), /its turn/);
    clock = 9_000;
    forgotten(lane.lookup('in.time'));
    await assert.rejects(lane.lookup('more'), /too many/);
    clock = 11_000;
    slow.answer('hangs');
    await late;
    assert.deepEqual(slow.asked, ['hangs', 'in.time']);
  });
});

test('slots are those that libuv gives', () => {
  const cases: readonly (readonly [string | undefined, number])[] = [
    [undefined, 2],
    ['16', 8],
    ['1', 1],
    ['0', 2],
    ['many', 2],
    ['9999', 512],
  ];
  for (const [size, slots] of cases) assert.equal(lookupSlots(size), slots);
});
