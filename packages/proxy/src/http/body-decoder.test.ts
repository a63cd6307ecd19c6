import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bodyDecoder } from './body-decoder.ts';
import type { ResponseFraming } from './framing.ts';
import { Malformed } from './malformed.ts';

const LIMITS = { chunkLineBytes: 40, trailerBytes: 60 };
const CHUNKED = { kind: 'chunked' } as const;

interface Read {
  readonly content: string;
  readonly ended: boolean;
  readonly trailers?: string[];
  readonly rest?: string;
  readonly fault?: string;
}

/** The receiver is full after every `stopEvery`th piece and has room again at once. */
function read(framing: ResponseFraming, chunks: readonly Buffer[], stopEvery = 0): Read {
  const decoder = bodyDecoder(framing, LIMITS);
  let content = '';
  let pieces = 0;
  let trailers: string[] | undefined;
  const receiver = {
    data: (bytes: Buffer): boolean => {
      content += bytes.toString('latin1');
      pieces += 1;
      return stopEvery === 0 || pieces % stopEvery !== 0;
    },
    end: (fields: readonly { name: string; value: string }[]): void => {
      trailers = fields.map(({ name, value }) => `${name}=${value}`);
    },
    fail: () => assert.fail('a decoder does not fail its receiver'),
  };
  let rest = '';
  try {
    for (const chunk of chunks) {
      let at = 0;
      while (at < chunk.length && !decoder.done) {
        const next = decoder.push(chunk, at, receiver);
        assert.ok(next > at || decoder.stalled || decoder.done);
        at = next;
      }
      rest += chunk.toString('latin1', at);
    }
  } catch (thrown) {
    assert.ok(thrown instanceof Malformed);
    return { content: '', ended: false, fault: thrown.message };
  }
  return trailers === undefined ? { content, ended: false } : { content, ended: true, trailers, rest };
}

const chunked = (text: string, stopEvery = 0): Read =>
  read(CHUNKED, [Buffer.from(text, 'latin1')], stopEvery);

describe('a body of known length', () => {
  test('ends where it ends, and what follows is left', () => {
    const parts = ['ab', 'cd', 'eGET / HTTP/1.1'].map((text) => Buffer.from(text));
    const whole = { content: 'abcde', ended: true, trailers: [], rest: 'GET / HTTP/1.1' };
    assert.deepEqual(read({ kind: 'length', length: 5 }, parts), whole);
    assert.deepEqual(read({ kind: 'length', length: 99 }, parts.slice(0, 1)), {
      content: 'ab',
      ended: false,
    });
  });

  test('of no byte is done before anything came', () => {
    for (const framing of [{ kind: 'none' }, { kind: 'length', length: 0 }] as const)
      assert.equal(bodyDecoder(framing, LIMITS).done, true);
  });

  test('that its connection ends goes on for ever', () => {
    assert.equal(read({ kind: 'until-close' }, [Buffer.from('abc')]).ended, false);
  });
});

describe('a chunked body', () => {
  test('is its content and its trailers, without extensions, and what follows is left', () => {
    const text =
      '3;a="b\u00e9"\r\nabc\r\n0A ;x\r\n0123456789\r\n000\r\nX-Trailer: y \r\n\r\nGET / HTTP/1.1\r\n';
    const whole = {
      content: 'abc0123456789',
      ended: true,
      trailers: ['X-Trailer=y'],
      rest: 'GET / HTTP/1.1\r\n',
    };
    assert.deepEqual(chunked(text), whole);
    assert.deepEqual(chunked(text, 1), whole);
  });

  test('of any size is passed on as it comes, never gathered', () => {
    const decoder = bodyDecoder(CHUNKED, LIMITS);
    let passed = 0;
    const receiver = {
      data(bytes: Buffer): boolean {
        passed += bytes.length;
        return true;
      },
      end() {},
      fail() {},
    };
    decoder.push(Buffer.from('fffffffff\r\n'), 0, receiver);
    for (let i = 0; i < 100; i++) decoder.push(Buffer.alloc(65_536), 0, receiver);
    assert.equal(passed, 6_553_600);
  });

  const faults: [string, string][] = [
    ['a sign', '+5\r\nabcde\r\n'],
    ['a hexadecimal prefix', '0x5\r\nabcde\r\n'],
    ['a space before the size', ' 5\r\nabcde\r\n'],
    ['no size', '\r\nabc'],
    ['an underscore', '1_0\r\n'],
    ['a size too large to be exact', 'fffffffffffffff\r\n'],
    ['LF alone after the size', '5\nabcde\r\n'],
    ['CR alone in an extension', '5;a\rb\r\nabcde\r\n'],
    ['NUL in an extension', '5;\0\r\nabcde\r\n'],
    ['a line that is too long', `5;${'x'.repeat(50)}\r\n`],
    ['more data than the size says', '3\r\nabcd\r\n'],
    ['LF alone after the data', '3\r\nabc\n'],
    ['a line between data and size', '3\r\nabc\r\n\r\n0\r\n\r\n'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
    ['a trailer that is no field', '0\r\nGET / HTTP/1.1\r\n\r\n'],
    ['a trailer with a space before its colon', '0\r\nA : b\r\n\r\n'],
    ['trailers without end', `0\r\n${'A: bcdefghijklmnop\r\n'.repeat(5)}`],
  ];
  for (const [what, text] of faults) {
    test(`is refused for ${what}`, () => assert.equal(typeof chunked(text).fault, 'string'));
  }

  test('comes to the same end however the bytes are cut and however often the receiver is full', () => {
    const valid = fc
      .array(fc.string({ unit: fc.constantFrom('a', 'b', '0'), minLength: 1, maxLength: 30 }), {
        maxLength: 5,
      })
      .map(
        (parts) =>
          `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\nrest`,
      );
    const samples = fc.oneof(valid, fc.constantFrom(...faults.map(([, text]) => text)));
    fc.assert(
      fc.property(samples, fc.array(fc.nat(200), { maxLength: 8 }), fc.nat(3), (text, at, stopEvery) => {
        const bytes = Buffer.from(text, 'latin1');
        const points = [
          0,
          ...at.map((point) => point % (bytes.length + 1)).sort((a, b) => a - b),
          bytes.length,
        ];
        const parts = points.slice(1).map((end, i) => bytes.subarray(points[i], end));
        const [whole, pieces] = [chunked(text), read(CHUNKED, parts, stopEvery)];
        assert.equal(pieces.fault === undefined, whole.fault === undefined);
        if (whole.fault === undefined) assert.deepEqual(pieces, whole);
      }),
      { numRuns: 1500 },
    );
  });
});
