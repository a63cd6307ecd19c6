import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, createServer, type Server } from 'node:net';
import { describe, test } from 'node:test';
import type { BodyLength } from '../exchange/body.ts';
import type { OutgoingRequest, ResponseHead, UpstreamFailure } from '../exchange/exchange.ts';
import { type Limits, limitsWith } from '../limits.ts';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import {
  ACK,
  data,
  END_STREAM,
  type Frame,
  frame,
  goaway,
  headers,
  number32,
  type Pairs,
  PREFACE,
  reset,
  settings,
} from './test-support/frames.ts';
import { RawPeer } from './test-support/raw-peer.ts';
import { Http2Upstream } from './upstream.ts';

const field = (name: string, value: string) => ({ name, lowerName: name, value });

const GET: OutgoingRequest = {
  method: 'GET',
  target: '/',
  scheme: 'http',
  authority: 'site.example',
  fields: [],
  upgrade: undefined,
  expectsContinue: false,
};

/** All that came of a request. */
interface Outcome {
  interims: ResponseHead[];
  continued: number;
  head?: ResponseHead;
  text: string;
  trailers?: [string, string][];
  /** Of the body. */
  broken?: string;
  failure?: UpstreamFailure;
}

interface Sent {
  readonly outcome: Promise<Outcome>;
  readonly sink: ReturnType<Http2Upstream['start']>;
}

function send(
  upstream: Http2Upstream,
  changes: Partial<OutgoingRequest> = {},
  length: BodyLength = { kind: 'none' },
  onContinue: () => void = () => {},
): Sent {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const outcome: Outcome = { interims: [], continued: 0, text: '' };
  const sink = upstream.start({ ...GET, ...changes }, length, {
    continue() {
      outcome.continued++;
      onContinue();
    },
    interim: (head) => outcome.interims.push(head),
    response(head, body) {
      outcome.head = head;
      body.start({
        data(bytes) {
          outcome.text += bytes;
          return true;
        },
        end(trailers) {
          outcome.trailers = trailers.map(({ name, value }) => [name, value]);
          resolve(outcome);
        },
        fail(reason) {
          outcome.broken = reason;
          resolve(outcome);
        },
      });
    },
    upgraded: () => assert.fail(),
    failed(failure) {
      outcome.failure = failure;
      resolve(outcome);
    },
  });
  if (length.kind === 'none') sink.end([]);
  return { outcome: promise, sink };
}

/** Both ends of one connection to an origin. */
class Link implements AsyncDisposable {
  readonly upstream: Http2Upstream;
  readonly server: Server;

  static async to(server: Server, limits: Partial<Limits> = {}): Promise<Link> {
    await once(server.listen(0, LOOPBACK), 'listening');
    const socket = connect({ port: portOf(server), host: LOOPBACK, allowHalfOpen: true });
    await once(socket, 'connect');
    return new Link(server, new Http2Upstream({ socket, limits: limitsWith(limits) }));
  }

  constructor(server: Server, upstream: Http2Upstream) {
    this.server = server;
    this.upstream = upstream;
  }

  async changed(until: () => boolean): Promise<void> {
    while (!until()) {
      await new Promise<void>((resolve) => {
        this.upstream.onChange = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.upstream.destroy();
    await this.changed(() => this.upstream.closed);
    this.server.close();
  }
}

interface ByHand extends AsyncDisposable {
  readonly upstream: Http2Upstream;
  readonly link: Link;
  readonly origin: RawPeer;
}

async function byHand(limits: Partial<Limits> = {}): Promise<ByHand> {
  const server = createServer();
  const accepted = once(server, 'connection');
  const link = await Link.to(server, limits);
  const [socket] = await accepted;
  const origin = new RawPeer(socket, PREFACE.length);
  origin.write(settings());
  const asyncDispose = async (): Promise<void> => {
    socket.destroy();
    await link[Symbol.asyncDispose]();
  };
  return { upstream: link.upstream, link, origin, [Symbol.asyncDispose]: asyncDispose };
}

const requested = (origin: RawPeer, stream = 1): Promise<Frame | undefined> =>
  origin.frame('headers', (head) => head.stream === stream);

const OK: Pairs = [[':status', '200']];

describe('an HTTP/2 origin, written by hand', () => {
  const refused: [string, Buffer[]][] = [
    ['no status', [headers(1, [['a', 'b']])]],
    ['a status of two digits', [headers(1, [[':status', '20']])]],
    ['a status beyond 599', [headers(1, [[':status', '600']])]],
    ['the status 101', [headers(1, [[':status', '101']], 0), headers(1, OK)]],
    ['a second status', [headers(1, [...OK, [':status', '200']])]],
    ['a pseudo-header field of requests', [headers(1, [...OK, [':path', '/']])]],
    ['a name in upper case', [headers(1, [...OK, ['X', 'y']])]],
    ['Transfer-Encoding', [headers(1, [...OK, ['transfer-encoding', 'chunked']])]],
    ['Connection', [headers(1, [...OK, ['connection', 'close']])]],
    ['Upgrade', [headers(1, [...OK, ['upgrade', 'h2c']])]],
    ['HTTP2-Settings', [headers(1, [...OK, ['http2-settings', 'x']])]],
    [
      'two lengths',
      [headers(1, [...OK, ['content-length', '1'], ['content-length', '1']], 0), data(1, 'a', END_STREAM)],
    ],
    ['a signed length', [headers(1, [...OK, ['content-length', '+1']], 0), data(1, 'a', END_STREAM)]],
    ['a length without a body', [headers(1, [...OK, ['content-length', '5']])]],
    ['too many bytes of fields', [headers(1, [...OK, ['x', 'y'.repeat(20_000)]])]],
    ['far too many bytes of fields', [headers(1, [...OK, ['x', 'y'.repeat(40_000)]])]],
    ['too many fields', [headers(1, [...OK, ...Array.from({ length: 140 }, () => ['x', 'y'] as const)])]],
    ['a body before a response', [data(1, 'a', END_STREAM)]],
    ['an end in an informational response', [headers(1, [[':status', '103']])]],
    [
      'informational responses without an end',
      Array.from({ length: 50 }, () => headers(1, [[':status', '103']], 0)),
    ],
    ['a reset', [reset(1, 2)]],
    ['a reset that blames the request', [reset(1, 1)]],
    ['something that is not HTTP/2', [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')]],
  ];
  for (const [what, bytes] of refused) {
    test(`fails the request with ${what}`, async () => {
      await using hand = await byHand();
      const { outcome } = send(hand.upstream);
      await requested(hand.origin);
      hand.origin.write(...bytes);
      const { failure, head } = await outcome;
      assert.equal(head, undefined);
      assert.equal(failure?.code, 'upstream_protocol');
      assert.equal(failure?.retry, false);
    });
  }

  const broken: [string, Pairs, Buffer[]][] = [
    ['is longer than its length', [...OK, ['content-length', '1']], [data(1, 'ab', END_STREAM)]],
    ['is shorter than its length', [...OK, ['content-length', '9']], [data(1, 'ab', END_STREAM)]],
    ['is reset', OK, [data(1, 'ab'), reset(1, 2)]],
    [
      'is reset without an error before its length',
      [...OK, ['content-length', '9']],
      [data(1, 'ab'), reset(1, 0)],
    ],
    ['has a length in its trailers', OK, [data(1, 'ab'), headers(1, [['content-length', '2']])]],
    ['has a status in its trailers', OK, [data(1, 'ab'), headers(1, OK)]],
    ['is cut off by a GOAWAY', OK, [data(1, 'ab'), goaway(1, 2)]],
  ];
  for (const [what, head, frames] of broken) {
    test(`breaks a body that ${what}`, async () => {
      await using hand = await byHand();
      const { outcome } = send(hand.upstream);
      await requested(hand.origin);
      hand.origin.write(headers(1, head, 0), ...frames);
      const { head: got, broken } = await outcome;
      assert.equal(got?.status, 200);
      assert.notEqual(broken, undefined);
    });
  }

  test('may end a response by saying that it was no error', async () => {
    await using hand = await byHand();
    const { outcome } = send(hand.upstream, { method: 'POST' }, { kind: 'stream' });
    await requested(hand.origin);
    hand.origin.write(headers(1, OK, 0), data(1, 'ab'), reset(1, 0));
    const { text, broken } = await outcome;
    assert.equal(text, 'ab');
    assert.equal(broken, undefined);
  });

  test('breaks a body when it closes the connection', async () => {
    await using hand = await byHand();
    const { outcome } = send(hand.upstream);
    await requested(hand.origin);
    hand.origin.write(headers(1, OK, 0), data(1, 'ab'));
    hand.origin.socket.end();
    assert.notEqual((await outcome).broken, undefined);
  });

  test('may close the connection behind a complete body, though nobody has read it yet', async () => {
    await using hand = await byHand();
    let text = '';
    const done = new Promise<void>((resolve, reject) => {
      const sink = hand.upstream.start(
        GET,
        { kind: 'none' },
        {
          continue: () => {},
          interim: () => {},
          response: (_head, body) =>
            body.start({
              // Full at once, and never resumed.
              data: (bytes) => {
                text += bytes;
                return false;
              },
              end: () => resolve(),
              fail: (reason) => reject(new Error(reason)),
            }),
          upgraded: () => {},
          failed: () => reject(new Error('failed')),
        },
      );
      sink.end([]);
    });
    await requested(hand.origin);
    hand.origin.write(headers(1, OK, 0), data(1, 'ab'), data(1, 'cd'), data(1, 'ef', END_STREAM));
    hand.origin.socket.end();
    await done;
    assert.equal(text, 'abcdef');
  });

  test('a field that could become another is not passed on', async () => {
    await using hand = await byHand();
    const { outcome } = send(hand.upstream);
    await requested(hand.origin);
    const fields: Pairs = [
      ['x', 'a\r\nset-cookie: b'],
      ['y z', '1'],
      ['n', 'a\0b'],
      ['padded', ' c '],
      ['proxy-authenticate', 'Basic'],
    ];
    hand.origin.write(headers(1, [...OK, ...fields]));
    assert.deepEqual((await outcome).head?.fields, [field('padded', 'c')]);
  });

  test('what a response to HEAD says of its length is kept', async () => {
    await using hand = await byHand();
    const { outcome } = send(hand.upstream, { method: 'HEAD' });
    await requested(hand.origin);
    hand.origin.write(headers(1, [...OK, ['content-length', '5']]));
    assert.deepEqual((await outcome).head, { status: 200, fields: [], declaredLength: 5 });
  });

  const retried: [string, (origin: RawPeer) => void, Partial<OutgoingRequest>, boolean][] = [
    ['refuses the stream', ({ socket }) => socket.write(reset(1, 7)), { method: 'POST' }, true],
    ['goes away without it', ({ socket }) => socket.write(goaway(0, 0)), { method: 'POST' }, true],
    ['goes away without it, in anger', ({ socket }) => socket.write(goaway(0, 11)), { method: 'POST' }, true],
    ['goes away with it and closes', ({ socket }) => socket.end(goaway(1, 0)), {}, false],
    ['closes a connection that was never good', ({ socket }) => socket.end(), {}, false],
    ['resets it', ({ socket }) => socket.resetAndDestroy(), {}, false],
  ];
  for (const [what, act, changes, retry] of retried) {
    test(`${retry ? 'may be asked again' : 'is not asked again'} when it ${what}`, async () => {
      await using hand = await byHand();
      const { outcome } = send(hand.upstream, changes);
      await requested(hand.origin);
      act(hand.origin);
      const { failure } = await outcome;
      assert.equal(failure?.retry, retry);
      assert.equal(failure?.code, 'upstream_unreachable');
    });
  }

  for (const [method, retry] of [
    ['GET', true],
    ['POST', false],
  ] as const) {
    test(`${retry ? 'may be asked again' : 'is not asked again'} for ${method} when it closes a connection that was good`, async () => {
      await using hand = await byHand();
      const first = send(hand.upstream);
      await requested(hand.origin);
      hand.origin.write(headers(1, OK));
      await first.outcome;
      await hand.link.changed(() => hand.upstream.idle);
      const second = send(hand.upstream, { method });
      await requested(hand.origin, 3);
      hand.origin.socket.end();
      assert.equal((await second.outcome).failure?.retry, retry);
    });
  }

  test('may be asked again for a request that came too late for the connection', async () => {
    await using hand = await byHand();
    hand.upstream.destroy();
    const { failure } = await send(hand.upstream, { method: 'POST' }).outcome;
    assert.equal(failure?.retry, true);
  });

  test('is available up to as many requests as it takes, and not when it goes away', async () => {
    await using hand = await byHand();
    hand.origin.write(frame('settings', 0, 0, Buffer.concat([Buffer.from([0, 3]), number32(2)])));
    await hand.origin.frame('settings', ({ flags }) => flags === 1);
    const first = send(hand.upstream);
    assert.equal(hand.upstream.available, true);
    assert.equal(hand.upstream.idle, false);
    const second = send(hand.upstream);
    await requested(hand.origin, 3);
    assert.equal(hand.upstream.available, false);
    hand.origin.write(headers(1, OK));
    await first.outcome;
    await hand.link.changed(() => hand.upstream.available);
    hand.origin.write(goaway(3, 0));
    await hand.link.changed(() => !hand.upstream.available);
    assert.equal(hand.upstream.closed, false);
    hand.origin.write(headers(3, OK));
    assert.equal((await second.outcome).head?.status, 200);
    await hand.link.changed(() => hand.upstream.closed);
  });

  test('may not push', async () => {
    await using hand = await byHand();
    const { outcome } = send(hand.upstream);
    await requested(hand.origin);
    hand.origin.write(frame('settings', ACK, 0));
    const head = headers(1, [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':authority', 'a'],
      [':path', '/'],
    ]).subarray(9);
    hand.origin.write(frame('push', 4, 1, Buffer.concat([number32(2), head])));
    assert.notEqual((await outcome).failure, undefined);
  });

  test('is given up when it does not answer a PING', async () => {
    await using hand = await byHand({ http2PingInterval: 20, http2PingTime: 20 });
    const { outcome } = send(hand.upstream);
    assert.notEqual(await hand.origin.frame('ping'), undefined);
    assert.notEqual((await outcome).failure, undefined);
  });

  test('hears that nobody wants the answer any more', async () => {
    await using hand = await byHand();
    const { sink } = send(hand.upstream, { method: 'POST' }, { kind: 'stream' });
    await requested(hand.origin);
    sink.abort('test');
    assert.deepEqual(await hand.origin.outcome(1), { kind: 'reset', code: 8 });
  });

  test('is sent nothing where a field could become another', async () => {
    await using hand = await byHand();
    for (const fields of [
      [field('x', 'a\r\nb: c')],
      [field('x', 'a\0b')],
      [field('transfer-encoding', 'chunked')],
      [field(':path', '/')],
    ]) {
      const { failure } = await send(hand.upstream, { fields }).outcome;
      assert.equal(failure?.code, 'upstream_protocol');
    }
    assert.equal(hand.origin.frames.filter(({ type }) => type === 'headers').length, 0);
    assert.equal(hand.upstream.idle, true);
  });
});

describe('a real HTTP/2 origin', () => {
  async function real(serve: (stream: ServerHttp2Stream, head: IncomingHttpHeaders) => void): Promise<Link> {
    const server = createHttp2Server();
    server.on('stream', serve);
    return Link.to(server as unknown as Server);
  }

  test('gets the request with its body and trailers, and its answer comes with its own', async () => {
    const got: unknown[] = [];
    let sum: unknown;
    await using link = await real(async (stream, head) => {
      stream.on('trailers', (trailers) => {
        sum = trailers['x-sum'];
      });
      got.push(
        head[':method'],
        head[':path'],
        head[':authority'],
        head['content-length'],
        head.te,
        head.cookie,
      );
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      let text = '';
      for await (const bytes of stream) text += bytes;
      got.push(text);
      stream.respond({ ':status': 201, 'set-cookie': ['a=1', 'b=2'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ t: 'v' }));
      stream.end('answer');
    });
    const fields = [field('content-type', 'application/grpc+proto'), field('cookie', 'a=1; b=2')];
    const { sink, outcome } = send(
      link.upstream,
      { method: 'POST', target: '/x?y', fields },
      { kind: 'length', length: 4 },
    );
    const bytes = Buffer.from('body');
    sink.write(bytes);
    // The bytes were the sink's during the call only.
    bytes.fill(0);
    sink.end([field('x-sum', '1')]);
    const { interims, head, text, trailers } = await outcome;
    assert.deepEqual(got, ['POST', '/x?y', 'site.example', '4', 'trailers', 'a=1; b=2', 'body']);
    assert.equal(sum, '1');
    assert.deepEqual(interims, [{ status: 103, fields: [field('link', '</a>')] }]);
    assert.equal(head?.status, 201);
    assert.deepEqual(
      head?.fields.filter(({ name }) => name === 'set-cookie').map(({ value }) => value),
      ['a=1', 'b=2'],
    );
    assert.equal(text, 'answer');
    assert.deepEqual(trailers, [['t', 'v']]);
  });

  test('asks for the body where it is asked whether it wants it', async () => {
    await using link = await real((stream, head) => {
      if (head.expect === '100-continue') stream.additionalHeaders({ ':status': 100 });
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    const sent: Sent = send(
      link.upstream,
      { method: 'PUT', expectsContinue: true },
      { kind: 'stream' },
      () => {
        sent.sink.write(Buffer.from('wanted'));
        sent.sink.end([]);
      },
    );
    const { continued, text } = await sent.outcome;
    assert.equal(continued, 1);
    assert.equal(text, 'wanted');
  });

  for (const [what, length, writes] of [
    ['shorter', 9, 'ab'],
    ['longer', 1, 'ab'],
  ] as const) {
    test(`hears that a body is broken that is ${what} than was said`, async () => {
      const { promise, resolve } = Promise.withResolvers<number | undefined>();
      await using link = await real((stream) => {
        stream.on('error', () => {});
        stream.on('close', () => resolve(stream.rstCode));
        stream.resume();
      });
      const { sink } = send(link.upstream, { method: 'PUT' }, { kind: 'length', length });
      sink.write(Buffer.from(writes));
      sink.end([]);
      assert.notEqual(await promise, 0);
    });
  }
});
