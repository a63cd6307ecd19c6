import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventRelay } from './event-relay.ts';
import { UsageReader } from './usage.ts';

const relay = (limit = 1000) => {
  const counts = new UsageReader();
  return { counts, events: new EventRelay(counts, limit) };
};

test('an event goes on when its last byte has come, whatever ends its lines', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const { events } = relay();
    const event = `event: a${end}data: 1${end}${end}`;
    assert.equal(String(events.push(Buffer.from(event.slice(0, -end.length)))), '');
    assert.equal(String(events.push(Buffer.from(event.slice(-end.length)))), event.slice(0));
    assert.equal(String(events.push(Buffer.from(`data: 2${end}`))), '');
    assert.equal(String(events.end()), `data: 2${end}`);
  }
});

test('an LF that follows the CR of an event goes on at once', () => {
  const { events } = relay();
  assert.equal(String(events.push(Buffer.from('data: 1\r\n\r'))), 'data: 1\r\n\r');
  assert.equal(String(events.push(Buffer.from('\ndata: 2'))), '\n');
});

test('no byte is changed, and events arrive whole, however the stream is cut', () => {
  const piece = fc.constantFrom(
    'data: x',
    'event: y',
    ': c',
    '\n',
    '\r\n',
    '\r',
    '\n\n',
    '{"usage":{"input_tokens":3}}',
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''));
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
          bytes.length,
        ];
        const { events } = relay();
        let out = '';
        for (let at = 1; at < places.length; at++) {
          const given = String(events.push(bytes.subarray(places[at - 1], places[at])));
          out += given;
          if (given !== '') assert.match(out, /(^|[\r\n])[\r\n]$/);
        }
        assert.equal(out + String(events.end()), bytes.toString());
      },
    ),
  );
});

test('an event longer than the bound goes on in parts, and is not read', () => {
  const { counts, events } = relay(50);
  const long = `data: {"usage":{"input_tokens":3},"x":"${'y'.repeat(100)}"}\n\n`;
  let out = '';
  for (const byte of Buffer.from(long)) out += events.push(Buffer.from([byte]));
  assert.equal(out, long);
  assert.equal(events.partial, false);
  assert.equal(counts.usage, undefined);
  events.push(Buffer.from('data: {"usage":{"input_tokens":3}}\n\n'));
  assert.deepEqual(counts.usage, { input: 3, output: 0 });
});

test('counts are read where each API puts them', () => {
  const cases: [events: string[], input: number, output: number][] = [
    [
      ['{"choices":[],"usage":null}', '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}'],
      1,
      2,
    ],
    [['{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":4}}}'], 3, 4],
    [['{"message":{"usage":{"input_tokens":5,"output_tokens":1}}}', '{"usage":{"output_tokens":6}}'], 5, 6],
    [['{"usage":{"input_tokens":-1,"output_tokens":1.5}}', '{"usage":{"output_tokens":7}}'], 0, 7],
  ];
  for (const [list, input, output] of cases) {
    const { counts, events } = relay();
    for (const data of list) events.push(Buffer.from(`data: ${data}\n\n`));
    assert.deepEqual(counts.usage, { input, output });
  }
});

test('nonsense has no counts', () => {
  for (const data of [
    '"usage"',
    '{"usage"',
    '{"usage":[]}',
    '[DONE] "usage"',
    '{"message":null,"usage":7}',
  ]) {
    const { counts, events } = relay();
    events.push(Buffer.from(`data: ${data}\n\n`));
    assert.equal(counts.usage, undefined, data);
  }
});
