import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { limitsWith } from '../limits.ts';
import { clientHello } from '../test-support/client-hello.ts';
import { classifyFirstBytes, type FirstBytes } from './first-bytes.ts';

const LIMITS = limitsWith();
const classify = (bytes: Buffer): FirstBytes => classifyFirstBytes(bytes, LIMITS);
const text = (value: string): Buffer => Buffer.from(value, 'latin1');

const table: [string, Buffer, FirstBytes][] = [
  ['nothing', text(''), { kind: 'more' }],
  ['a TLS client', clientHello('Site.Example'), { kind: 'tls', names: ['site.example'] }],
  ['a TLS client without a name', clientHello(undefined), { kind: 'tls', names: [] }],
  [
    'a request',
    text('GET / HTTP/1.1\r\nHost: Site.example.:80\r\n\r\n'),
    { kind: 'http', names: ['site.example'] },
  ],
  ['an old request', text('GET / HTTP/1.0\r\n\r\n'), { kind: 'http', names: [] }],
  [
    'a request with two names',
    text('GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n'),
    { kind: 'http', names: ['b.example', 'a.example'] },
  ],
  [
    'a request for a tunnel',
    text('CONNECT a.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n'),
    { kind: 'http', names: ['b.example', 'a.example'] },
  ],
  ['half a request', text('GET / HTTP/1.1\r\nHost: a'), { kind: 'more' }],
  ['HTTP/2 without TLS', text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), { kind: 'h2' }],
  ['SSH', text('SSH-2.0-OpenSSH_9.9\r\n'), { kind: 'other' }],
  ['SMTP', text('EHLO me\r\n'), { kind: 'other' }],
  ['Redis', text('*1\r\n$4\r\nPING\r\n'), { kind: 'other' }],
  ['Redis that looks like HTTP', text('GET key\r\n'), { kind: 'other' }],
  ['any raw text', text('ping'), { kind: 'other' }],
  ['PostgreSQL that asks for TLS', Buffer.from('0000000804d2162f', 'hex'), { kind: 'preamble', length: 8 }],
  [
    'PostgreSQL that asks for GSSAPI',
    Buffer.from('0000000804d21630', 'hex'),
    { kind: 'preamble', length: 8 },
  ],
  ['PostgreSQL that does not', Buffer.from('0000000900030000', 'hex'), { kind: 'other' }],
  ['a byte that only looks like TLS', Buffer.from([22, 9]), { kind: 'other' }],
];

describe('the first bytes of a client', () => {
  for (const [what, bytes, expected] of table) {
    test(`of ${what} are told`, () => assert.deepEqual(classify(bytes), expected));
  }

  const malformed: [string, Buffer][] = [
    ['a server name that is an address with a port', clientHello('1.2.3.4:5')],
    ['a server name with a strange byte', clientHello('a_b%c')],
    ['a Host with a path', text('GET / HTTP/1.1\r\nHost: a/b\r\n\r\n')],
    ['two Hosts', text('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')],
    ['LF alone', text('GET / HTTP/1.1\nHost: a\n\n')],
    ['no Host', text('GET / HTTP/1.1\r\n\r\n')],
  ];
  for (const [what, bytes] of malformed) {
    test(`with ${what} are malformed`, () => assert.equal(classify(bytes).kind, 'malformed'));
  }

  test('never change their meaning once they have one', () => {
    const samples = fc.constantFrom(
      ...table.map(([, bytes]) => bytes),
      ...malformed.map(([, bytes]) => bytes),
    );
    const changes = fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 3 });
    fc.assert(
      fc.property(samples, changes, fc.uint8Array({ maxLength: 20 }), (sample, mutations, tail) => {
        const bytes = Buffer.concat([sample, tail]);
        for (const [at, value] of mutations) if (bytes.length > 0) bytes[at % bytes.length] = value;
        const final = classify(bytes);
        for (let end = 0; end < bytes.length; end++) {
          const early = classify(bytes.subarray(0, end));
          if (early.kind !== 'more') assert.deepEqual(early, final);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
