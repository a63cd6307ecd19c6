import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { makeAuthority, makeServerIdentity } from './certificate.ts';
import { integer, oid, sequence } from './der.ts';

const authority = makeAuthority('Tour authority');
const server = makeServerIdentity(['origin.test', 'other.test'], authority);

describe('a certificate', () => {
  const certificate = new X509Certificate(server.certificate);
  const issuer = new X509Certificate(authority.certificate);

  test('is signed by its authority', () => {
    assert.ok(certificate.verify(issuer.publicKey));
    assert.ok(certificate.checkIssued(issuer));
    assert.ok(certificate.checkPrivateKey(server.key));
  });
  test('is for its names only', () => {
    assert.equal(certificate.checkHost('other.test'), 'other.test');
    assert.equal(certificate.checkHost('elsewhere.test'), undefined);
  });
  test('cannot sign others, and its authority can', () => {
    assert.deepEqual([certificate.ca, issuer.ca], [false, true]);
  });
  test('is accepted in a TLS handshake that trusts the authority, and in no other', async () => {
    const listener = createServer({
      cert: server.certificate,
      key: server.key.export({ type: 'pkcs8', format: 'pem' }),
    });
    listener.on('tlsClientError', () => {});
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const trusting = connect({
      port,
      host: '127.0.0.1',
      servername: 'origin.test',
      ca: authority.certificate,
    });
    await once(trusting, 'secureConnect');
    trusting.destroy();
    const stranger = makeAuthority('Tour authority');
    const refusing = connect({
      port,
      host: '127.0.0.1',
      servername: 'origin.test',
      ca: stranger.certificate,
    });
    await assert.rejects(once(refusing, 'secureConnect'));
    listener.close();
  });
});

describe('DER', () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['a length below 128', sequence(Buffer.alloc(127)).subarray(0, 2), '307f'],
    ['a length of one byte', sequence(Buffer.alloc(128)).subarray(0, 3), '308180'],
    ['a length of two bytes', sequence(Buffer.alloc(256)).subarray(0, 4), '30820100'],
    ['a length of three bytes', sequence(Buffer.alloc(65_536)).subarray(0, 5), '3083010000'],
    ['a number whose first bit is set', integer(Buffer.of(0x80)), '02020080'],
    ['an identifier with large parts', oid('1.2.840.10045'), '06052a8648ce3d'],
  ];
  for (const [name, bytes, hex] of cases) test(name, () => assert.equal(bytes.toString('hex'), hex));
});
