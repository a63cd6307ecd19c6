import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { eventLine } from '@openshell/audit';
import type { Fixture } from '../test-support/fixture.ts';
import { HOST, inspecting, plainClient, ScriptedOrigin, secureClient } from '../test-support/inspected.ts';
import { statusOf, type Wire } from '../test-support/wire.ts';

const FULL = 'protocol: rest, access: full';
const READ_ONLY = 'protocol: rest, access: read-only';

interface Ends {
  readonly client: Wire;
  readonly origin: ScriptedOrigin;
  readonly fixture: Fixture;
  /** The proxy's end of the client's connection. */
  readonly inner: Socket;
}

async function startPlain(endpoint = FULL): Promise<Ends> {
  const fixture = await inspecting(endpoint);
  const inners: Socket[] = [];
  fixture.servers.connect.on('connection', (socket: Socket) => inners.push(socket));
  const origin = await ScriptedOrigin.start(fixture);
  return { fixture, origin, client: await plainClient(fixture), inner: inners[0]! };
}

async function startSecure(): Promise<Ends> {
  const fixture = await inspecting(FULL);
  const inners: Socket[] = [];
  fixture.servers.connect.on('connection', (socket: Socket) => inners.push(socket));
  const origin = await ScriptedOrigin.startSecure(fixture);
  return { fixture, origin, client: await secureClient(fixture), inner: inners[0]! };
}

function both(name: string, use: (ends: Ends) => Promise<void>): void {
  for (const [where, start] of [
    ['in plain text', startPlain],
    ['inside TLS', startSecure],
  ] as const) {
    test(`${name}, ${where}`, async () => {
      const ends = await start();
      await using _ = ends.fixture;
      await use(ends);
    });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Waits until nothing moves on a socket any more: as many turns as it takes, then some in which nothing may happen. */
async function settle(socket: Socket): Promise<void> {
  let moved = -1;
  for (let still = 0; still < 50; still++) {
    if (socket.bytesRead + socket.bytesWritten !== moved) still = 0;
    moved = socket.bytesRead + socket.bytesWritten;
    await turn();
  }
}

const head = (line: string, ...fields: string[]): string =>
  [`${line} HTTP/1.1`, `Host: ${HOST}`, ...fields, '', ''].join('\r\n');
const answer = (status: string, ...rest: string[]): string => [`HTTP/1.1 ${status}`, ...rest].join('\r\n');
const OK = answer('200 OK', 'Content-Length: 2', '', 'ok');
const httpLines = (fixture: Fixture): string[] =>
  fixture.sink.events.map(eventLine).filter((line) => line.startsWith('HTTP:'));

describe('when one end goes', () => {
  both(
    'within the request: the upstream never takes it for complete',
    async ({ client, origin, fixture }) => {
      client.send(`${head('PUT /', 'Transfer-Encoding: chunked')}3\r\nabc\r\n`);
      const upstream = await origin.connection();
      await upstream.until('abc');
      client.socket.destroy();
      await upstream.closed();
      assert.doesNotMatch(upstream.text, /0\r\n\r\n/);
      await turnsUntil(() => httpLines(fixture).length > 0);
      assert.doesNotMatch(httpLines(fixture).join(), /502|upstream_/);
    },
  );

  both('half-closed within the request: the same', async ({ client, origin }) => {
    client.send(`${head('PUT /', 'Content-Length: 9')}abc`);
    const upstream = await origin.connection();
    await upstream.until('abc');
    client.socket.end();
    await upstream.closed();
    assert.equal(upstream.text, '');
  });

  both('within the response: the upstream is ended too', async ({ client, origin }) => {
    client.send(head('GET /'));
    const upstream = await origin.connection();
    await upstream.request();
    upstream.send(answer('200 OK', 'Content-Length: 100000000', '', 'x'));
    await client.until('\r\n\r\nx');
    client.socket.destroy();
    const more = (): boolean => upstream.socket.write(Buffer.alloc(65_536));
    while (upstream.end === undefined) {
      more();
      await turn();
    }
  });

  const broken: [string, string, RegExp][] = [
    ['a counted response', answer('200 OK', 'Content-Length: 9', '', 'part'), /part$/],
    ['a chunked response', answer('200 OK', 'Transfer-Encoding: chunked', '', '4\r\npart\r\n'), /part\r\n$/],
  ];
  for (const [what, response, received] of broken) {
    both(`the upstream within ${what}: the client can tell`, async ({ client, origin }) => {
      client.send(head('GET /'));
      const upstream = await origin.connection();
      await upstream.request();
      upstream.socket.end(Buffer.from(response));
      await client.closed();
      // A reset may overtake what was sent; nothing may come behind it.
      if (client.text !== '') assert.match(client.text, received);
    });
  }

  both('the upstream resets before any answer: the client gets 502', async ({ client, origin }) => {
    client.send(head('GET /'));
    const upstream = await origin.connection();
    await upstream.request();
    upstream.socket.destroy();
    assert.equal(statusOf(await client.response()), 502);
  });

  both(
    'a request that turns out malformed within its body is not completed',
    async ({ client, origin, fixture }) => {
      client.send(`${head('POST /', 'Transfer-Encoding: chunked')}3\r\nabc\r\n`);
      const upstream = await origin.connection();
      await upstream.until('abc');
      client.send('zz\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.equal(statusOf(await client.response('POST')), 400);
      assert.equal(await client.closed(), 'ended');
      await upstream.closed();
      assert.doesNotMatch(upstream.text, /smuggled|0\r\n\r\n/);
      await turnsUntil(() => httpLines(fixture).length > 0);
      assert.doesNotMatch(httpLines(fixture).join(), /502|upstream_/);
    },
  );
});

describe('a kept upstream connection', () => {
  for (const [method, status] of [
    ['GET', 200],
    ['POST', 502],
  ] as const) {
    test(`that has gone stale: ${method} is answered ${status}`, async () => {
      const { fixture, origin, client } = await startPlain();
      await using _ = fixture;
      client.send(head('GET /1'));
      const first = await origin.connection();
      await first.request();
      first.send(OK);
      await client.response();
      client.send(head(`${method} /2`, 'Content-Length: 0'));
      await first.request();
      first.socket.destroy();
      if (status === 200) {
        const second = await origin.connection();
        await second.request();
        second.send(OK);
      }
      assert.equal(statusOf(await client.response(method)), status);
      assert.equal(origin.wires.length, status === 200 ? 2 : 1);
    });
  }

  test('whose origin had begun to answer is not asked again', async () => {
    const { fixture, origin, client } = await startPlain();
    await using _ = fixture;
    client.send(head('GET /1'));
    const first = await origin.connection();
    await first.request();
    first.send(OK);
    await client.response();
    client.send(head('GET /2'));
    await first.request();
    first.socket.end(Buffer.from('HTTP/1.1 2'));
    assert.equal(statusOf(await client.response()), 502);
    assert.equal(origin.wires.length, 1);
  });

  const poison = answer('200 OK', 'Content-Length: 4', '', 'evil');
  const behind: [string, string, string][] = [
    ['a counted response', 'GET', OK],
    ['a chunked response', 'GET', answer('200 OK', 'Transfer-Encoding: chunked', '', '2\r\nok\r\n0\r\n\r\n')],
    ['the answer to a HEAD', 'HEAD', answer('200 OK', 'Content-Length: 77', '', '')],
    ['a 204', 'GET', answer('204 No Content', '', '')],
    ['a 304', 'GET', answer('304 Not Modified', 'Content-Length: 77', '', '')],
    ['an empty response', 'GET', answer('200 OK', 'Content-Length: 0', '', '')],
  ];
  for (const [what, method, response] of behind) {
    test(`does not answer the next request with what came behind ${what}`, async () => {
      const { fixture, origin, client } = await startPlain();
      await using _ = fixture;
      client.send(head(`${method} /1`) + head('GET /2'));
      const first = await origin.connection();
      await first.request();
      first.send(response + poison);
      await client.response(method);
      const second = await origin.connection();
      assert.match((await second.request()).start, /\/2/);
      second.send(OK);
      assert.equal((await client.response()).body, 'ok');
      await first.closed();
    });
  }
});

/** More than all buffers of the kernel between two ends. */
const LARGE = 48 << 20;
const PIECE = Buffer.alloc(1 << 20, 'x');
/** What the proxy may hold for one direction of one connection: a write that began below the mark, and the mark. */
const HELD = 1 << 20;

async function pour(socket: Socket, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes; sent += PIECE.length) {
    if (!socket.write(PIECE)) await new Promise((resolve) => socket.once('drain', resolve));
  }
}

describe('a large body', () => {
  test('waits in the origin for a client that does not read', async () => {
    const { fixture, origin, client, inner } = await startPlain();
    await using _ = fixture;
    const socket = client.socket as Socket;
    socket.removeAllListeners('data');
    socket.pause();
    client.send(head('GET /'));
    const upstream = await origin.connection();
    await upstream.request();
    upstream.send(answer('200 OK', `Content-Length: ${LARGE}`, '', ''));
    const poured = pour(upstream.socket as Socket, LARGE);
    await turnsUntil(() => inner.writableNeedDrain);
    await settle(upstream.socket as Socket);
    assert.ok(inner.bytesWritten < LARGE / 2, `${inner.bytesWritten}`);
    let most = inner.writableLength;
    let got = 0;
    const read = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        got += chunk.length;
        most = Math.max(most, inner.writableLength);
        if (got > LARGE) resolve();
      });
    });
    socket.resume();
    await Promise.all([poured, read]);
    assert.ok(most <= HELD, `${most} bytes were held`);
  });

  test('waits in the client for an origin that does not read', async () => {
    const { fixture, origin, client, inner } = await startPlain();
    await using _ = fixture;
    client.send(head('PUT /', `Content-Length: ${LARGE}`));
    const upstream = await origin.connection();
    await upstream.until('\r\n\r\n');
    const socket = upstream.socket as Socket;
    socket.removeAllListeners('data');
    socket.pause();
    const poured = pour(client.socket as Socket, LARGE);
    await turnsUntil(() => inner.isPaused());
    await settle(inner);
    assert.ok(inner.bytesRead < LARGE / 2, `${inner.bytesRead}`);
    let got = upstream.text.length;
    const read = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        got += chunk.length;
        if (got === LARGE) resolve();
      });
    });
    socket.resume();
    await Promise.all([poured, read]);
    upstream.send(OK);
    assert.equal(statusOf(await client.response()), 200);
  });
});

describe('a client that asks and does not read', () => {
  test('is asked to wait: answers do not pile up', async () => {
    const { fixture, origin, client, inner } = await startPlain();
    await using _ = fixture;
    const socket = client.socket as Socket;
    socket.removeAllListeners('data');
    socket.pause();
    const requests = 2000;
    let asked = 0;
    const body = 'x'.repeat(40_000);
    const serve = async (): Promise<void> => {
      const upstream = await origin.connection();
      for (;;) {
        await upstream.request();
        asked++;
        upstream.send(answer('200 OK', `Content-Length: ${body.length}`, '', body));
      }
    };
    const serving = serve().catch(() => {});
    socket.write(head('GET /').repeat(requests));
    await turnsUntil(() => inner.writableNeedDrain);
    await settle(inner);
    assert.ok(asked < requests / 2, `${asked}`);
    assert.ok(inner.writableLength < HELD, `${inner.writableLength}`);
    let got = 0;
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        got += chunk.length;
        if (asked === requests && got > requests * body.length) resolve();
      });
      socket.resume();
    });
    await turnsUntil(() => asked === requests);
    await fixture.proxy.close();
    await serving;
  });

  test('gets its refusals one by one as well', async () => {
    const { fixture, client, inner } = await startPlain(READ_ONLY);
    await using _ = fixture;
    const socket = client.socket as Socket;
    socket.removeAllListeners('data');
    socket.pause();
    const requests = 30_000;
    socket.write(head('DELETE /').repeat(requests));
    await turnsUntil(() => inner.writableNeedDrain);
    await settle(inner);
    assert.ok(inner.writableLength < HELD, `${inner.writableLength}`);
    assert.ok(inner.bytesRead < requests * 40);
  });

  test('and ends gets its whole answer, however slowly it reads', async () => {
    const fixture = await inspecting(FULL, { limits: { lingerTime: 20 } });
    await using _ = fixture;
    const origin = await ScriptedOrigin.start(fixture);
    const client = await plainClient(fixture);
    const socket = client.socket as Socket;
    socket.removeAllListeners('data');
    socket.pause();
    socket.end(head('GET /', 'Connection: close'));
    const upstream = await origin.connection();
    await upstream.request();
    const size = 16 << 20;
    upstream.send(answer('200 OK', `Content-Length: ${size}`, '', ''));
    const poured = pour(upstream.socket as Socket, size);
    let got = 0;
    const ended = new Promise<string>((resolve) => {
      socket.on('end', () => resolve('ended'));
      socket.on('close', () => resolve('closed'));
    });
    const read = (async (): Promise<void> => {
      while (!socket.readableEnded && !socket.destroyed) {
        const chunk = socket.read() as Buffer | null;
        if (chunk === null) await turn();
        else got += chunk.length;
        for (let i = 0; i < 20; i++) await turn();
      }
    })();
    await Promise.all([poured, read, ended]);
    assert.ok(got > size, `${got}`);
  });
});
