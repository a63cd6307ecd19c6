import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BodyLength } from '../exchange/body.ts';
import { bodyDecoder } from '../http/body-decoder.ts';
import { responseFramingOf } from '../http/framing.ts';
import { ResponseHeadReader } from '../http/head-reader.ts';
import { field } from '../http/request-head.ts';
import { writeResponse } from './response-writer.ts';

const LIMITS = { headBytes: 16_384, headFields: 128, chunkLineBytes: 100, trailerBytes: 4096 };

const name = fc
  .string({ unit: fc.constantFrom(...'abcXYZ09-_!'), minLength: 1, maxLength: 12 })
  .map((text) => `x-${text}`);
const value = fc
  .string({ unit: fc.constantFrom(...'ab "\t:;=,é'), maxLength: 20 })
  .map((text) => text.trim());
const fields = fc.array(fc.tuple(name, value), { maxLength: 6 });
const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 });

describe('what is written', () => {
  test('is what the reader reads: status, fields, body and trailers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 299 }),
        fields,
        pieces,
        fields,
        fc.boolean(),
        (status, head, body, end, known) => {
          fc.pre(status !== 204);
          const socket = new PassThrough({ highWaterMark: 1 << 20 });
          const content = Buffer.concat(body);
          const length: BodyLength = known ? { kind: 'length', length: content.length } : { kind: 'stream' };
          let ended: boolean | undefined;
          const sink = writeResponse({
            socket: socket as unknown as Socket,
            head: { status, fields: head.map(([n, v]) => field(n, v)) },
            length,
            version: '1.1',
            close: false,
            onEnd: (complete) => {
              ended = complete;
            },
          });
          for (const piece of body) sink.write(Buffer.from(piece));
          sink.end(end.map(([n, v]) => field(n, v)));
          assert.equal(ended, true);
          const read = readResponse(everythingIn(socket));
          assert.equal(read.status, status);
          const framing = known ? [`Content-Length=${content.length}`] : ['Transfer-Encoding=chunked'];
          assert.deepEqual(read.fields, [...head.map(([n, v]) => `${n}=${v}`), ...framing]);
          assert.deepEqual(read.content, content);
          assert.deepEqual(read.trailers, known ? [] : end.map(([n, v]) => `${n}=${v}`));
        },
      ),
      { numRuns: 500 },
    );
  });

  const wrong: [string, number, number][] = [
    ['longer', 3, 4],
    ['shorter', 5, 4],
  ];
  for (const [what, promised, sent] of wrong) {
    test(`is cut off when the body is ${what} than its length`, () => {
      const socket = Object.assign(new PassThrough(), { resetAndDestroy: () => socket.destroy() });
      socket.on('error', () => {});
      const ends: boolean[] = [];
      const sink = writeResponse({
        socket: socket as unknown as Socket,
        head: { status: 200, fields: [] },
        length: { kind: 'length', length: promised },
        version: '1.1',
        close: false,
        onEnd: (complete) => ends.push(complete),
      });
      sink.write(Buffer.alloc(sent));
      sink.end([]);
      assert.deepEqual(ends, [false]);
      assert.equal(socket.destroyed, true);
    });
  }
});

function everythingIn(stream: PassThrough): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

interface Response {
  readonly status: number;
  readonly fields: string[];
  readonly content: Buffer;
  readonly trailers: string[];
}

function readResponse(bytes: Buffer): Response {
  const result = new ResponseHeadReader(LIMITS).push(bytes);
  assert.equal(result.kind, 'head');
  if (result.kind !== 'head') throw new Error('unreachable');
  const framing = responseFramingOf(result.head, 'GET');
  assert.notEqual(framing.kind, 'fault');
  const content: Buffer[] = [];
  let trailers: string[] = [];
  const show = ({ name: n, value: v }: { name: string; value: string }): string => `${n}=${v}`;
  if (framing.kind !== 'fault') {
    bodyDecoder(framing, LIMITS).push(result.rest, 0, {
      data: (piece) => content.push(piece) > 0,
      end: (all) => {
        trailers = all.map(show);
      },
      fail: assert.fail,
    });
  }
  return {
    status: result.head.status,
    fields: result.head.fields.map(show),
    content: Buffer.concat(content),
    trailers,
  };
}
