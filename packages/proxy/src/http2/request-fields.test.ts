import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { limitsWith } from '../limits.ts';
import { readRequest } from './request-fields.ts';
import type { Pairs } from './test-support/frames.ts';

const limits = limitsWith();
const read = (pairs: Pairs, ended = true) => readRequest(pairs.flat(), { scheme: 'https', ended, limits });

const METHOD = [':method', 'POST'] as const;
const SCHEME = [':scheme', 'https'] as const;
const AUTHORITY = [':authority', 'api.example'] as const;
const PATH = [':path', '/a?b=c'] as const;
const HEAD: Pairs = [METHOD, SCHEME, AUTHORITY, PATH];

function understood(pairs: Pairs, ended = true) {
  const result = read(pairs, ended);
  assert.equal(result.kind, 'request');
  return result.kind === 'request' ? result : assert.fail();
}

describe('the head of an HTTP/2 request', () => {
  test('is understood, and freed of what belongs to the connection', () => {
    const { request, length } = understood(
      [
        ...HEAD,
        ['host', 'api.example'],
        ['te', 'trailers'],
        ['content-length', '5'],
        ['expect', '100-continue'],
        ['proxy-authorization', 'Basic eA=='],
        ['x-a', '1'],
        ['x-a', '2'],
      ],
      false,
    );
    assert.deepEqual(request, {
      method: 'POST',
      target: '/a?b=c',
      scheme: 'https',
      authority: 'api.example',
      version: '2',
      fields: [
        { name: 'x-a', lowerName: 'x-a', value: '1' },
        { name: 'x-a', lowerName: 'x-a', value: '2' },
      ],
      expectsContinue: true,
      upgrade: undefined,
    });
    assert.equal(length, 5);
  });

  test('joins the crumbs of a cookie where the first was', () => {
    const { request } = understood([...HEAD, ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2']]);
    assert.deepEqual(
      request.fields.map(({ name, value }) => [name, value]),
      [
        ['cookie', 'a=1; b=2'],
        ['x', 'y'],
      ],
    );
  });

  test('tells how long the body is', () => {
    assert.equal(understood(HEAD).length, 0);
    assert.equal(understood(HEAD, false).length, undefined);
    assert.equal(understood([...HEAD, ['content-length', '0']]).length, 0);
  });

  test('may name its authority in Host alone', () => {
    const { request } = understood([METHOD, SCHEME, PATH, ['host', 'Api.Example:8443']]);
    assert.equal(request.authority, 'Api.Example:8443');
  });

  test('may be about the whole server', () => {
    const { request } = understood([[':method', 'OPTIONS'], SCHEME, AUTHORITY, [':path', '*']]);
    assert.equal(request.target, '*');
  });

  const refused: [string, Pairs, number?][] = [
    ['no method', [SCHEME, AUTHORITY, PATH]],
    ['no scheme', [METHOD, AUTHORITY, PATH]],
    ['no path', [METHOD, SCHEME, AUTHORITY]],
    ['neither :authority nor Host', [METHOD, SCHEME, PATH]],
    ['a pseudo-header field twice', [...HEAD, [':path', '/other']]],
    ['an unknown pseudo-header field', [...HEAD, [':status', '200']]],
    ['a pseudo-header field behind another field', [METHOD, SCHEME, AUTHORITY, ['a', 'b'], PATH]],
    ['another scheme', [METHOD, [':scheme', 'http'], AUTHORITY, PATH]],
    ['a method that is no token', [[':method', 'GET /x HTTP/1.1'], SCHEME, AUTHORITY, PATH]],
    ['CONNECT', [[':method', 'CONNECT'], AUTHORITY]],
    ['extended CONNECT', [[':method', 'CONNECT'], [':protocol', 'websocket'], SCHEME, AUTHORITY, PATH]],
    ['a path with a space', [METHOD, SCHEME, AUTHORITY, [':path', '/a b']]],
    ['a path with a line break', [METHOD, SCHEME, AUTHORITY, [':path', '/a HTTP/1.1\r\nX: y']]],
    ['a path beyond ASCII', [METHOD, SCHEME, AUTHORITY, [':path', '/\xe9']]],
    ['a path without a slash', [METHOD, SCHEME, AUTHORITY, [':path', 'http://other.example/']]],
    ['an empty path', [METHOD, SCHEME, AUTHORITY, [':path', '']]],
    ['an asterisk for another method', [METHOD, SCHEME, AUTHORITY, [':path', '*']]],
    ['Host against :authority', [...HEAD, ['host', 'other.example']]],
    ['Host twice', [...HEAD, ['host', 'api.example'], ['host', 'api.example']]],
    ['a user in the authority', [METHOD, SCHEME, [':authority', 'user@api.example'], PATH]],
    ['an empty authority', [METHOD, SCHEME, [':authority', ''], PATH]],
    ['a name in upper case', [...HEAD, ['X-A', '1']]],
    ['a name with a space', [...HEAD, ['x a', '1']]],
    ['a name with a colon', [...HEAD, ['x:a', '1']]],
    ['a name with a line break', [...HEAD, ['x\r\ny', '1']]],
    ['an empty name', [...HEAD, ['', '1']]],
    ['a value with a line break', [...HEAD, ['x', 'a\r\nb: c']]],
    ['a value with a bare line feed', [...HEAD, ['x', 'a\nb']]],
    ['a value with a NUL', [...HEAD, ['x', 'a\0b']]],
    ['a value with a space before it', [...HEAD, ['x', ' a']]],
    ['a value with a tab behind it', [...HEAD, ['x', 'a\t']]],
    ['Connection', [...HEAD, ['connection', 'close']]],
    ['Keep-Alive', [...HEAD, ['keep-alive', 'timeout=5']]],
    ['Proxy-Connection', [...HEAD, ['proxy-connection', 'close']]],
    ['Transfer-Encoding', [...HEAD, ['transfer-encoding', 'chunked']]],
    ['Upgrade', [...HEAD, ['upgrade', 'websocket']]],
    ['HTTP2-Settings', [...HEAD, ['http2-settings', 'AAMAAABkAAQAAP__']]],
    ['TE other than trailers', [...HEAD, ['te', 'gzip']]],
    ['two lengths', [...HEAD, ['content-length', '0'], ['content-length', '0']]],
    ['a signed length', [...HEAD, ['content-length', '+0']]],
    ['a list of lengths', [...HEAD, ['content-length', '0, 0']]],
    ['a length without a body', [...HEAD, ['content-length', '5']]],
    ['another expectation', [...HEAD, ['expect', 'magic']], 417],
    ['too many bytes', [...HEAD, ['x', 'y'.repeat(limits.headBytes)]], 431],
    [
      'too many fields',
      [...HEAD, ...Array.from({ length: limits.headFields + 1 }, () => ['x', '1'] as const)],
      431,
    ],
  ];
  for (const [what, pairs, status = 400] of refused) {
    test(`is refused: ${what}`, () => {
      const result = read(pairs);
      assert.equal(result.kind === 'fault' ? result.fault.status : result.kind, status);
    });
  }

  test('whatever comes, what is understood can be written as HTTP/1 and read as the same', () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom(':path', ':method', 'host', 'x', 'te', 'content-length'),
    );
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('/', 'a\r\nb', '1', 'api.example'));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (extra) => {
        const result = read([...HEAD, ...extra]);
        if (result.kind === 'fault') return;
        const { method, target, fields } = result.request;
        const lines = [
          `${method} ${target} HTTP/1.1`,
          ...fields.map((field) => `${field.name}: ${field.value}`),
        ];
        for (const line of lines) assert.match(line, /^[\t\x20-\x7e\x80-\xff]*$/);
        for (const field of fields) assert.match(field.name, /^[!#$%&'*+\-.^_`|~0-9a-z]+$/);
      }),
    );
  });
});
