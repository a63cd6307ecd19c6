import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import fc from 'fast-check';
import { clientHello, helloMessage, records, serverNameExtension } from '../test-support/client-hello.ts';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { readClientHello } from './client-hello.ts';

describe('the ClientHello reader', () => {
  test('finds the server name that a real TLS client sends', async () => {
    const server = createServer();
    await once(server.listen(0, LOOPBACK), 'listening');
    const client = tlsConnect({ host: LOOPBACK, port: portOf(server), servername: 'real.example' });
    client.on('error', () => {});
    const [socket] = await once(server, 'connection');
    const [bytes] = await once(socket, 'data');
    assert.deepEqual(readClientHello(bytes), { kind: 'hello', serverName: 'real.example' });
    client.destroy();
    socket.destroy();
    server.close();
  });

  test('finds the name however the message is spread over records and segments', () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 400 }), (name, size) => {
        const bytes = clientHello(name, size);
        for (let end = 0; end < bytes.length; end++) {
          assert.deepEqual(readClientHello(bytes.subarray(0, end)), { kind: 'more' });
        }
        const more = Buffer.concat([bytes, Buffer.from([20, 3, 3, 0, 1, 1])]);
        assert.deepEqual(readClientHello(more), { kind: 'hello', serverName: name });
      }),
      { numRuns: 50 },
    );
  });

  test('a hello may have no name', () => {
    assert.deepEqual(readClientHello(clientHello(undefined)), { kind: 'hello' });
  });

  const name = serverNameExtension('a.example');
  const malformed: [string, Buffer][] = [
    ['two server names', records(helloMessage([name, name]))],
    ['an empty server name', records(helloMessage([serverNameExtension('')]))],
    ['a server name with a NUL', records(helloMessage([serverNameExtension('a\0b')]))],
    ['a server name with a space', records(helloMessage([serverNameExtension('a b')]))],
    [
      'a list of two names',
      records(helloMessage([Buffer.from('0000000a000800000161000001620000'.slice(0, 28), 'hex')])),
    ],
    ['an extension that is cut short', records(helloMessage([name.subarray(0, -1)]))],
    ['another handshake message', records(Buffer.from([2, 0, 0, 1, 0]))],
    ['an empty hello', records(Buffer.from([1, 0, 0, 0]))],
    ['a hello that is too short', records(Buffer.from([1, 0, 0, 1, 3]))],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0xff, 0xff])],
    [
      'another record in between',
      Buffer.concat([clientHello('a.example', 50).subarray(0, 55), Buffer.from([23])]),
    ],
  ];
  for (const [what, bytes] of malformed) {
    test(`refuses ${what}`, () => assert.equal(readClientHello(bytes).kind, 'malformed'));
  }

  test('never throws, and never changes its mind when more bytes come', () => {
    const valid = clientHello('some.name.example', 60);
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 5 })
      .map((changes) =>
        changes.reduce((bytes, [at, value]) => bytes.fill(value, at, at + 1), Buffer.from(valid)),
      );
    fc.assert(
      fc.property(mutated, (bytes) => {
        const final = readClientHello(bytes);
        for (let end = 0; end < bytes.length; end++) {
          const early = readClientHello(bytes.subarray(0, end));
          if (early.kind !== 'more') assert.deepEqual(early, final);
        }
      }),
      { numRuns: 300 },
    );
  });
});
