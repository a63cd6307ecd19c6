import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls, createServer, type TLSSocket } from 'node:tls';
import type { Evidence } from '@openshell/policy';
import type { Flow } from '../evidence.ts';
import { runsOver } from '../relay/reset.ts';
import { clientHello } from '../test-support/client-hello.ts';
import { closeReason, Fixture, LOOPBACK, portOf, readAll, readUntil } from '../test-support/fixture.ts';
import { HOST, inspecting, originIdentity, ScriptedOrigin } from '../test-support/inspected.ts';
import { ACCESS_DENIED_ALERT } from '../tls/alert.ts';
import type { Adoption } from './adoption.ts';

const WGET: Evidence = {
  kind: 'process',
  pid: 7,
  executable: { path: '/usr/bin/wget', sha256: 'cd'.repeat(32), pinned: true },
  ancestors: [],
  argv: [],
};

const flowTo = (serverAddress: string, serverPort: number): Flow => ({
  family: 4,
  clientAddress: '10.1.1.1',
  clientPort: 4000,
  serverAddress,
  serverPort,
});

/** A client whose connection comes to the fixture's tenant inside TLS, as it does over the link. */
async function tlsClient(fixture: Fixture, adoption: Adoption): Promise<TLSSocket> {
  const server = createServer({ ...originIdentity(), allowHalfOpen: true, pauseOnConnect: true } as object);
  let carrier: Socket | undefined;
  server.once('connection', (socket: Socket) => {
    carrier = socket;
  });
  server.once('secureConnection', (socket: TLSSocket) => {
    socket.pause();
    runsOver(socket, carrier!);
    server.close();
    fixture.tenant.adopt(socket, adoption);
  });
  await once(server.listen(0, LOOPBACK), 'listening');
  const below = connect({ host: LOOPBACK, port: portOf(server), allowHalfOpen: true });
  await once(below, 'connect');
  const client = connectTls({
    ...{ socket: below, rejectUnauthorized: false },
    ...({ allowHalfOpen: true } as object),
  });
  client.on('error', () => {});
  await once(client, 'secureConnect');
  return client;
}

const connectTo = async (client: Socket, authority: string): Promise<void> => {
  client.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await readUntil(client, '200 Connection Established\r\n\r\n');
};

describe('a connection that somebody else has accepted, inside TLS', () => {
  test('is relayed to its end on each side, with the flow and the evidence that came along', async () => {
    await using fixture = await Fixture.start({ allow: ['echo.example:7'], binary: '/usr/bin/wget' });
    await fixture.origin('echo.example', (socket) => socket.pipe(socket));
    const client = await tlsClient(fixture, {
      kind: 'explicit',
      flow: flowTo('10.1.1.2', 1),
      evidence: WGET,
    });
    await connectTo(client, 'echo.example:7');
    const bytes = Buffer.alloc(2_000_000, 'x');
    client.end(bytes);
    assert.equal((await readAll(client)).compare(bytes), 0);
    await fixture.tenant.idle();
    assert.deepEqual(fixture.engine.asked[0]?.evidence, WGET);
  });

  test('learns of a reset of its destination, which learns of one of the client', async () => {
    await using fixture = await Fixture.start({ allow: ['a.example:7'] });
    const { sockets } = await fixture.origin('a.example', () => {});
    const [one, other] = await Promise.all([1, 2].map(() => tlsClient(fixture, { kind: 'explicit' })));
    await connectTo(one!, 'a.example:7');
    const ended = closeReason(one!);
    sockets[0]!.resetAndDestroy();
    assert.equal(await ended, 'ECONNRESET');
    await connectTo(other!, 'a.example:7');
    const gone = closeReason(sockets[1]!);
    (other as TLSSocket & { readonly _parent: Socket })._parent.resetAndDestroy();
    assert.equal(await gone, 'ECONNRESET');
  });

  test('has the TLS inside of it opened', async () => {
    await using fixture = await inspecting('protocol: rest, access: read-only');
    const origin = await ScriptedOrigin.startSecure(fixture);
    origin.onConnection = (wire) => void wire.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const client = await tlsClient(fixture, { kind: 'explicit' });
    await connectTo(client, `${HOST}:443`);
    const { bundlePem: ca } = await fixture.proxy.authority();
    const inner = connectTls({ socket: client, servername: HOST, ca, ALPNProtocols: ['http/1.1'] });
    await once(inner, 'secureConnect');
    inner.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    assert.match(await readUntil(inner, '\r\n\r\nok'), /^HTTP\/1.1 200 OK/);
    inner.write(`DELETE / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
    assert.match(String(await readAll(inner)), /^HTTP\/1.1 403 /);
    client.destroy();
    await fixture.tenant.idle();
  });

  test('that was captured goes to the name that was looked up where it was, and is held to it', async () => {
    await using fixture = await Fixture.start({ allow: ['echo.example:443'] });
    await fixture.origin('echo.example', (socket) => socket.pipe(socket));
    const captured = { kind: 'transparent', flow: flowTo('198.18.0.9', 443) } as const;
    const named = { ...captured, name: 'echo.example' };
    const client = await tlsClient(fixture, named);
    client.end('hello');
    assert.equal(String(await readAll(client)), 'hello');
    const liar = await tlsClient(fixture, named);
    liar.write(clientHello('other.example'));
    assert.deepEqual(await readAll(liar), ACCESS_DENIED_ALERT);
    const nameless = await tlsClient(fixture, captured);
    assert.equal(await closeReason(nameless.end('x')), 'ECONNRESET');
    const codes = fixture.refusals.map(({ code }) => code);
    assert.deepEqual(codes, ['name_contradiction', 'name_forgotten']);
  });
});

test('a tenant that has ended adopts nothing, and none adopts a client that has gone', async () => {
  await using fixture = await Fixture.start({ allow: [] });
  const gone = new Socket().destroy();
  fixture.tenant.adopt(gone, { kind: 'explicit' });
  await fixture.tenant.close();
  assert.equal(await closeReason(await tlsClient(fixture, { kind: 'explicit' })), undefined);
  assert.equal(fixture.tenant.status().counters.accepted, 0);
});
