import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Fixture } from '../test-support/fixture.ts';
import { HOST, inspecting, plainClient, ScriptedOrigin, secureClient } from '../test-support/inspected.ts';
import { fieldOf, statusOf, Wire } from '../test-support/wire.ts';

interface Way {
  readonly name: string;
  readonly secure: boolean;
  readonly client: (fixture: Fixture) => Promise<Wire>;
  /** What a request names. */
  readonly target: string;
}

const WAYS: readonly Way[] = [
  { name: 'that names each destination', secure: false, client: explicit, target: `http://${HOST}/` },
  { name: 'in a tunnel', secure: false, client: plainClient, target: '/' },
  { name: 'in a tunnel, in TLS', secure: true, client: secureClient, target: '/' },
];

async function explicit(fixture: Fixture): Promise<Wire> {
  return new Wire(await fixture.client());
}

/** Each request has a connection to the origin for itself. */
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** Serves with a proxy that looks into everything, and an origin that answers by hand. */
async function serve(
  secure: boolean,
  use: (fixture: Fixture, origin: ScriptedOrigin) => Promise<void>,
): Promise<void> {
  await using fixture = await inspecting('protocol: rest, access: full');
  const start = secure ? ScriptedOrigin.startSecure : ScriptedOrigin.start;
  await use(fixture, await start.call(ScriptedOrigin, fixture));
}

const requestTo = (target: string, ...fields: string[]): string =>
  [`GET ${target} HTTP/1.1`, `Host: ${HOST}`, ...fields, '', ''].join('\r\n');

describe('a tenant that drains', () => {
  for (const { name, secure, client: connect, target } of WAYS)
    test(`lets a client of HTTP/1 ${name} go: at once, after its answer, or after its first request`, () =>
      serve(secure, async (fixture, origin) => {
        const [idle, busy, late, fresh] = [
          await connect(fixture),
          await connect(fixture),
          await connect(fixture),
          await connect(fixture),
        ];
        const upstreams: Wire[] = [];
        for (const client of [idle, busy, late]) {
          client.send(requestTo(target));
          const upstream = await origin.connection();
          upstreams.push(upstream);
          await upstream.request();
        }
        upstreams[0]!.send(OK);
        assert.equal(fieldOf(await idle.response(), 'connection'), '');
        // Its answer has begun, and says nothing of an end.
        upstreams[2]!.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab');
        await late.until('\r\n\r\n');

        fixture.tenant.drain();
        const done = fixture.tenant.idle();
        assert.equal(await idle.closed(), 'ended');
        // Nobody answers what comes behind the last request.
        busy.send(requestTo(target));
        upstreams[1]!.send(OK);
        assert.equal(fieldOf(await busy.response(), 'connection'), 'close');
        assert.equal(await busy.closed(), 'ended');
        upstreams[2]!.send('cd');
        assert.equal(await late.closed(), 'ended');
        assert.match(late.text, /abcd$/);
        fresh.send(requestTo(target));
        const last = await origin.connection();
        await last.request();
        last.send(OK);
        assert.equal(fieldOf(await fresh.response(), 'connection'), 'close');
        assert.equal(await fresh.closed(), 'ended');
        for (const client of [idle, busy, late, fresh]) client.socket.end();
        await done;
        assert.equal(origin.wires.length, 4);
      }));

  test('lets the streams of HTTP/2 end, and serves the first ones of who has asked nothing yet', () =>
    serve(true, async (fixture, origin) => {
      const [idle, busy, fresh] = [await http2(fixture), await http2(fixture), await http2(fixture)];
      idle.request({ ':path': '/' }).resume();
      const first = await origin.connection();
      await first.request();
      first.send(OK);
      const stream = busy.request({ ':path': '/' });
      const second = await origin.connection();
      await second.request();
      const gone = once(idle, 'close');
      const told = once(busy, 'goaway');
      fixture.tenant.drain();
      const done = fixture.tenant.idle();
      await gone;
      assert.equal((await told)[0], 0);
      second.send(OK);
      assert.equal(await textOf(stream), 'ok');
      const both = [fresh.request({ ':path': '/a' }), fresh.request({ ':path': '/b' })];
      for (const upstream of [await origin.connection(), await origin.connection()]) {
        await upstream.request();
        upstream.send(OK);
      }
      assert.deepEqual(await Promise.all(both.map(textOf)), ['ok', 'ok']);
      await done;
    }));

  test('lets tunnels and WebSockets go on', () =>
    serve(false, async (fixture, origin) => {
      const client = await plainClient(fixture);
      client.send(requestTo('/', ...UPGRADE, KEY));
      const upstream = await origin.connection();
      await upstream.request();
      fixture.tenant.drain();
      const done = fixture.tenant.idle();
      upstream.send(
        ['HTTP/1.1 101 Switching Protocols', ...UPGRADE.slice(0, 2), ACCEPT, '', ''].join('\r\n'),
      );
      assert.equal(statusOf(await client.response()), 101);
      for (const text of ['one', 'two']) {
        upstream.send(Buffer.from([0x81, 3, ...Buffer.from(text)]));
        await client.until(text);
      }
      client.socket.end();
      upstream.socket.end();
      await done;
    }));
});

async function http2(fixture: Fixture): Promise<ClientHttp2Session> {
  const socket: Socket = await fixture.tunnel(`${HOST}:443`);
  const tls = connectTls({
    ...{ socket, servername: HOST, ca: (await fixture.proxy.authority()).bundlePem },
    ALPNProtocols: ['h2'],
  });
  await once(tls, 'secureConnect');
  const session = connectHttp2(`https://${HOST}`, { createConnection: () => tls });
  await once(session, 'remoteSettings');
  return session;
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const bytes of stream) text += bytes;
  return text;
}
