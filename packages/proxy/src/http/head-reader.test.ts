import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HeadReader, type HeadResult } from './head-reader.ts';

const LIMITS = { headBytes: 300, headFields: 5 };

/** The outcome of pushing chunk after chunk, and everything that came behind the head. */
function readChunks(chunks: readonly Buffer[]): HeadResult & { trailing?: Buffer } {
  const reader = new HeadReader(LIMITS);
  for (const [i, chunk] of chunks.entries()) {
    const result = reader.push(chunk);
    if (result.kind === 'fault') return result;
    if (result.kind === 'head') {
      const trailing = Buffer.concat([result.rest, ...chunks.slice(i + 1)]);
      return { ...result, rest: Buffer.alloc(0), trailing };
    }
  }
  return { kind: 'more' };
}

const read = (text: string): HeadResult & { trailing?: Buffer } => readChunks([Buffer.from(text, 'latin1')]);

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const points = [0, ...at.map((point) => point % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return points.slice(1).map((end, i) => bytes.subarray(points[i], end));
}

describe('the head reader', () => {
  test('reads a request line and fields, trimmed, in order', () => {
    const result = read('GET http://a/?b HTTP/1.1\r\nHost:a\r\nX-Y: \t v\u00e9 w \t\r\nEmpty:\r\n\r\nrest');
    assert.equal(result.kind, 'head');
    if (result.kind !== 'head') return;
    assert.equal(result.head.method, 'GET');
    assert.equal(result.head.target, 'http://a/?b');
    assert.deepEqual(
      result.head.fields.map(({ lowerName, value }) => [lowerName, value]),
      [
        ['host', 'a'],
        ['x-y', 'v\u00e9 w'],
        ['empty', ''],
      ],
    );
    assert.equal(String(result.trailing), 'rest');
  });

  const faults: [string, string, number][] = [
    ['LF alone after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
    ['LF alone after a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 400],
    ['CR alone', 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n', 400],
    ['two CR', 'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n', 400],
    ['an empty first line', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a NUL', 'GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n', 400],
    ['a control character', 'GET / HTTP/1.1\r\nHost: a\u0001b\r\n\r\n', 400],
    ['a folded field', 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', 400],
    ['a tab-folded field', 'GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n', 400],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['a field without colon', 'GET / HTTP/1.1\r\nHost\r\n\r\n', 400],
    ['a field without name', 'GET / HTTP/1.1\r\n: a\r\n\r\n', 400],
    ['a field name with a strange byte', 'GET / HTTP/1.1\r\nHo(st: a\r\n\r\n', 400],
    ['two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a tab for a space', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a space at the end', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 400],
    ['a space at the beginning', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a target with a high byte', 'GET /\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['no version', 'GET /\r\nHost: a\r\n\r\n', 400],
    ['a version in small letters', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
    ['a version of more digits', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n', 400],
    ['a length with an underscore', 'POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 3\r\n\r\n', 400],
    ['TLS', '\u0016\u0003\u0001', 400],
    ['too many fields', `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(6)}\r\n`, 431],
    ['too many bytes', `GET /${'x'.repeat(400)} HTTP/1.1\r\n`, 431],
    ['too many bytes in the end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(269)}\r\n\r\n`, 431],
  ];
  for (const [what, text, status] of faults) {
    test(`refuses ${what}`, () => {
      const result = read(text);
      assert.equal(result.kind === 'fault' && result.fault.status, status);
    });
  }

  test('takes a head of exactly the largest size, and Host is optional in HTTP/1.0', () => {
    const head = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(300 - 32)}`.slice(0, 296);
    assert.equal(read(`${head}\r\n\r\nrest`).kind, 'head');
    assert.equal(read('CONNECT a:1 HTTP/1.0\r\n\r\n').kind, 'head');
  });

  test('comes to the same end however the bytes are cut', () => {
    const samples = fc.constantFrom(
      'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nrest of it',
      ...faults.map(([, text]) => text),
    );
    const mutations = fc.array(fc.tuple(fc.nat(200), fc.constantFrom(0, 9, 10, 13, 32, 58, 65, 255)), {
      maxLength: 3,
    });
    const cuts = fc.array(fc.nat(400), { maxLength: 12 });
    fc.assert(
      fc.property(samples, mutations, cuts, (text, changes, at) => {
        const bytes = Buffer.from(text, 'latin1');
        for (const [where, value] of changes) bytes[where % bytes.length] = value;
        assert.deepEqual(readChunks(cut(bytes, at)), readChunks([bytes]));
      }),
      { numRuns: 3000 },
    );
  });

  test('takes one byte at a time', () => {
    const bytes = Buffer.from('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nxyz');
    const result = readChunks([...bytes].map((byte) => Buffer.from([byte])));
    assert.equal(result.kind, 'head');
    assert.equal(String(result.trailing), 'xyz');
  });
});
