import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { eventLine } from '@openshell/audit';
import { clientHello } from '../test-support/client-hello.ts';
import { lookup } from '../test-support/dns-client.ts';
import {
  closeReason,
  Fixture,
  type FixtureOptions,
  LOOPBACK,
  readAll,
  readUntil,
} from '../test-support/fixture.ts';
import { ACCESS_DENIED_ALERT } from '../tls/alert.ts';

const PUBLIC = '93.184.216.34';

/** A fixture that allows `site.example` on a port, with its synthetic address as what is captured next. */
async function withSite(port: number, options: Partial<FixtureOptions> = {}): Promise<Fixture> {
  const fixture = await Fixture.start({ allow: [`site.example:${port}`], ...options });
  const address = await lookup(fixture, 'site.example');
  fixture.captured = { address, port };
  return fixture;
}

const echo = (socket: Socket): unknown => socket.pipe(socket);
const lines = (fixture: Fixture): string[] => fixture.sink.events.map(eventLine);
const httpGet = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

describe('a captured connection to a synthetic address', () => {
  test('is joined with the name that the address stands for', async () => {
    await using fixture = await withSite(5432);
    await fixture.origin('site.example', echo);
    const socket = await fixture.capturedClient();
    socket.end('raw bytes');
    assert.equal(String(await readAll(socket)), 'raw bytes');
    assert.match(lines(fixture)[0]!, /^NET:OPEN \[INFO\] ALLOWED curl\(12\) -> site.example:5432 /);
  });

  test('hears a server that speaks first, then speaks', async () => {
    await using fixture = await withSite(25);
    await fixture.origin('site.example', (socket) => {
      socket.write('220 mail\r\n');
      socket.once('data', (chunk) => socket.end(`250 ${chunk}`));
    });
    const socket = await fixture.capturedClient();
    assert.equal(await readUntil(socket, '\r\n'), '220 mail\r\n');
    socket.write('EHLO x\r\n');
    assert.equal(String(await readAll(socket)), '250 EHLO x\r\n');
  });

  test('may ask for TLS as PostgreSQL does, and its server name is still compared', async () => {
    const request = Buffer.from('0000000804d2162f', 'hex');
    for (const [name, reply] of [
      ['site.example', clientHello('site.example')],
      ['other.example', ACCESS_DENIED_ALERT],
    ] as const) {
      await using fixture = await withSite(5432);
      await fixture.origin('site.example', (socket) => {
        socket.once('data', (chunk: Buffer) => {
          assert.deepEqual(chunk, request);
          socket.write('S');
          socket.pipe(socket);
        });
      });
      const socket = await fixture.capturedClient();
      socket.write(request);
      assert.equal(await readUntil(socket, 'S'), 'S');
      socket.end(clientHello(name));
      assert.deepEqual(await readAll(socket), reply);
    }
  });

  const contradictions: [string, Buffer | string, RegExp][] = [
    ['a TLS server name', clientHello('other.example'), /^\u0015\u0003\u0003\0\u0002\u0002\u0031$/],
    ['a Host', httpGet('other.example'), /^HTTP\/1.1 403 /],
    [
      'an absolute target',
      'GET http://other.example/ HTTP/1.1\r\nHost: site.example\r\n\r\n',
      /^HTTP\/1.1 403 /,
    ],
    ['a malformed request', 'GET / HTTP/1.1\nHost: site.example\r\n\r\n', /^HTTP\/1.1 403 /],
  ];
  for (const [what, bytes, answer] of contradictions) {
    test(`is refused when ${what} contradicts the name, and nothing of it goes out`, async () => {
      await using fixture = await withSite(443);
      const origin = await fixture.origin('site.example', () => {});
      const socket = await fixture.capturedClient();
      const parts = Buffer.from(bytes);
      socket.write(parts.subarray(0, 7));
      socket.write(parts.subarray(7));
      assert.match((await readAll(socket)).toString('latin1'), answer);
      assert.equal(origin.sockets[0]?.bytesRead, 0);
      assert.equal(fixture.refusals[0]?.code, 'name_contradiction');
      assert.ok(lines(fixture).some((line) => line.startsWith('FINDING:BLOCKED [MED] ')));
    });
  }

  test('passes with the right server name or Host', async () => {
    for (const bytes of [clientHello('Site.Example', 20), Buffer.from(httpGet('site.example:443'))]) {
      await using fixture = await withSite(443);
      await fixture.origin('site.example', echo);
      const socket = await fixture.capturedClient();
      socket.end(bytes);
      assert.deepEqual(await readAll(socket), bytes);
    }
  });

  test('is refused when the beginning of a hello never becomes one', async () => {
    await using fixture = await withSite(443, { limits: { peekTime: 30 } });
    await fixture.origin('site.example', () => {});
    const socket = await fixture.capturedClient();
    socket.write(clientHello('site.example').subarray(0, 30));
    assert.deepEqual(await readAll(socket), ACCESS_DENIED_ALERT);
  });

  test('is refused on a port that policy does not allow', async () => {
    await using fixture = await withSite(443);
    fixture.captured = { ...fixture.captured!, port: 80 };
    const socket = await fixture.capturedClient();
    socket.write(httpGet('site.example'));
    const answer = String(await readAll(socket));
    assert.match(answer, /^HTTP\/1.1 403 /);
    assert.match(answer, /"host":"site.example","port":80/);
  });

  test('is refused when the address stands for no name', async () => {
    await using fixture = await withSite(443);
    fixture.captured = { address: '198.19.255.1', port: 443 };
    const socket = await fixture.capturedClient();
    socket.write('x');
    assert.equal(await closeReason(socket), 'ECONNRESET');
    assert.equal(fixture.refusals[0]?.code, 'name_forgotten');
  });
});

describe('a captured connection to any other address', () => {
  const named: [string, Buffer][] = [
    ['TLS', clientHello('site.example', 30)],
    ['HTTP', Buffer.from(httpGet('site.example'))],
  ];
  for (const [protocol, bytes] of named) {
    test(`goes to the name in its ${protocol}, resolved here, and never to the address it dialled`, async () => {
      await using fixture = await Fixture.start({ allow: ['site.example:443'] });
      await fixture.origin('site.example', echo);
      fixture.captured = { address: PUBLIC, port: 443 };
      const socket = await fixture.capturedClient();
      socket.end(bytes);
      assert.deepEqual(await readAll(socket), bytes);
      assert.equal(fixture.engine.asked.at(-1)?.host, 'site.example');
    });
  }

  test('is refused in its own protocol when the name is not allowed', async () => {
    await using fixture = await Fixture.start({ allow: ['site.example:443'] });
    fixture.captured = { address: PUBLIC, port: 443 };
    const tls = await fixture.capturedClient();
    tls.write(clientHello('other.example'));
    assert.deepEqual(await readAll(tls), ACCESS_DENIED_ALERT);
    const http = await fixture.capturedClient();
    http.write(httpGet('other.example'));
    assert.match(String(await readAll(http)), /^HTTP\/1.1 403 .*"host":"other.example"/s);
    const raw = await fixture.capturedClient();
    raw.write('\u0001\u0002');
    assert.equal(await closeReason(raw), 'ECONNRESET');
  });

  test('is refused by its address when it says nothing in time', async () => {
    await using fixture = await Fixture.start({ allow: [], limits: { peekTime: 20 } });
    fixture.captured = { address: PUBLIC, port: 22 };
    const socket = await fixture.capturedClient();
    assert.equal(await closeReason(socket), 'ECONNRESET');
    assert.equal(fixture.refusals[0]?.host, PUBLIC);
    assert.match(lines(fixture)[0]!, /^NET:REFUSE \[MED\] DENIED curl\(12\) -> 93.184.216.34:22 /);
    assert.match(lines(fixture)[1]!, /^FINDING:BLOCKED \[MED\] .*type:bypass-detect/);
  });

  test('is decided by its address when policy names it', async () => {
    await using fixture = await Fixture.start({ allow: [`${PUBLIC}:22`] });
    await fixture.origin(PUBLIC, (socket) => socket.end('banner'));
    fixture.captured = { address: PUBLIC, port: 22 };
    const socket = await fixture.capturedClient();
    assert.equal(String(await readAll(socket)), 'banner');
  });

  test('is refused when it is the capture port itself', async () => {
    await using fixture = await Fixture.start({ allow: [`${LOOPBACK}:22`] });
    for (const address of [LOOPBACK, '::1', '0.0.0.0', '127.9.9.9']) {
      fixture.captured = { address, port: 22 };
      const socket = await fixture.capturedClient();
      socket.write('x');
      assert.equal(await closeReason(socket), 'ECONNRESET');
    }
    assert.equal(fixture.engine.asked.length, 0);
  });

  test('cannot be led to a forbidden address by the name it says', async () => {
    const resolver = { lookup: async (): Promise<string[]> => ['169.254.169.254'] };
    await using fixture = await Fixture.start({ allow: ['site.example:443'], resolver });
    fixture.captured = { address: PUBLIC, port: 443 };
    const socket = await fixture.capturedClient();
    socket.write(clientHello('site.example'));
    assert.deepEqual(await readAll(socket), ACCESS_DENIED_ALERT);
    assert.equal(fixture.refusals[0]?.code, 'ssrf_denied');
  });

  test('makes one event of many alike, with their number', async () => {
    await using fixture = await Fixture.start({ allow: [], limits: { peekTime: 5 } });
    fixture.captured = { address: PUBLIC, port: 22 };
    for (let i = 0; i < 5; i++) await closeReason(await fixture.capturedClient());
    assert.equal(fixture.refusals.length, 5);
    assert.equal(fixture.sink.events.length, 2);
    await fixture.tenant.close();
    // Besides these there is the one of all denials together.
    assert.deepEqual(
      fixture.sink.events.slice(0, 4).map((event) => event.unmapped?.count),
      [1, 1, 4, 4],
    );
  });
});

test('an IPv6 listener that shows IPv4 clients in mapped form finds the same names', async () => {
  await using fixture = await withSite(443);
  await fixture.origin('site.example', echo);
  fixture.captured = { address: `::ffff:${fixture.captured!.address}`, port: 443 };
  const socket = await fixture.capturedClient();
  socket.end('x');
  assert.equal(String(await readAll(socket)), 'x');
  if (!socket.closed) await once(socket, 'close');
});
