import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader, message } from './wire.ts';

const reader = (maxWhole = 1000): FrameReader =>
  new FrameReader(
    (type) => (type === 'D' ? 'stream' : type === 'Q' ? 'whole' : 'unknown'),
    () => maxWhole,
  );

test('what is handed out is what came in, in order, however it was cut', () => {
  const one = fc
    .tuple(fc.constantFrom('D', 'Q'), fc.uint8Array({ maxLength: 40 }))
    .map(([type, content]) => message(type, Buffer.from(content)));
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 30 })),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages);
        const frames = reader();
        const out: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + (cuts[i] ?? bytes.length);
          frames.push(bytes.subarray(at, end));
          at = end;
          for (let frame = frames.next(); frame.kind !== 'more'; frame = frames.next()) {
            assert.ok(frame.kind !== 'malformed');
            if (frame.kind === 'message') assert.equal(frame.bytes.readUInt32BE(1) + 1, frame.bytes.length);
            out.push(frame.bytes);
          }
        }
        assert.deepEqual(Buffer.concat(out), bytes);
        assert.equal(frames.midMessage, false);
      },
    ),
  );
});

test('messages to hand on are one piece as far as they came together', () => {
  const frames = reader();
  const rows = Buffer.concat([message('D', Buffer.from('a')), message('D', Buffer.from('b'))]);
  frames.push(Buffer.concat([rows, message('Q'), rows.subarray(0, 7)]));
  assert.deepEqual(frames.next(), { kind: 'stream', bytes: rows });
  assert.equal(frames.next().kind, 'message');
  assert.equal(frames.next().kind, 'stream');
  assert.deepEqual(frames.next(), { kind: 'more' });
});

const malformed: [string, Buffer][] = [
  ['an unknown type', message('?')],
  ['an unknown type behind one to hand on', Buffer.concat([message('D'), message('?')])],
  ['a length below its own', Buffer.from([0x44, 0, 0, 0, 3])],
  ['a length beyond every message', Buffer.from([0x44, 0x7f, 0xff, 0xff, 0xff])],
  ['a message that is to be put together beyond the limit', Buffer.from([0x51, 0, 0, 4, 0])],
];
for (const [what, bytes] of malformed) {
  test(`refuses ${what} before the rest of it has come`, () => {
    const frames = reader();
    frames.push(bytes);
    let frame = frames.next();
    if (frame.kind === 'stream') frame = frames.next();
    assert.equal(frame.kind, 'malformed');
  });
}
