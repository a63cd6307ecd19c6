import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { framingOf } from './framing.ts';
import { HeadReader } from './head-reader.ts';

function framing(fields: string, method = 'POST', version = '1.1'): unknown {
  const text = `${method} http://a/ HTTP/${version}\r\nHost: a\r\n${fields}\r\n`;
  const result = new HeadReader({ headBytes: 1000, headFields: 20 }).push(Buffer.from(text));
  if (result.kind !== 'head') throw new Error(JSON.stringify(result));
  const { kind, ...rest } = framingOf(result.head);
  return 'length' in rest ? rest.length : kind;
}

describe('the framing of a body', () => {
  const table: [string, unknown][] = [
    ['', 'none'],
    ['Content-Length: 0\r\n', 0],
    ['Content-Length: 12\r\n', 12],
    ['Transfer-Encoding: chunked\r\n', 'chunked'],
    ['transfer-encoding: Chunked\r\n', 'chunked'],
    ['Content-Length: +5\r\n', 'fault'],
    ['Content-Length: -5\r\n', 'fault'],
    ['Content-Length: 5, 5\r\n', 'fault'],
    ['Content-Length: 0x5\r\n', 'fault'],
    ['Content-Length: 5 5\r\n', 'fault'],
    ['Content-Length:\r\n', 'fault'],
    ['Content-Length: 9999999999999999\r\n', 'fault'],
    ['Content-Length: 5\r\nContent-Length: 5\r\n', 'fault'],
    ['Content-Length: 5\r\nContent-Length: 6\r\n', 'fault'],
    ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 'fault'],
    ['Transfer-Encoding: gzip, chunked\r\n', 'fault'],
    ['Transfer-Encoding: chunked, chunked\r\n', 'fault'],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 'fault'],
    ['Transfer-Encoding: identity\r\n', 'fault'],
    ['Transfer-Encoding: xchunked\r\n', 'fault'],
    ['Transfer-Encoding: "chunked"\r\n', 'fault'],
    ['Transfer-Encoding:\r\n', 'fault'],
  ];
  for (const [fields, expected] of table) {
    test(`${JSON.stringify(fields)} is ${expected}`, () => assert.equal(framing(fields), expected));
  }

  test('an HTTP/1.0 request has no transfer coding', () => {
    assert.equal(framing('Transfer-Encoding: chunked\r\n', 'POST', '1.0'), 'fault');
  });
});
