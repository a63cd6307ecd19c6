import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import { LIMITS } from '../limits.ts';
import type { DenialCount, DenialKind } from './denial.ts';
import { denialEvent } from './denial-event.ts';
import { DenialLedger } from './denial-ledger.ts';

const KIND: DenialKind = {
  stage: 'request',
  binary: '/usr/bin/curl',
  host: 'api.example.com',
  port: 443,
  code: 'request_not_allowed',
  rule: 'network_policies.api.endpoints[0]',
};

const GENEROUS = Object.fromEntries(Object.entries(LIMITS).map(([name, { value }]) => [name, value])) as {
  [Name in keyof typeof LIMITS]: number;
};

interface Fixture {
  readonly ledger: DenialLedger;
  readonly taken: DenialCount[];
  /** What to do with the next reports. */
  answer: () => boolean;
  clock: number;
}

function fixture(limits: Partial<typeof GENEROUS> = {}): Fixture {
  const taken: DenialCount[] = [];
  const made: Omit<Fixture, 'ledger'> = { taken, answer: () => true, clock: 1000 };
  const ledger = new DenialLedger({
    limits: { ...GENEROUS, ...limits },
    emit: (count) => made.answer() && taken.push(count) > 0,
    now: () => made.clock,
  });
  return Object.assign(made, { ledger });
}

describe('the ledger of denials', () => {
  test('counts what is alike, with the first and last time and what it was', () => {
    const one = fixture();
    one.ledger.add(KIND, { method: 'GET', path: '/a' });
    one.clock = 2000;
    one.ledger.add(KIND, { method: 'PUT', path: '/b' });
    one.ledger.add(KIND, { method: 'GET', path: '/a' });
    one.ledger.close();
    assert.deepEqual(one.taken, [
      {
        kind: KIND,
        count: 3,
        told: 3,
        first: 1000,
        last: 2000,
        samples: [
          { method: 'GET', path: '/a', count: 2 },
          { method: 'PUT', path: '/b', count: 1 },
        ],
      },
    ]);
  });

  const apart: readonly Partial<DenialKind>[] = [
    { stage: 'message' },
    { binary: '/usr/bin/wget' },
    { binary: undefined },
    { host: 'other.example.com' },
    { port: 80 },
    { code: 'request_denied' },
    { rule: undefined },
    { from: 'server' },
  ];
  for (const other of apart) {
    test(`tells apart what differs in ${Object.keys(other)[0]}: ${Object.values(other)[0]}`, () => {
      const { ledger, taken } = fixture();
      ledger.add(KIND);
      ledger.add({ ...KIND, ...other });
      ledger.close();
      assert.deepEqual(
        taken.map(({ count }) => count),
        [1, 1],
      );
    });
  }

  test('gives an event of their own to some of a kind in a window, and counts the others', () => {
    const { ledger, taken } = fixture({ denialEvents: 2 });
    const own = (): boolean[] => [1, 2, 3].map(() => ledger.add(KIND));
    assert.deepEqual(own(), [true, true, false]);
    ledger.flush();
    assert.deepEqual(own(), [true, true, false], 'a new window');
    ledger.close();
    assert.deepEqual(
      taken.map(({ count, told }) => [count, told]),
      [
        [3, 2],
        [3, 2],
      ],
    );
  });

  test('counts what has an event anyway as told, beyond any bound', () => {
    const { ledger, taken } = fixture({ denialEvents: 0 });
    assert.equal(ledger.add(KIND, undefined, { told: true }), true);
    ledger.close();
    assert.equal(taken[0]?.told, 1);
  });

  test('keeps a bounded number of samples, none of which is cut', () => {
    const { ledger, taken } = fixture({ denialSamples: 2, denialSampleLength: 60 });
    ledger.add(KIND, { method: 'GET', path: `/${'x'.repeat(100)}` });
    for (const path of ['/1', '/2', '/3', '/2']) ledger.add(KIND, { method: 'GET', path });
    ledger.close();
    const [count] = taken;
    assert.equal(count?.count, 5);
    assert.deepEqual(
      count?.samples.map(({ path, count }) => [path, count]),
      [
        ['/1', 1],
        ['/2', 2],
      ],
    );
  });

  test('counts kinds beyond the bound together, and loses none', () => {
    const { ledger, taken } = fixture({ denialKinds: 3 });
    for (let port = 1; port <= 1000; port++) ledger.add({ ...KIND, port });
    ledger.close();
    assert.deepEqual(
      taken.map(({ kind, count }) => [kind?.port, count]),
      [
        [1, 1],
        [2, 1],
        [undefined, 998],
      ],
    );
  });

  const failures: [string, () => boolean][] = [
    ['was not taken', () => false],
    ['failed', () => assert.fail('the record is gone')],
  ];
  for (const [what, answer] of failures) {
    test(`keeps a report that ${what} and offers it again, with what came in between`, () => {
      const one = fixture();
      one.ledger.add(KIND, { method: 'GET', path: '/a' });
      one.answer = answer;
      one.ledger.flush();
      assert.deepEqual(one.taken, []);
      one.clock = 3000;
      one.ledger.add(KIND, { method: 'GET', path: '/a' });
      one.ledger.add(KIND, { method: 'GET', path: '/b' });
      one.answer = () => true;
      one.ledger.close();
      assert.deepEqual(one.taken, [
        {
          kind: KIND,
          count: 3,
          told: 3,
          first: 1000,
          last: 3000,
          samples: [
            { method: 'GET', path: '/a', count: 2 },
            { method: 'GET', path: '/b', count: 1 },
          ],
        },
      ]);
    });
  }

  test('merges what was denied while the report was being refused', () => {
    const one = fixture();
    one.ledger.add(KIND, { path: '/a' });
    one.answer = () => {
      one.ledger.add(KIND, { path: '/a' });
      return false;
    };
    one.ledger.flush();
    one.answer = () => true;
    one.ledger.close();
    assert.deepEqual(
      one.taken.map(({ count, samples }) => [count, samples[0]?.count]),
      [[2, 2]],
    );
  });

  test('reports by itself when a window is over', async () => {
    const done = Promise.withResolvers<DenialCount>();
    const ledger = new DenialLedger({
      limits: { ...GENEROUS, denialWindow: 1 },
      emit: (count) => {
        done.resolve(count);
        return true;
      },
    });
    ledger.add(KIND);
    // The window's timer alone would not keep this process.
    const alive = setInterval(() => {}, 1000);
    assert.equal((await done.promise).count, 1);
    clearInterval(alive);
    ledger.close();
  });

  test('reports nothing where nothing was denied', () => {
    const { ledger, taken } = fixture();
    ledger.flush();
    ledger.close();
    assert.deepEqual(taken, []);
  });
});

describe('the event of a count', () => {
  const count: DenialCount = { kind: KIND, count: 12, told: 2, first: 1, last: 2, samples: [] };

  test('says who was denied what, how often, and how much of it is told elsewhere', () => {
    const event = denialEvent(count, sandboxId('box'), 3);
    assert.equal(event.finding_info.title, 'Denied 12 requests to api.example.com:443');
    assert.equal(event.count, 12);
    assert.equal(event.actor?.process.file?.path, '/usr/bin/curl');
    assert.deepEqual(event.unmapped, { generation: 3, ...KIND, told: 2, first: 1, last: 2, samples: [] });
  });

  test('says that kinds were not told apart', () => {
    const { finding_info } = denialEvent({ ...count, kind: undefined }, sandboxId('box'), 3);
    assert.equal(finding_info.title, 'Denied 12 more, of more kinds than are told apart');
  });
});
