import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { clientHello } from '../test-support/client-hello.ts';
import { lookup } from '../test-support/dns-client.ts';
import {
  CURL,
  closeReason,
  Fixture,
  type FixtureOptions,
  LOOPBACK,
  portOf,
  readAll,
} from '../test-support/fixture.ts';
import { HOST, inspecting, ScriptedOrigin } from '../test-support/inspected.ts';
import { ACCESS_DENIED_ALERT } from '../tls/alert.ts';

const run = promisify(execFile);

const NO_PASSWORD = Buffer.of(5, 1, 0);
const SUCCEEDED = Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
const reply = (code: number): Buffer => Buffer.of(5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0);

const request = (host: string, port: number, command = 1): Buffer =>
  Buffer.concat([
    Buffer.of(5, command, 0, 3, host.length),
    Buffer.from(host),
    Buffer.of(port >> 8, port & 255),
  ]);

async function withEcho(options: Partial<FixtureOptions> = {}): Promise<Fixture> {
  const fixture = await Fixture.start({ allow: ['echo.example:7'], ...options });
  await fixture.origin('echo.example', (socket) => socket.pipe(socket));
  return fixture;
}

/** Everything that the proxy says to these bytes until it closes. */
async function answerTo(fixture: Fixture, bytes: Buffer): Promise<Buffer> {
  const socket = await fixture.client();
  socket.end(bytes);
  return readAll(socket);
}

describe('SOCKS5', () => {
  test('joins a destination by name, beside HTTP on one listener, whatever way its bytes are cut', async () => {
    await using fixture = await withEcho();
    const bytes = Buffer.concat([NO_PASSWORD, request('echo.example', 7), Buffer.from('hello')]);
    const expected = Buffer.concat([Buffer.of(5, 0), SUCCEEDED, Buffer.from('hello')]);
    assert.deepEqual(await answerTo(fixture, bytes), expected);
    const slow = await fixture.client();
    slow.setNoDelay(true);
    const got = readAll(slow);
    for (const byte of bytes) {
      slow.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    slow.end();
    assert.deepEqual(await got, expected);
    const http = await fixture.tunnel('echo.example:7');
    http.end('x');
    assert.equal(String(await readAll(http)), 'x');
    await fixture.tenant.close();
    const [opened] = fixture.sink.events;
    assert.equal(opened?.message, 'SOCKS5 allowed echo.example:7');
    assert.equal(opened?.unmapped?.adapter, 'socks5');
    assert.deepEqual(fixture.engine.asked[0]?.evidence, CURL);
    const { connectionsAllowed, bytesIn, bytesOut } = fixture.tenant.status().counters;
    assert.deepEqual(
      { connectionsAllowed, bytesIn, bytesOut },
      { connectionsAllowed: 3, bytesIn: 11, bytesOut: 11 },
    );
  });

  test('takes a synthetic address for the name that it stands for, and guards the name', async () => {
    await using fixture = await withEcho();
    const address = await lookup(fixture, 'echo.example');
    const bytes = Buffer.concat([
      NO_PASSWORD,
      Buffer.of(5, 1, 0, 1, ...address.split('.').map(Number), 0, 7),
      clientHello('other.example'),
    ]);
    const expected = Buffer.concat([Buffer.of(5, 0), SUCCEEDED, ACCESS_DENIED_ALERT]);
    assert.deepEqual(await answerTo(fixture, bytes), expected);
    assert.equal(fixture.refusals[0]?.code, 'name_contradiction');
  });

  const closed = createServer();
  const refusals: [string, string, Partial<FixtureOptions>, number][] = [
    ['policy says no', 'no.example', {}, 2],
    [
      'its address is one that policy may not reach',
      'bad.example',
      { resolver: { lookup: async () => ['127.0.0.1'] } },
      2,
    ],
    ['it is not found', 'bad.example', { resolver: { lookup: async () => [] } }, 4],
    ['it does not answer', 'closed.example', {}, 5],
    ['it is ours on another port', 'inference.local', {}, 2],
  ];
  for (const [why, host, options, code] of refusals)
    test(`says in its own codes that ${why}`, async () => {
      await once(closed.listen(0, LOOPBACK), 'listening');
      const overrides = [{ name: 'closed.example', address: LOOPBACK, toPort: portOf(closed) }];
      await new Promise((done) => closed.close(done));
      await using fixture = await withEcho({
        overrides,
        allow: ['bad.example:7', 'closed.example:7'],
        ...options,
      });
      assert.deepEqual(await answerTo(fixture, Buffer.concat([NO_PASSWORD, request(host, 7)])), reply(code));
    });

  test('has its requests looked into as those of CONNECT are', async () => {
    await using fixture = await inspecting('protocol: rest, access: read-only');
    const origin = await ScriptedOrigin.start(fixture);
    origin.onConnection = (wire) => void wire.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const ask = (method: string): Promise<Buffer> =>
      answerTo(
        fixture,
        Buffer.concat([
          NO_PASSWORD,
          request(HOST, 80),
          Buffer.from(`${method} / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`),
        ]),
      );
    assert.match(String(await ask('GET')), /200 OK.*ok$/s);
    assert.match(String(await ask('DELETE')), /403 Forbidden.*"policy_denied"/s);
  });

  const hostile: [string, Buffer, Buffer][] = [
    ['UDP', Buffer.concat([NO_PASSWORD, request('echo.example', 7, 3)]), reply(7)],
    ['BIND', Buffer.concat([NO_PASSWORD, request('echo.example', 7, 2)]), reply(7)],
    ['a client that must have a password', Buffer.of(5, 1, 2), Buffer.of(5, 255)],
    ['GSSAPI alone', Buffer.of(5, 1, 1), Buffer.of(5, 255)],
    ['a greeting that says nothing', Buffer.of(5, 0, 5, 1), Buffer.of()],
    [
      'HTTP behind the greeting',
      Buffer.concat([NO_PASSWORD, Buffer.from('GET / HTTP/1.1\r\n')]),
      Buffer.of(5, 0),
    ],
    ['SOCKS4', Buffer.of(4, 1, 0, 80, 192, 0, 2, 1, 0), Buffer.of(0, 91, 0, 0, 0, 0, 0, 0)],
    [
      'SOCKS4a',
      Buffer.from('\x04\x01\x00\x50\x00\x00\x00\x01\x00echo.example\x00', 'latin1'),
      Buffer.of(0, 91, 0, 0, 0, 0, 0, 0),
    ],
  ];
  for (const [what, bytes, expected] of hostile)
    test(`leads nowhere with ${what}, and says so`, async () => {
      await using fixture = await withEcho();
      assert.deepEqual(await answerTo(fixture, bytes), expected);
      assert.equal(fixture.engine.asked.length, 0);
      await fixture.tenant.close();
      assert.ok(JSON.stringify(fixture.sink.events).includes('malformed-request'));
    });

  test('waits no longer for a request than for the head of one', async () => {
    await using fixture = await withEcho({ limits: { headTime: 20 } });
    const silent = await fixture.client();
    silent.write(NO_PASSWORD);
    const halfway = await fixture.client();
    halfway.write(Buffer.concat([NO_PASSWORD, Buffer.of(5, 1)]));
    await Promise.all([silent, halfway].map((socket: Socket) => closeReason(socket)));
    await fixture.tenant.idle();
  });

  test('is what curl speaks, allowed and refused', async () => {
    await using fixture = await Fixture.start({ allow: ['web.example:80'] });
    await fixture.origin('web.example', (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello'),
    );
    const proxy = `${LOOPBACK}:${portOf(fixture.servers.connect)}`;
    const curl = (url: string) => run('curl', ['-sS', '--noproxy', '', '--socks5-hostname', proxy, url]);
    assert.equal((await curl('http://web.example/')).stdout, 'hello');
    await assert.rejects(curl('http://no.example/'), { code: 97 });
  });
});
