import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { eventLine } from '@openshell/audit';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { withHanging } from '../test-support/hanging.ts';
import {
  HOST,
  inspecting,
  originIdentity,
  originTrust,
  plainClient,
  ScriptedOrigin,
  secureClient,
} from '../test-support/inspected.ts';
import { statusOf, type Wire } from '../test-support/wire.ts';
import { UpstreamProxy } from './upstream-proxy.ts';

const FULL = 'protocol: rest, access: full';
const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

/** Sends a request and reads the proxy's own answer. */
async function refusal(client: Wire): Promise<{ status: number; error: string; detail: string }> {
  client.send(GET);
  const answer = await client.response();
  const { error, detail } = JSON.parse(answer.body);
  return { status: statusOf(answer), error, detail };
}

describe("a name behind the operator's proxy", () => {
  /** Public, and another's. */
  const PUBLIC = '203.0.112.1';

  class World implements AsyncDisposable {
    readonly looked: string[] = [];
    readonly asked: (string | undefined)[] = [];
    readonly #servers: Server[] = [];
    readonly #sockets: Socket[] = [];

    async #listen(server: Server): Promise<number> {
      this.#servers.push(server);
      server.on('connection', (socket: Socket) => this.#sockets.push(socket.on('error', () => {})));
      await once(server.listen(0, LOOPBACK), 'listening');
      return portOf(server);
    }

    /** A proxy with a tenant, whose way out is a proxy that leads everything to one origin. */
    async start(secure: boolean, address: string) {
      const answer: RequestListener = (request, response) => response.end(`${request.headers.host}`);
      const origin = await this.#listen(
        secure ? createSecureServer(originIdentity(), answer) : createServer(answer),
      );
      const proxy = createServer().on('connect', ({ url }: IncomingMessage, client: Duplex) => {
        this.asked.push(url);
        const onward = connect(origin, LOOPBACK);
        this.#sockets.push(onward.on('error', () => {}));
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(onward).pipe(client);
      });
      const url = `http://${LOOPBACK}:${await this.#listen(proxy)}`;
      const lookup = async (name: string): Promise<string[]> => {
        this.looked.push(name);
        return [address];
      };
      return inspecting(FULL, {
        upstream: { trust: originTrust(), proxy: new UpstreamProxy({ url }) },
        resolver: { lookup },
      });
    }

    async [Symbol.asyncDispose](): Promise<void> {
      for (const server of this.#servers) server.close();
      for (const socket of this.#sockets) socket.destroy();
    }
  }

  for (const [scheme, port] of [
    ['https', 443],
    ['http', 80],
  ] as const) {
    const secure = scheme === 'https';
    const clientOf = secure ? secureClient : plainClient;

    test(`is resolved here, asked for by its checked address, and believed by the certificate of the name: ${scheme}`, async () => {
      await using world = new World();
      await using fixture = await world.start(secure, PUBLIC);
      const client = await clientOf(fixture);
      client.send(GET);
      assert.equal((await client.response()).body, HOST);
      assert.deepEqual([world.looked, world.asked], [[HOST], [`${PUBLIC}:${port}`]]);
    });

    test(`is refused where its address is, before the proxy is asked: ${scheme}`, async () => {
      await using world = new World();
      await using fixture = await world.start(secure, '169.254.169.254');
      const { status, error } = await refusal(await clientOf(fixture));
      assert.deepEqual([status, error, world.asked], [403, 'ssrf_denied', []]);
    });
  }
});

describe('an upstream that is silent', () => {
  test('is let go as soon as the client is known to have gone', async () => {
    await using fixture = await inspecting(FULL);
    const origin = await ScriptedOrigin.start(fixture);
    const client = await plainClient(fixture);
    client.send(GET);
    const upstream = await origin.connection();
    await upstream.request();
    (client.socket as Socket).resetAndDestroy();
    await upstream.closed();
    await fixture.proxy.close();
    assert.doesNotMatch(fixture.sink.events.map(eventLine).join('\n'), /upstream_|50[24]/);
  });

  for (const [where, placed, clientOf] of [
    ['in plain text', ScriptedOrigin.start, plainClient],
    ['inside TLS', ScriptedOrigin.startSecure, secureClient],
  ] as const) {
    test(`is let go some time after the client has ended, which may still wait for the answer, ${where}`, async () => {
      await using fixture = await inspecting(FULL, { limits: { keepAliveTime: 80, halfClosedIdleTime: 20 } });
      const origin = await placed(fixture);
      const client = await clientOf(fixture);
      client.send(GET);
      const upstream = await origin.connection();
      await upstream.request();
      client.socket.end();
      await upstream.closed();
    });
  }

  test('to the connection itself is answered 504', () =>
    withHanging(async ({ address, port }) => {
      const overrides = [{ name: HOST, address, toPort: port }];
      await using fixture = await inspecting(FULL, { overrides, limits: { dialTime: 20 } });
      const { status, error, detail } = await refusal(await plainClient(fixture));
      assert.deepEqual([status, error], [504, 'upstream_timeout']);
      assert.match(detail, /no connection within 20 ms/);
    }));

  test('in the TLS handshake is answered 504', async () => {
    await using fixture = await inspecting(FULL, { limits: { tlsTime: 200 } });
    await fixture.origin(HOST, () => {});
    const { status, error, detail } = await refusal(await secureClient(fixture));
    assert.deepEqual([status, error], [504, 'upstream_timeout']);
    assert.match(detail, /no TLS handshake with api\.example within 200 ms/);
  });
});
