import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventStreamReader, type StreamEvent, type StreamItem, writeEvent } from './event-stream.ts';

const read = (...pieces: (string | Buffer)[]): StreamItem[] => {
  const reader = new EventStreamReader(100);
  return pieces.flatMap((piece) => reader.push(Buffer.from(piece)));
};

const event = (changes: Partial<StreamEvent>): StreamItem => ({
  kind: 'event',
  event: { type: 'message', data: undefined, id: undefined, retry: undefined, ...changes },
});

test('events are read as the standard says', () => {
  const cases: [stream: string, items: StreamItem[]][] = [
    ['data: a\n\n', [event({ data: 'a' })]],
    ['data:a\ndata:  b\n\n', [event({ data: 'a\n b' })]],
    ['data\n\n', [event({ data: '' })]],
    ['data\ndata\n\n', [event({ data: '\n' })]],
    ['data: a\r\n\r\ndata: b\r\r', [event({ data: 'a' }), event({ data: 'b' })]],
    ['\ufeffdata: a\n\n', [event({ data: 'a' })]],
    ['\n\ufeffdata: a\n\n', []],
    ['event: x\nid: 1\nretry: 10\ndata: a\n\n', [event({ type: 'x', id: '1', retry: '10', data: 'a' })]],
    ['event: x\nevent\ndata: a\n\n', [event({ data: 'a' })]],
    ['event: x\n\ndata: a\n\n', [event({ data: 'a' })]],
    ['id: 1\ndata:\n\n', [event({ id: '1', data: '' })]],
    ['id: a\0b\nretry: 1s\nunknown: x\ndata: a\n\n', [event({ data: 'a' })]],
    [': hello\ndata: a\n: b\n\n', [{ kind: 'comment' }, { kind: 'comment' }, event({ data: 'a' })]],
    ['data: a\n', []],
    ['data: a', []],
    ['Data: a\n data: b\n\n', []],
  ];
  for (const [stream, items] of cases) assert.deepEqual(read(stream), items, JSON.stringify(stream));
});

test('an event that is too large, or not UTF-8, ends the stream; comments and other events do not add up', () => {
  const faults: [pieces: (string | Buffer)[], reason: RegExp][] = [
    [['data: ', 'x'.repeat(95)], /more than 100 bytes/],
    [['data:\n'.repeat(17)], /more than 100 bytes/],
    [['a\n'.repeat(60)], /more than 100 bytes/],
    [['x'.repeat(101)], /more than 100 bytes/],
    [[`:${'x'.repeat(100)}`], /more than 100 bytes/],
    [[Buffer.from([0x64, 0xff, 0x0a])], /UTF-8/],
  ];
  for (const [pieces, reason] of faults) {
    const last = read(...pieces).at(-1);
    assert.equal(last?.kind, 'fault', String(pieces[0]));
    if (last?.kind === 'fault') assert.match(last.reason, reason);
  }
  assert.equal(read(': ping\n'.repeat(100)).length, 100);
  assert.equal(read(`data: ${'x'.repeat(80)}\n\n`.repeat(10)).length, 10);
});

const text = fc.string({ unit: fc.constantFrom('a', ' ', ':', '\u00e9', '\ud83d\ude00', '{', '\ufeff') });

test('any split of a stream gives the same items', () => {
  const line = fc.constantFrom('data: a', 'data:\u00e9', 'id: 1', ': c', 'event: e', 'retry: 5', '', '', 'x');
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n')), { maxLength: 12 })
    .map((lines) => Buffer.from(lines.flat().join('')));
  fc.assert(
    fc.property(stream, fc.array(fc.nat(40), { maxLength: 6 }), (bytes, cuts) => {
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
        bytes.length,
      ];
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      assert.deepEqual(read(...pieces), read(bytes));
      assert.deepEqual(read(...[...bytes].map((byte) => Buffer.from([byte]))), read(bytes));
    }),
    { numRuns: 300 },
  );
});

test('an event that is written is read as the same event', () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          type: text.filter((type) => type !== ''),
          data: fc.array(text, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n')),
          id: fc.option(text, { nil: undefined }),
          retry: fc.option(fc.nat().map(String), { nil: undefined }),
        },
        { noNullPrototype: true },
      ),
      (written) => {
        const items = new EventStreamReader(10_000).push(writeEvent(written));
        assert.deepEqual(items, [{ kind: 'event', event: written }]);
      },
    ),
    { numRuns: 200 },
  );
});
