import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import { policyAlone } from './tenant/settings.ts';
import { clientHello } from './test-support/client-hello.ts';
import { FakeEngine } from './test-support/engine.ts';
import { closeReason, Fixture, LOOPBACK, portOf, readAll } from './test-support/fixture.ts';

const CONNECT = 'CONNECT echo.example:7 HTTP/1.1\r\nHost: x\r\n\r\n';
const echo = (socket: Socket): unknown => socket.pipe(socket);

async function withEcho(options: Partial<Parameters<typeof Fixture.start>[0]> = {}): Promise<Fixture> {
  const fixture = await Fixture.start({ allow: ['echo.example:7'], ...options });
  await fixture.origin('echo.example', echo);
  return fixture;
}

/** One complete exchange through a tunnel. */
async function works(fixture: Fixture): Promise<void> {
  const socket = await fixture.tunnel('echo.example:7');
  socket.end('ping');
  assert.equal(String(await readAll(socket)), 'ping');
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a hostile sandbox', () => {
  test('that opens more connections than it may is answered 503, and no other notices', async () => {
    await using hostile = await withEcho({ limits: { handshakes: 20, connections: 40 } });
    await using other = await withEcho();
    const idle = await Promise.all(Array.from({ length: 20 }, () => hostile.client()));
    const surplus = await Promise.all(Array.from({ length: 30 }, () => hostile.ask(CONNECT)));
    for (const answer of surplus) assert.match(answer, /^HTTP\/1.1 503 .*"error":"too_many_connections"/s);
    assert.equal(hostile.tenant.status().handshakes, 20);
    await works(other);
    for (const socket of idle) socket.destroy();
    while (hostile.tenant.status().connections > 0) await settled();
    await works(hostile);
    assert.equal(hostile.tenant.status().counters.shed, 30);
  });

  test('that holds thousands of idle connections costs little memory, and no other notices', async () => {
    await using hostile = await withEcho();
    await using other = await withEcho();
    const before = process.memoryUsage().rss;
    const sockets: Socket[] = [];
    for (let i = 0; i < 50; i++) {
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => hostile.client()))));
    }
    await works(other);
    while (hostile.tenant.status().counters.accepted < 5000) await settled();
    const { connections, handshakes, counters } = hostile.tenant.status();
    const { accepted, shed } = counters;
    assert.equal(accepted, 5000);
    assert.ok(handshakes <= 1024 && connections <= 1024 + 256, `${handshakes} ${connections}`);
    assert.equal(shed, 5000 - 1024);
    // Both ends of all connections are in this process; the bound only tells kilobytes from megabytes for each.
    assert.ok(process.memoryUsage().rss - before < 250 << 20);
    for (const socket of sockets) socket.destroy();
  });

  test('that sends a head of ten megabytes is cut off at the limit', async () => {
    await using fixture = await withEcho();
    const socket = await fixture.client();
    const answer = readAll(socket);
    socket.write('CONNECT echo.example:7 HTTP/1.1\r\nX: ');
    const chunk = Buffer.alloc(1 << 20, 'x');
    for (let i = 0; i < 10 && !socket.destroyed; i++) socket.write(chunk);
    assert.match(String(await answer.catch((error: Error) => error.message)), /HTTP\/1.1 431 |ECONNRESET/);
    const accepted = fixture.tenant.status();
    assert.ok(accepted.connections <= 1);
    await works(fixture);
  });

  test('that sends one byte now and then runs into the deadline of the head', async () => {
    await using fixture = await withEcho({ limits: { headTime: 100 } });
    const socket = await fixture.client();
    const trickle = setInterval(() => socket.write('C'), 5);
    assert.match(String(await readAll(socket)), /^HTTP\/1.1 (408|400) /);
    clearInterval(trickle);
  });

  test('that half-closes at once is let go', async () => {
    await using fixture = await withEcho();
    const socket = await fixture.client();
    socket.end();
    assert.equal(await closeReason(socket), undefined);
    while (fixture.tenant.status().connections > 0) await settled();
  });

  test('that leaves before the answer leaves nothing behind', async () => {
    await using fixture = await withEcho();
    for (let i = 0; i < 50; i++) {
      const socket = await fixture.client();
      socket.write(CONNECT);
      socket.resetAndDestroy();
    }
    await works(fixture);
    while (fixture.tenant.status().connections > 0) await settled();
    assert.equal(fixture.refusals.length, 0);
  });

  test('that sends random bytes to every listener breaks nothing', async () => {
    await using fixture = await withEcho({
      limits: { headTime: 50, peekTime: 20, refusalPeekTime: 10, dnsTcpIdleTime: 50 },
    });
    const { connect, capture, dnsTcp } = fixture.servers;
    fixture.captured = { address: '93.184.216.34', port: 443 };
    for (let i = 0; i < 20; i++) {
      const bytes = Buffer.from(
        Array.from({ length: 200 }, (_, at) => (at * 31 + i * 97 + ((at * i) >> 2)) & 255),
      );
      for (const server of [connect, capture, dnsTcp]) {
        const socket = await fixture.connectTo(portOf(server));
        socket.end(bytes);
        await closeReason(socket);
      }
    }
    assert.ok(
      fixture.sink.events.every(
        (event) => event.class_uid !== 2004 || event.finding_info.uid !== 'proxy-fault',
      ),
    );
    await works(fixture);
  });

  test('that never reads what it asked for is not buffered for', async () => {
    await using fixture = await Fixture.start({ allow: ['source.example:7'] });
    const chunk = Buffer.alloc(1 << 20);
    const origin = await fixture.origin('source.example', (socket) => {
      const pump = (): void => {
        while (!socket.destroyed && socket.write(chunk) && socket.bytesWritten < 64 << 20);
      };
      socket.on('drain', pump);
      pump();
    });
    const socket = await fixture.tunnel('source.example:7');
    socket.pause();
    let sent = -1;
    while (origin.sockets[0]!.bytesWritten - origin.sockets[0]!.writableLength !== sent) {
      sent = origin.sockets[0]!.bytesWritten - origin.sockets[0]!.writableLength;
      for (let i = 0; i < 50; i++) await settled();
    }
    assert.ok(sent < 32 << 20, `${sent} bytes are under way to a client that does not read`);
    await works(await withEchoIn(fixture));
  });

  test('that stays silent in a captured connection is refused in time', async () => {
    await using fixture = await withEcho({ limits: { peekTime: 20 } });
    fixture.captured = { address: '93.184.216.34', port: 443 };
    const silent = await fixture.capturedClient();
    assert.equal(await closeReason(silent), 'ECONNRESET');
    const slow = await fixture.capturedClient();
    slow.write(clientHello('echo.example').subarray(0, 10));
    await closeReason(slow);
  });
});

/** The same fixture, with the echo server in it. */
async function withEchoIn(fixture: Fixture): Promise<Fixture> {
  await fixture.origin('echo.example', echo);
  fixture.tenant.apply(
    policyAlone(new FakeEngine({ allow: ['echo.example:7', 'source.example:7'], generation: 2 })),
  );
  return fixture;
}

describe('a name that changes its answer', () => {
  test('is resolved once, and what was checked is what is dialled', async () => {
    let asked = 0;
    const lookup = async (): Promise<string[]> => {
      asked += 1;
      return asked === 1 ? ['192.0.2.1'] : [LOOPBACK];
    };
    await using fixture = await Fixture.start({ allow: ['rebind.example:7'], resolver: { lookup } });
    assert.match(
      await fixture.ask('CONNECT rebind.example:7 HTTP/1.1\r\nHost: x\r\n\r\n'),
      /"error":"ssrf_denied"/,
    );
    assert.equal(asked, 1);
    assert.match(
      await fixture.ask('CONNECT rebind.example:7 HTTP/1.1\r\nHost: x\r\n\r\n'),
      /"error":"ssrf_denied"/,
    );
    assert.equal(asked, 2);
  });
});

describe('a new policy', () => {
  test('closes only what it would not allow, and says so', async () => {
    await using fixture = await Fixture.start({ allow: ['kept.example:7', 'lost.example:7'] });
    await fixture.origin('kept.example', echo);
    await fixture.origin('lost.example', echo);
    const kept = await fixture.tunnel('kept.example:7');
    const lost = await fixture.tunnel('lost.example:7');
    fixture.tenant.apply(policyAlone(new FakeEngine({ allow: ['kept.example:7'], generation: 2 })));
    assert.equal(await closeReason(lost), 'ECONNRESET');
    kept.write('still here');
    const [bytes] = await once(kept.resume(), 'data');
    assert.equal(String(bytes), 'still here');
    assert.equal(fixture.tenant.status().generation, generation(2));
    const closing = fixture.sink.events.find((event) => event.type_uid === 400102);
    assert.equal(closing?.status_detail, 'generation 2: no policy allows this host');
  });

  test('refuses an attempt that is under way', async () => {
    const resolving = Promise.withResolvers<void>();
    const lookup = async (): Promise<string[]> => {
      resolving.resolve();
      return ['93.184.216.34'];
    };
    await using fixture = await Fixture.start({ allow: ['slow.example:7'], resolver: { lookup } });
    const answer = fixture.ask('CONNECT slow.example:7 HTTP/1.1\r\nHost: x\r\n\r\n');
    await resolving.promise;
    fixture.tenant.apply(policyAlone(new FakeEngine({ allow: [], generation: 2 })));
    assert.match(await answer, /^HTTP\/1.1 403 .*generation 2: no policy allows this host/s);
  });
});
