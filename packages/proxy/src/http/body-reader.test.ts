import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bodyReader } from './body-reader.ts';
import type { BodyFraming } from './framing.ts';

const LIMITS = { chunkLineBytes: 40, trailerBytes: 60 };

interface Read {
  readonly output: string;
  readonly done: boolean;
  readonly fault?: string;
}

function read(framing: BodyFraming, chunks: readonly Buffer[]): Read {
  const reader = bodyReader(framing, LIMITS);
  let output = '';
  for (const chunk of chunks) {
    const result = reader.push(chunk);
    if (result.kind === 'fault') return { output: '', done: false, fault: result.detail };
    output += Buffer.concat(result.output).toString('latin1');
    if (result.done) return { output, done: true };
  }
  return { output, done: false };
}

const chunked = (text: string): Read => read({ kind: 'chunked' }, [Buffer.from(text, 'latin1')]);

/** What a chunked body says, however it is cut into chunks. */
const content = (text: string): string => text.replace(/[0-9a-f]+\r\n([^\r]*)\r\n/g, '$1');

describe('a body of known length', () => {
  test('ends where it ends, and what follows is dropped', () => {
    const parts = ['ab', 'cd', 'eGET / HTTP/1.1'].map((text) => Buffer.from(text));
    assert.deepEqual(read({ kind: 'length', length: 5 }, parts), { output: 'abcde', done: true });
    assert.deepEqual(read({ kind: 'length', length: 0 }, parts), { output: '', done: true });
    assert.deepEqual(read({ kind: 'length', length: 99 }, parts.slice(0, 1)), { output: 'ab', done: false });
  });
});

describe('a chunked body', () => {
  test('is framed anew, without extensions, trailers and what follows', () => {
    const text =
      '3;a="b\u00e9"\r\nabc\r\n0A ;x\r\n0123456789\r\n000\r\nX-Trailer: y\r\n\r\nGET / HTTP/1.1\r\n';
    assert.deepEqual(chunked(text), { output: '3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n', done: true });
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
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
    ['a trailer that is no field', '0\r\nGET / HTTP/1.1\r\n\r\n'],
    ['trailers without end', `0\r\n${'A: bcdefghijklmnop\r\n'.repeat(5)}`],
  ];
  for (const [what, text] of faults) {
    test(`is refused for ${what}`, () => assert.equal(typeof chunked(text).fault, 'string'));
  }

  test('comes to the same end however the bytes are cut', () => {
    const valid = fc
      .array(fc.string({ unit: fc.constantFrom('a', 'b', '0'), minLength: 1, maxLength: 30 }), {
        maxLength: 5,
      })
      .map(
        (parts) => `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`,
      );
    const samples = fc.oneof(valid, fc.constantFrom(...faults.map(([, text]) => text)));
    fc.assert(
      fc.property(samples, fc.array(fc.nat(200), { maxLength: 8 }), (text, at) => {
        const bytes = Buffer.from(text, 'latin1');
        const points = [
          0,
          ...at.map((point) => point % (bytes.length + 1)).sort((a, b) => a - b),
          bytes.length,
        ];
        const parts = points.slice(1).map((end, i) => bytes.subarray(points[i], end));
        const [whole, pieces] = [chunked(text), read({ kind: 'chunked' }, parts)];
        assert.equal(pieces.fault, whole.fault);
        assert.equal(pieces.done, whole.done);
        if (whole.done) assert.equal(content(pieces.output), content(whole.output));
      }),
      { numRuns: 1000 },
    );
  });
});
