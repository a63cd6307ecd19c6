import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { closePayload, encodeHeader, OPCODE, type Side } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { applyMask } from './mask.ts';
import { type TestFrame, testFrame } from './test-frames.ts';

const KEY = 0x37fa213d;

interface Seen {
  readonly frames: string[];
  readonly fault?: number;
}

/** What the reader says of these bytes, frame by frame, however they came. */
function read(chunks: readonly Buffer[], from: Side, deflate = false): Seen {
  const reader = new FrameReader(from, deflate);
  const frames: string[] = [];
  let header = '';
  let mask: number | undefined;
  let payload: Buffer = Buffer.alloc(0);
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk));
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      switch (event.kind) {
        case 'fault':
          return { frames, fault: event.code };
        case 'header': {
          const { type, first, fin, compressed, length } = event.header;
          header = `${type}${first ? '' : '+'}${fin ? '.' : ''}${compressed ? 'z' : ''}/${length}`;
          mask = event.header.mask;
          payload = Buffer.alloc(0);
          break;
        }
        case 'payload': {
          const bytes = Buffer.from(event.bytes);
          if (mask !== undefined) applyMask(bytes, mask, payload.length);
          payload = Buffer.concat([payload, bytes]);
          if (event.last) frames.push(`${header}:${payload.toString('latin1')}`);
          break;
        }
        case 'control':
          frames.push(`${event.opcode}:${event.payload.toString('latin1')}`);
      }
    }
  }
  return { frames };
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const bytewise = (bytes: Buffer): Buffer[] => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));

/** The same at every place where the bytes can be cut in two, and byte by byte. */
function readAnyhow(bytes: Buffer, from: Side, deflate?: boolean): Seen {
  const seen = read([bytes], from, deflate);
  assert.deepEqual(read(bytewise(bytes), from, deflate), seen);
  for (let at = 1; at < bytes.length; at++) {
    assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)], from, deflate), seen, `cut at ${at}`);
  }
  return seen;
}

describe('frames are read', () => {
  const cases: [string, Side, string, string[]][] = [
    ['unmasked text (RFC 6455 section 5.7)', 'server', '81 05 48656c6c6f', ['text./5:Hello']],
    ['masked text (RFC 6455 section 5.7)', 'client', '81 85 37fa213d 7f9f4d5158', ['text./5:Hello']],
    ['fragments', 'server', '01 03 48656c 80 02 6c6f', ['text/3:Hel', 'text+./2:lo']],
    ['a ping between fragments', 'server', '02 01 41 89 01 42 80 00', ['binary/1:A', '9:B', 'binary+./0:']],
    ['empty frames', 'server', '81 00 01 00 00 00 80 00', ['text./0:', 'text/0:', 'text+/0:', 'text+./0:']],
    ['a close frame without a code', 'server', '88 00', ['8:']],
    ['a close frame with a code', 'server', '88 02 03e8', ['8:\u0003\u00e8']],
  ];
  for (const [what, from, bytes, frames] of cases) {
    test(what, () => assert.deepEqual(readAnyhow(hex(bytes), from), { frames }));
  }

  test('a compressed message, marked in its first frame alone', () => {
    const { frames } = readAnyhow(hex('41 01 aa 80 01 bb'), 'server', true);
    assert.deepEqual(frames, ['textz/1:\u00aa', 'text+.z/1:\u00bb']);
  });

  for (const length of [125, 126, 127, 65_535, 65_536]) {
    test(`a frame of ${length} bytes`, () => {
      const bytes = testFrame({ opcode: 2, payload: 'x'.repeat(length), mask: KEY });
      const cuts = [1, 2, 3, 4, 9, 10, 13, 14, 15, bytes.length - 1];
      const expected = { frames: [`binary./${length}:${'x'.repeat(length)}`] };
      assert.deepEqual(read([bytes], 'client'), expected);
      for (const at of cuts)
        assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)], 'client'), expected);
    });
  }
});

describe('a frame is refused', () => {
  const protocol: [string, Side, string][] = [
    ['for RSV1 without compression', 'server', 'c1 00'],
    ['for RSV2', 'server', 'a1 00'],
    ['for RSV3', 'server', '91 00'],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Side, string] => [
      `for the reserved opcode ${opcode}`,
      'server',
      `8${opcode.toString(16)} 00`,
    ]),
    ['for a client that does not mask', 'client', '81 00'],
    ['for a client that does not mask a ping', 'client', '89 00'],
    ['for a server that masks', 'server', '81 80 00000000'],
    ['for 125 bytes announced in 16 bits', 'server', '82 7e 007d'],
    ['for 65,535 bytes announced in 64 bits', 'server', '82 7f 000000000000ffff'],
    ['for the highest bit of a length', 'server', '82 7f 8000000000000000'],
    ['for a fragmented ping', 'server', '09 00'],
    ['for a fragmented close', 'server', '08 00'],
    ['for a long ping', 'server', '89 7e 007e'],
    ['for a long close', 'server', '88 7f 0000000000010000'],
    ['for a continuation of nothing', 'server', '80 00'],
    ['for a continuation behind the end', 'server', '01 00 80 00 80 00'],
    ['for a text within a text', 'server', '01 00 81 00'],
    ['for a binary within a text', 'server', '01 00 02 00'],
    ['for a close with half a code', 'server', '88 01 03'],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code): [string, Side, string] => [
      `for the close code ${code}`,
      'server',
      `88 02 ${code.toString(16).padStart(4, '0')}`,
    ]),
  ];
  for (const [what, from, bytes] of protocol) {
    test(what, () => assert.equal(readAnyhow(hex(bytes), from).fault, 1002));
  }

  const compressed: [string, string][] = [
    ['for a compressed ping', 'c9 00'],
    ['for a compressed close', 'c8 00'],
    ['for RSV1 on a continuation', '01 00 c0 00'],
    ['for RSV2 beside compression', 'e1 00'],
  ];
  for (const [what, bytes] of compressed) {
    test(what, () => assert.equal(readAnyhow(hex(bytes), 'server', true).fault, 1002));
  }

  test('for a close reason that is not UTF-8', () => {
    assert.equal(readAnyhow(hex('88 04 03e8 c328'), 'server').fault, 1007);
    assert.equal(readAnyhow(hex('88 03 03e8 c3'), 'server').fault, 1007);
  });

  test('for a length that cannot be counted', () => {
    assert.equal(readAnyhow(hex('82 7f 0020000000000000'), 'server').fault, 1009);
  });

  test('for every close code but the ones with a meaning', () => {
    const legal = (code: number): boolean => {
      const bytes = testFrame({ opcode: OPCODE.close, payload: closePayload(code, '') });
      return read([bytes], 'server').fault === undefined;
    };
    const codes = Array.from({ length: 6000 }, (_, code) => code).filter(legal);
    const ranges = codes.filter((code) => !codes.includes(code - 1) || !codes.includes(code + 1));
    assert.deepEqual(ranges, [1000, 1003, 1007, 1014, 3000, 4999]);
  });
});

/** Legal sequences of frames: whole messages, fragmented ones, and control frames between. */
const control = fc
  .record({ opcode: fc.constantFrom(OPCODE.ping, OPCODE.pong), payload: fc.string({ maxLength: 125 }) })
  .map((frame): TestFrame => ({ ...frame, payload: Buffer.from(frame.payload).subarray(0, 125) }));
const message = fc
  .tuple(
    fc.constantFrom(OPCODE.text, OPCODE.binary),
    fc.array(fc.string({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
    fc.array(control, { maxLength: 2 }),
  )
  .map(([opcode, parts, controls]): TestFrame[] =>
    parts.flatMap((payload, at): TestFrame[] => [
      {
        opcode: at === 0 ? opcode : OPCODE.continuation,
        payload,
        fin: at === parts.length - 1,
      },
      ...(at < parts.length - 1 ? controls : []),
    ]),
  );
const frames = fc
  .array(
    fc.oneof(
      message,
      control.map((frame) => [frame]),
    ),
    { maxLength: 6 },
  )
  .map((all) => all.flat());

describe('any legal sequence', () => {
  const cutting = fc.array(fc.nat(3000), { maxLength: 10 });
  const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
    const places = [0, ...at.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
    return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
  };

  test('is read as it was written, however its bytes are cut', () => {
    fc.assert(
      fc.property(frames, cutting, fc.constantFrom<Side>('client', 'server'), (sequence, at, from) => {
        const bytes = Buffer.concat(
          sequence.map((frame) => testFrame(from === 'client' ? { ...frame, mask: KEY } : frame)),
        );
        const seen = read(cut(bytes, at), from);
        assert.equal(seen.fault, undefined);
        assert.deepEqual(
          seen.frames.map((frame) => frame.slice(frame.indexOf(':') + 1)),
          sequence.map(({ payload = '' }) => Buffer.from(payload).toString('latin1')),
        );
      }),
    );
  });

  test('and any nonsense ends the same, however its bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cutting, (nonsense, at) => {
        const bytes = Buffer.from(nonsense);
        assert.deepEqual(read(cut(bytes, at), 'server', true), read([bytes], 'server', true));
      }),
    );
  });

  test('has headers in their shortest form', () => {
    assert.equal(encodeHeader(2, true, false, 125, undefined).length, 2);
    assert.equal(encodeHeader(2, true, false, 65_535, undefined).length, 4);
    assert.equal(
      encodeHeader(2, true, false, 2 ** 40, KEY).toString('hex'),
      '82ff0000010000000000' + '37fa213d',
    );
  });
});
