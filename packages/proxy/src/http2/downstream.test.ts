import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { ClientExchange } from '../exchange/exchange.ts';
import { limitsWith } from '../limits.ts';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { serveHttp2 } from './downstream.ts';
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  headers,
  number32,
  type Pairs,
  PREFACE,
  reset,
  settings,
} from './test-support/frames.ts';
import type { RawPeer } from './test-support/raw-peer.ts';
import { Rig } from './test-support/rig.ts';

const GET: Pairs = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'site.example'],
  [':path', '/'],
];
const POST: Pairs = [[':method', 'POST'], ...GET.slice(1)];

const field = (name: string, value: string) => ({ name, lowerName: name, value });

/** Answers with nothing but a status. */
const ok = (exchange: ClientExchange): void => {
  exchange.respond({ status: 200, fields: [] }, { kind: 'none' }).end([]);
};

interface Taken {
  readonly text: string;
  readonly trailers: readonly { readonly name: string; readonly value: string }[];
  readonly failure?: string;
}

const take = (exchange: ClientExchange): Promise<Taken> =>
  new Promise((resolve) => {
    let text = '';
    exchange.body.start({
      data(bytes) {
        text += bytes;
        return true;
      },
      end: (trailers) => resolve({ text, trailers: trailers.map(({ name, value }) => ({ name, value })) }),
      fail: (failure) => resolve({ text, trailers: [], failure }),
    });
  });

async function open(rig: Rig): Promise<RawPeer> {
  const client = await rig.client();
  client.write(PREFACE, settings());
  return client;
}

describe('an HTTP/2 connection of a client, written by hand', () => {
  const refused: [string, Pairs, 'answer' | 'reset'][] = [
    ['Host against :authority', [...GET, ['host', 'other.example']], 'answer'],
    ['another scheme', [GET[0]!, [':scheme', 'https'], ...GET.slice(2)], 'answer'],
    ['CONNECT', [[':method', 'CONNECT'], GET[2]!], 'answer'],
    ['a path beyond ASCII', [...GET.slice(0, 3), [':path', '/\xe9']], 'answer'],
    ['space around a value', [...GET, ['x', ' a']], 'answer'],
    ['HTTP2-Settings', [...GET, ['http2-settings', 'AAMAAABkAAQAAP__']], 'answer'],
    ['more than may be understood', [...GET, ['x', 'y'.repeat(16_380)]], 'answer'],
    ['extended CONNECT', [[':method', 'CONNECT'], [':protocol', 'websocket'], ...GET.slice(1)], 'reset'],
    ['a pseudo-header field twice', [...GET, [':path', '/other']], 'reset'],
    ['a pseudo-header field behind another', [...GET.slice(0, 3), ['a', 'b'], GET[3]!], 'reset'],
    ['an unknown pseudo-header field', [...GET, [':x', 'y']], 'reset'],
    ['no path', GET.slice(0, 3), 'reset'],
    ['a name in upper case', [...GET, ['X-A', '1']], 'reset'],
    ['Transfer-Encoding', [...GET, ['transfer-encoding', 'chunked']], 'reset'],
    ['Connection', [...GET, ['connection', 'x']], 'reset'],
    ['a request line in the method', [[':method', 'GET / HTTP/1.1\r\nX: y'], ...GET.slice(1)], 'reset'],
    ['a request line in the path', [...GET.slice(0, 3), [':path', '/ HTTP/1.1\r\nX: y']], 'reset'],
    ['a length without a body', [...GET, ['content-length', '5']], 'reset'],
    ['two lengths', [...GET, ['content-length', '0'], ['content-length', '0']], 'reset'],
    ['far too many fields', [...GET, ...Array.from({ length: 200 }, () => ['x', '1'] as const)], 'reset'],
  ];
  test('a malformed request is answered or reset, becomes no exchange, and hurts no other', async () => {
    await using rig = await Rig.start({ onExchange: ok });
    const client = await open(rig);
    let stream = 1;
    for (const [what, pairs, kind] of refused) {
      client.write(headers(stream, pairs));
      const outcome = await client.outcome(stream);
      assert.equal(outcome.kind, kind, what);
      if (outcome.kind === 'answer') {
        const error = what === 'more than may be understood' ? 'request_header_too_large' : 'bad_request';
        assert.equal(JSON.parse(outcome.body).error, error, what);
      }
      stream += 2;
    }
    assert.equal(rig.exchanges.length, 0);
    client.write(headers(stream, GET));
    assert.equal((await client.outcome(stream)).kind, 'answer');
    assert.equal(rig.exchanges.length, 1);
  });

  const dropped: [string, string, string][] = [
    ['a line break in a value', 'x', 'a\r\ninjected: b'],
    ['a bare line feed in a value', 'x', 'a\nb'],
    ['a NUL in a value', 'x', 'a\0b'],
    ['a name with a space', 'x y', 'a'],
    ['a name with a colon', 'x:y', 'a'],
    ['a name with a line break', 'x\r\ny', 'a'],
  ];
  for (const [what, name, value] of dropped) {
    test(`a field that could become another never arrives: ${what}`, async () => {
      await using rig = await Rig.start({ onExchange: ok });
      const client = await open(rig);
      client.write(headers(1, [...GET, [name, value], ['z', '1']]));
      await client.outcome(1);
      assert.deepEqual(rig.exchanges[0]?.request.fields, [field('z', '1')]);
    });
  }

  test('a head cut into frames is one head', async () => {
    await using rig = await Rig.start({ onExchange: ok });
    const client = await open(rig);
    const block = fieldBlock([...GET, ['x', 'y'.repeat(500)]]);
    client.write(
      frame('headers', END_STREAM, 1, block.subarray(0, 100)),
      frame('continuation', 0, 1, block.subarray(100, 300)),
      frame('continuation', END_HEADERS, 1, block.subarray(300)),
    );
    assert.equal((await client.outcome(1)).kind, 'answer');
    assert.equal(rig.exchanges[0]?.request.fields[0]?.value.length, 500);
  });

  const floods: [string, () => Buffer[]][] = [
    [
      'CONTINUATION frames without an end',
      () => [
        frame('headers', 0, 1, fieldBlock(GET)),
        ...Array.from({ length: 200 }, () => frame('continuation', 0, 1, fieldBlock([['x', 'y']]))),
      ],
    ],
    [
      'empty CONTINUATION frames',
      () => [
        frame('headers', 0, 1, fieldBlock(GET)),
        ...Array.from({ length: 5000 }, () => frame('continuation', 0, 1)),
      ],
    ],
    [
      'requests that are reset at once',
      () =>
        Array.from({ length: 2000 }, (_, index) =>
          Buffer.concat([headers(2 * index + 1, POST, 0), reset(2 * index + 1, 8)]),
        ),
    ],
    [
      'malformed requests',
      () =>
        Array.from({ length: 2000 }, (_, index) =>
          headers(2 * index + 1, [...GET, ['host', 'other.example']]),
        ),
    ],
    [
      'requests that break the protocol',
      () => Array.from({ length: 2000 }, (_, index) => headers(2 * index + 1, GET.slice(1))),
    ],
    [
      'a server push',
      () => [frame('push', END_HEADERS, 1, Buffer.concat([Buffer.alloc(4), fieldBlock(GET)]))],
    ],
    ['a frame that is too long', () => [frame('data', 0, 1, Buffer.alloc(20_000))]],
    ['settings that are illegal', () => [frame('settings', 0, 0, Buffer.from([0, 4, 255, 255, 255, 255]))]],
  ];
  for (const [what, bytes] of floods)
    test(`is closed by ${what}`, async () => {
      await using rig = await Rig.start({ onExchange: () => {}, limits: { lingerTime: 100 } });
      const client = await open(rig);
      client.write(...bytes());
      assert.notEqual(await client.frame('goaway'), undefined);
      await rig.connections[0]!.done;
      assert.ok(rig.exchanges.length <= rig.limits.http2Streams + rig.limits.http2ResetBurst);
    });

  test('is closed when nobody reads its answers to PING', async () => {
    await using rig = await Rig.start({ limits: { lingerTime: 10, http2IdleTime: 10 } });
    const client = await open(rig);
    await client.frame('settings');
    client.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 2000 }, () => frame('ping', 0, 0, Buffer.alloc(8))));
    const more = (): void => {
      while (!client.socket.destroyed && client.socket.write(pings));
    };
    client.socket.on('drain', more);
    more();
    await rig.connections[0]!.done;
  });

  test('something that is not HTTP/2 is closed', async () => {
    await using rig = await Rig.start();
    const client = await rig.client();
    client.write(Buffer.from('GET / HTTP/1.1\r\nHost: site.example\r\n\r\n'));
    await rig.connections[0]!.done;
    assert.equal(rig.exchanges.length, 0);
  });

  test('takes so many requests at a time and no more', async () => {
    await using rig = await Rig.start({ limits: { http2Streams: 3 }, onExchange: () => {} });
    const client = await open(rig);
    await client.frame('settings', ({ flags }) => flags === 0);
    client.write(frame('settings', ACK, 0), ...[1, 3, 5, 7].map((stream) => headers(stream, POST, 0)));
    await client.frame('goaway');
    assert.equal(rig.exchanges.length, 3);
  });

  const bodies: [string, Pairs, Buffer[], RegExp][] = [
    ['longer than its length', [...POST, ['content-length', '3']], [data(1, 'abcd', END_STREAM)], /_ERROR/],
    [
      'shorter than its length',
      [...POST, ['content-length', '9']],
      [data(1, 'abcd', END_STREAM)],
      /PROTOCOL_ERROR/,
    ],
    ['reset', POST, [data(1, 'abcd'), reset(1, 8)], /CANCEL/],
    ['reset without an error', POST, [data(1, 'abcd'), reset(1, 0)], /before the end/],
    [
      'with a length in its trailers',
      POST,
      [data(1, 'abcd'), headers(1, [['content-length', '4']])],
      /content-length/,
    ],
    ['with a host in its trailers', POST, [data(1, 'abcd'), headers(1, [['host', 'x']])], /host/],
    ['with a pseudo-header field in its trailers', POST, [headers(1, [[':path', '/']])], /PROTOCOL_ERROR/],
    ['with two trailer sections', POST, [headers(1, [['a', 'b']], 0)], /PROTOCOL_ERROR/],
  ];
  for (const [what, head, frames, failure] of bodies) {
    test(`a body fails that is ${what}`, async () => {
      const { promise, resolve } = Promise.withResolvers<Taken>();
      await using rig = await Rig.start({ onExchange: (exchange) => resolve(take(exchange)) });
      const client = await open(rig);
      client.write(headers(1, head, 0));
      await client.frame('settings', ({ flags }) => flags === ACK);
      client.write(...frames);
      assert.match((await promise).failure ?? 'complete', failure);
    });
  }

  test('a body fails when the connection closes, and so does the exchange', async () => {
    const { promise, resolve } = Promise.withResolvers<[Promise<Taken>, Promise<string>]>();
    await using rig = await Rig.start({
      onExchange: (exchange) =>
        resolve([take(exchange), new Promise((aborted) => (exchange.onAbort = aborted))]),
    });
    const client = await open(rig);
    client.write(headers(1, POST, 0), data(1, 'abc'));
    const [taken, aborted] = await promise;
    client.socket.end();
    assert.notEqual((await taken).failure, undefined);
    assert.notEqual(await aborted, '');
  });

  test('a request that is complete in one read is complete', async () => {
    const { promise, resolve } = Promise.withResolvers<Taken>();
    await using rig = await Rig.start({ onExchange: (exchange) => resolve(take(exchange)) });
    const client = await open(rig);
    client.write(headers(1, POST, 0), data(1, 'abc'), headers(1, [['t', 'v']]));
    assert.deepEqual(await promise, { text: 'abc', trailers: [{ name: 't', value: 'v' }] });
  });

  test('an answer that fills the window to the last byte still has an end, and no reset in its place', async () => {
    await using rig = await Rig.start({
      onExchange(exchange) {
        const sink = exchange.respond({ status: 200, fields: [] }, { kind: 'stream' });
        sink.write(Buffer.alloc(65_535));
        sink.end([]);
      },
    });
    const client = await open(rig);
    client.write(headers(1, POST, 0));
    const bytes = () =>
      client.frames.reduce((sum, { type, payload }) => sum + (type === 'data' ? payload.length : 0), 0);
    await client.frame('data', () => bytes() === 65_535);
    // nghttp2 does not look for the end before there is room again.
    const room = number32(65_535);
    client.write(frame('window', 0, 0, room), frame('window', 0, 1, room));
    assert.equal((await client.outcome(1)).kind, 'answer');
    const reset = await client.frame('rst');
    assert.equal(reset?.payload.readUInt32BE(), constants.NGHTTP2_NO_ERROR);
  });

  test('a client may send no more than its window while nobody reads', async () => {
    await using rig = await Rig.start({ onExchange: () => {}, limits: { http2ClientWindow: 65_535 } });
    const client = await open(rig);
    await client.frame('settings', ({ flags }) => flags === 0);
    client.write(frame('settings', ACK, 0), headers(1, POST, 0));
    for (let index = 0; index < 5; index++) client.write(data(1, 'x'.repeat(16_000)));
    const outcome = await client.outcome(1);
    assert.notEqual(outcome.kind, 'answer');
  });

  test('an idle connection is told to go, and closed even if the client stays', async () => {
    await using rig = await Rig.start({ limits: { http2IdleTime: 10, lingerTime: 10 } });
    const client = await open(rig);
    assert.equal((await client.frame('goaway'))?.payload.readUInt32BE(4), constants.NGHTTP2_NO_ERROR);
    await rig.connections[0]!.done;
  });

  test('closing lets the open request be answered and takes no other', async () => {
    const { promise, resolve } = Promise.withResolvers<ClientExchange>();
    await using rig = await Rig.start({ onExchange: resolve, limits: { lingerTime: 10 } });
    const client = await open(rig);
    client.write(headers(1, GET));
    const exchange = await promise;
    rig.connections[0]!.close();
    await client.frame('goaway');
    client.write(headers(3, GET));
    ok(exchange);
    assert.equal((await client.outcome(1)).kind, 'answer');
    await rig.connections[0]!.done;
    assert.equal(rig.exchanges.length, 1);
  });

  for (const when of ['at once', 'before it began'] as const) {
    test(`can be destroyed ${when}, with bytes that had been read before`, async () => {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
      await once(server.listen(0, LOOPBACK), 'listening');
      const client = connect(portOf(server), LOOPBACK);
      client.on('error', () => {});
      const [socket] = await once(server, 'connection');
      const connection = serveHttp2({
        socket,
        initial: PREFACE,
        scheme: 'http',
        limits: limitsWith(),
        onExchange: () => {},
        ...(when === 'at once' ? {} : { signal: AbortSignal.abort() }),
      });
      if (when === 'at once') connection.destroy();
      await connection.done;
      client.destroy();
      server.close();
    });
  }

  test('begins with what had been read from its socket already', async () => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await once(server.listen(0, LOOPBACK), 'listening');
    const client = connectHttp2(`http://${LOOPBACK}:${portOf(server)}`);
    const request = client.request({ ':path': '/early' });
    request.resume();
    const [socket] = await once(server, 'connection');
    socket.resume();
    const [initial] = await once(socket, 'data');
    socket.pause();
    const connection = serveHttp2({ socket, initial, scheme: 'http', limits: limitsWith(), onExchange: ok });
    const [answer] = await once(request, 'response');
    assert.equal(answer[':status'], 200);
    client.close();
    connection.close();
    await connection.done;
    server.close();
  });
});

describe('an HTTP/2 connection of a real client', () => {
  test('over TLS', async () => {
    const psk = Buffer.from('0123456789abcdef');
    const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] } as const;
    const server = createTlsServer({ ...tls, pskCallback: () => psk });
    await once(server.listen(0, LOOPBACK), 'listening');
    server.on('secureConnection', (socket) =>
      serveHttp2({ socket, scheme: 'https', limits: limitsWith(), onExchange: ok }),
    );
    const socket = connectTls({
      ...tls,
      port: portOf(server),
      host: LOOPBACK,
      pskCallback: () => ({ psk, identity: 'test' }),
      checkServerIdentity: () => undefined,
    });
    await once(socket, 'secureConnect');
    const client = connectHttp2('https://site.example', { createConnection: () => socket });
    const [answer] = await once(client.request({ ':path': '/' }).resume(), 'response');
    assert.equal(answer[':status'], 200);
    client.close();
    server.close();
    await once(server, 'close');
  });

  test('is asked for its body, hears of what comes first, and gets an answer with trailers', async () => {
    await using rig = await Rig.start({
      async onExchange(exchange) {
        assert.equal(exchange.request.expectsContinue, true);
        exchange.continue();
        exchange.continue();
        exchange.interim({ status: 103, fields: [field('link', '</a>')] });
        const { text } = await take(exchange);
        const sink = exchange.respond({ status: 200, fields: [field('x', 'y')] }, { kind: 'stream' });
        sink.write(Buffer.from(`got ${text}`));
        sink.end([field('t', 'one'), field('t', 'two')]);
      },
    });
    const client = connectHttp2(rig.url);
    const request = client.request({ ':method': 'POST', expect: '100-continue' }, { endStream: false });
    let continues = 0;
    request.on('continue', () => {
      continues++;
      request.end('body');
    });
    const early = once(request, 'headers');
    const trailers = once(request, 'trailers');
    let text = '';
    for await (const bytes of request) text += bytes;
    assert.equal(text, 'got body');
    assert.equal(continues, 1);
    assert.equal((await early)[0][':status'], 100);
    assert.equal((await trailers)[0].t, 'one, two');
    client.close();
    await rig.connections[0]!.done;
  });

  const answers: [string, string, number, Parameters<ClientExchange['respond']>[1], string | undefined][] = [
    ['a HEAD', 'HEAD', 200, { kind: 'none', declared: 5 }, '5'],
    ['a HEAD that is answered like a GET', 'HEAD', 200, { kind: 'length', length: 5 }, '5'],
    ['a 204', 'GET', 204, { kind: 'none' }, undefined],
    ['a 205', 'GET', 205, { kind: 'length', length: 5 }, undefined],
    ['a 304', 'GET', 304, { kind: 'none', declared: 5 }, '5'],
    ['a body of no bytes', 'GET', 200, { kind: 'length', length: 0 }, '0'],
  ];
  for (const [what, method, status, length, declared] of answers) {
    test(`${what} has no body`, async () => {
      await using rig = await Rig.start({
        onExchange(exchange) {
          const sink = exchange.respond({ status, fields: [] }, length);
          sink.write(Buffer.from('12345'));
          sink.end([]);
        },
      });
      const client = connectHttp2(rig.url);
      const request = client.request({ ':method': method });
      const [head] = await once(request, 'response');
      assert.equal(head['content-length'], declared);
      assert.equal(head.date, undefined);
      for await (const _ of request) assert.fail('there is a body');
      client.close();
      await rig.connections[0]!.done;
    });
  }

  test('an answer ends a request that is still being sent, without blame', async () => {
    await using rig = await Rig.start({
      onExchange(exchange) {
        const sink = exchange.respond({ status: 403, fields: [] }, { kind: 'length', length: 4 });
        sink.write(Buffer.from('nope'));
        sink.end([]);
      },
    });
    const client = connectHttp2(rig.url);
    const request = client.request({ ':method': 'POST' });
    request.on('error', () => {});
    const chunk = Buffer.alloc(65_536);
    const pump = (): void => {
      while (!request.destroyed && !request.writableEnded && request.write(chunk));
    };
    request.on('drain', pump);
    pump();
    let text = '';
    for await (const bytes of request) text += bytes;
    assert.equal(text, 'nope');
    assert.equal(request.rstCode, constants.NGHTTP2_NO_ERROR);
    client.close();
    await rig.connections[0]!.done;
  });

  const broken: [string, (exchange: ClientExchange) => void][] = [
    ['aborted', (exchange) => exchange.abort('test')],
    [
      'aborted within',
      (exchange) => {
        const sink = exchange.respond({ status: 200, fields: [] }, { kind: 'stream' });
        sink.write(Buffer.from('begun'));
        sink.abort('test');
      },
    ],
    [
      'shorter than was said',
      (exchange) => exchange.respond({ status: 200, fields: [] }, { kind: 'length', length: 9 }).end([]),
    ],
    [
      'longer than was said',
      (exchange) => {
        exchange.respond({ status: 200, fields: [] }, { kind: 'length', length: 1 }).write(Buffer.from('ab'));
      },
    ],
    [
      'of a field with a line break',
      (exchange) => {
        exchange.respond({ status: 200, fields: [field('x', 'a\r\nb: c')] }, { kind: 'none' });
      },
    ],
    [
      'of a field with a NUL',
      (exchange) => {
        exchange.respond({ status: 200, fields: [field('x', 'a\0b')] }, { kind: 'none' });
      },
    ],
  ];
  for (const [what, answer] of broken) {
    test(`an answer that is ${what} is reset`, async () => {
      await using rig = await Rig.start({ onExchange: answer });
      const client = connectHttp2(rig.url);
      const request = client.request({ ':path': '/' });
      const [error] = await once(request.resume(), 'error');
      assert.match(error.message, /INTERNAL_ERROR/);
      client.close();
      await rig.connections[0]!.done;
    });
  }

  test('who goes away aborts the exchange', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    await using rig = await Rig.start({
      onExchange(exchange) {
        exchange.onAbort = resolve;
        exchange.respond({ status: 200, fields: [] }, { kind: 'stream' }).write(Buffer.from('x'));
      },
    });
    const client = connectHttp2(rig.url);
    const request = client.request({ ':path': '/' });
    await once(request, 'data');
    request.close(constants.NGHTTP2_CANCEL);
    assert.match(await promise, /CANCEL/);
    client.close();
    await rig.connections[0]!.done;
    assert.equal(rig.connections[0]!.open, 0);
  });
});
