import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { ByteBudget } from '../tenant/byte-budget.ts';
import type { DataHeader } from './frame.ts';
import { applyMask } from './mask.ts';
import { type AssembledMessage, type AssemblyLimits, MessageAssembly } from './message-assembly.ts';

const LIMITS: AssemblyLimits = {
  webSocketTextBytes: 2_000_000,
  webSocketBinaryBytes: 2_500_000,
  webSocketFragments: 5,
  webSocketInflateRatio: 100,
};

interface Options {
  readonly type?: 'text' | 'binary';
  readonly compressed?: boolean;
  readonly mask?: number;
  readonly budget?: ByteBudget;
}

const header = (options: Options, length: number): DataHeader => ({
  type: options.type ?? 'text',
  first: true,
  fin: true,
  compressed: options.compressed ?? false,
  length,
  mask: options.mask,
});

/** Puts a message together from its frames; each comes in pieces of so many bytes. */
function assemble(frames: readonly Buffer[], options: Options = {}, piece = 50_000): AssembledMessage {
  const budget = options.budget ?? new ByteBudget(10_000_000);
  const assembly = new MessageAssembly(header(options, frames[0]!.length), LIMITS, budget);
  try {
    for (const frame of frames) {
      const problem = assembly.begin(header(options, frame.length));
      if (problem !== undefined) return problem;
      const sent = Buffer.from(frame);
      if (options.mask !== undefined) applyMask(sent, options.mask);
      for (let at = 0; at < sent.length; at += piece) {
        const wrong = assembly.add(sent.subarray(at, at + piece));
        if (wrong !== undefined) return wrong;
      }
    }
    return assembly.finish();
  } finally {
    assembly.release();
    assert.equal(budget.taken, 0);
  }
}

const codeOf = (message: AssembledMessage): number | undefined =>
  message.kind === 'fault' ? message.code : undefined;

/** RFC 7692 section 7.2.1. */
const compress = (bytes: Buffer): Buffer => deflateRawSync(bytes, { finishFlush: 2 }).subarray(0, -4);

test('a message is what its frames carried, masked and cut anyhow', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      parts,
      fc.option(fc.nat(2 ** 31), { nil: undefined }),
      fc.integer({ min: 1, max: 300 }),
      (frames, mask, piece) => {
        const buffers = frames.map((frame) => Buffer.from(frame));
        const message = assemble(buffers, { type: 'binary', ...(mask !== undefined && { mask }) }, piece);
        assert.equal(message.kind, 'message');
        assert.deepEqual(message.kind === 'message' && message.payload, Buffer.concat(buffers));
      },
    ),
  );
});

describe('bounds', () => {
  const x = (length: number): Buffer => Buffer.alloc(length, 'x');
  const cases: [string, readonly Buffer[], Options, number | undefined][] = [
    ['a text as large as may be', [x(2_000_000)], {}, undefined],
    ['a larger text', [x(2_000_001)], {}, 1009],
    ['a text that grows too large by fragments', [x(1_000_000), x(1_000_001)], {}, 1009],
    ['a binary message as large as may be', [x(2_500_000)], { type: 'binary' }, undefined],
    ['a larger binary message', [x(2_500_001)], { type: 'binary' }, 1009],
    ['as many fragments as may be', Array.from({ length: 5 }, () => x(1)), {}, undefined],
    ['one more, empty as it is', [...Array.from({ length: 5 }, () => x(1)), x(0)], {}, 1002],
    ['more than the budget has', [x(2_000_000)], { budget: new ByteBudget(1_999_999) }, 1013],
    ['what the budget just has', [x(2_000_000)], { budget: new ByteBudget(2_000_000) }, undefined],
  ];
  for (const [what, frames, options, code] of cases) {
    test(what, () => assert.equal(codeOf(assemble(frames, options)), code));
  }

  test('a frame that only announces its length takes nothing', () => {
    const budget = new ByteBudget(10_000_000);
    const assembly = new MessageAssembly(header({}, 300_000), LIMITS, budget);
    assert.equal(assembly.begin(header({}, 300_000)), undefined);
    assert.equal(budget.taken, 0);
    assembly.add(Buffer.alloc(1));
    assert.equal(budget.taken, 65_536);
    assembly.release();
  });
});

describe('a compressed message', () => {
  const incompressible = (length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    for (let at = 0, state = 1; at < length; at++) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      bytes[at] = state >>> 16;
    }
    return bytes;
  };
  const textOf = (message: AssembledMessage): string | undefined =>
    message.kind === 'message' ? message.payload.toString('latin1') : undefined;

  test('is decompressed, in one frame or several, masked or not', () => {
    const text = 'openshell '.repeat(50);
    const bytes = compress(Buffer.from(text));
    for (const frames of [[bytes], [bytes.subarray(0, 1), bytes.subarray(1)]]) {
      assert.equal(textOf(assemble(frames, { compressed: true })), text);
      assert.equal(textOf(assemble(frames, { compressed: true, mask: 0x01020304 })), text);
    }
  });

  test('is read as the examples of RFC 7692 section 7.2.3 have it', () => {
    const examples = [
      'f248cdc9c90700',
      '000500faff48656c6c6f00',
      'f348cdc9c9070000',
      'f248050000 00ffffcac9c90700',
    ];
    for (const bytes of examples) {
      const frame = Buffer.from(bytes.replace(' ', ''), 'hex');
      assert.equal(textOf(assemble([frame], { compressed: true })), 'Hello', bytes);
    }
  });

  test('that refers to an earlier one cannot be decompressed', () => {
    // RFC 7692 section 7.2.3.2: the second "Hello" of a context that was kept.
    assert.equal(codeOf(assemble([Buffer.from('f200110000', 'hex')], { compressed: true })), 1007);
  });

  const cases: [string, Buffer, number | undefined][] = [
    ['that is none', Buffer.from('ffff', 'hex'), 1007],
    ['that grows a little too much', compress(Buffer.alloc(1_048_577)), 1009],
    ['that is small enough to grow as it likes', compress(Buffer.alloc(1_048_576)), undefined],
    ['that is a bomb', compress(Buffer.alloc(50_000_000)), 1009],
    ['that is as large as may be', compress(incompressible(2_000_000)), undefined],
    ['that is larger', compress(Buffer.concat([incompressible(1_900_000), Buffer.alloc(100_001)])), 1009],
  ];
  for (const [what, bytes, code] of cases) {
    test(`${what} ends with ${code ?? 'no fault'}`, () =>
      assert.equal(codeOf(assemble([bytes], { compressed: true })), code));
  }

  test('takes what it becomes from the budget too', () => {
    const budget = new ByteBudget(60_000);
    assert.equal(codeOf(assemble([compress(Buffer.alloc(60_000))], { compressed: true, budget })), 1013);
  });
});
