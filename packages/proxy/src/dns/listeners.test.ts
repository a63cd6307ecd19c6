import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { eventLine } from '@openshell/audit';
import { ask, dnsQuery, dnsReply, lookup } from '../test-support/dns-client.ts';
import { closeReason, Fixture, LOOPBACK, portOf } from '../test-support/fixture.ts';
import { RCODE } from './message.ts';

const framed = (query: Buffer): Buffer =>
  Buffer.concat([Buffer.from([query.length >> 8, query.length & 255]), query]);

async function read(socket: Socket, length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) bytes = Buffer.concat([bytes, (await once(socket, 'data'))[0]]);
  return bytes;
}

describe('DNS over UDP', () => {
  test('answers allowed names and those that the operator placed', async () => {
    await using fixture = await Fixture.start({
      allow: ['site.example:443'],
      overrides: [{ name: 'placed.example', address: LOOPBACK }],
    });
    assert.equal(await lookup(fixture, 'site.example'), '198.18.0.1');
    assert.equal(await lookup(fixture, 'placed.example'), '198.18.0.2');
    assert.equal(fixture.tenant.status().names, 2);
  });

  test('reports a refused name once, with the number of times at the end', async () => {
    await using fixture = await Fixture.start({ allow: [] });
    for (let i = 0; i < 3; i++) {
      assert.equal(dnsReply(await ask(fixture, dnsQuery('evil.example'))).rcode, RCODE.nxDomain);
    }
    await fixture.tenant.close();
    assert.deepEqual(fixture.sink.events.map(eventLine), [
      'DNS:RESPONSE [LOW] DENIED evil.example A [rcode:NXDomain] [reason:no policy allows this name]',
      'DNS:RESPONSE [LOW] DENIED evil.example A [rcode:NXDomain] [reason:no policy allows this name]',
    ]);
    assert.deepEqual(
      fixture.sink.events.map((event) => event.unmapped?.count),
      [1, 2],
    );
  });

  test('stops answering a flood, and another sandbox is not affected', async () => {
    await using flooded = await Fixture.start({ allow: ['site.example:1'], limits: { dnsQueryRate: 5 } });
    await using other = await Fixture.start({ allow: ['site.example:1'] });
    const socket = createSocket('udp4');
    let answers = 0;
    const five = new Promise<void>((resolve) => {
      socket.on('message', () => {
        answers += 1;
        if (answers === 5) resolve();
      });
    });
    for (let i = 0; i < 50; i++)
      socket.send(dnsQuery('site.example'), portOf(flooded.servers.dnsUdp), LOOPBACK);
    await five;
    assert.equal(await lookup(other, 'site.example'), '198.18.0.1');
    assert.equal(answers, 5);
    socket.close();
  });
});

describe('DNS over TCP', () => {
  test('answers several queries a connection, however they are cut', async () => {
    await using fixture = await Fixture.start({ allow: ['site.example:443'] });
    const socket = await fixture.connectTo(portOf(fixture.servers.dnsTcp));
    const query = framed(dnsQuery('site.example'));
    const answer = 2 + 30 + 16;
    for (const byte of query) socket.write(Buffer.from([byte]));
    const first = await read(socket, answer);
    assert.equal(first.readUInt16BE(0), first.length - 2);
    socket.write(Buffer.concat([query, query]));
    assert.equal((await read(socket, 2 * answer)).length, 2 * answer);
    socket.end();
    assert.equal(await closeReason(socket), undefined);
  });

  test('closes what stays silent, what is too long, and what is too many', async () => {
    await using impatient = await Fixture.start({ allow: [], limits: { dnsTcpIdleTime: 30 } });
    const silent = await impatient.connectTo(portOf(impatient.servers.dnsTcp));
    silent.write(Buffer.from([0]));
    await closeReason(silent);

    await using fixture = await Fixture.start({
      allow: [],
      limits: { dnsMessageBytes: 512, dnsTcpConnections: 1 },
    });
    const port = portOf(fixture.servers.dnsTcp);
    const long = await fixture.connectTo(port);
    // The reset can come in before the client has seen that it is connected.
    const surplus = fixture.connectTo(port).then(closeReason, (error: NodeJS.ErrnoException) => error.code);
    assert.equal(await surplus, 'ECONNRESET');
    long.write(Buffer.from([0xff, 0xff]));
    await closeReason(long);
  });
});
