import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { Upstream } from '../destination/upstream.ts';
import { limitsWith } from '../limits.ts';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { type ConnectOptions, type ConnectResult, connectUpstream } from './connect-upstream.ts';
import { PlainUpstream } from './plain-upstream.ts';
import { UpstreamProxy, type UpstreamProxyOptions } from './upstream-proxy.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];
after(() => {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

async function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  servers.push(server);
  await once(server.listen(0, LOOPBACK), 'listening');
  return portOf(server);
}

interface FakeProxy {
  readonly port: number;
  /** Heads of the requests that came. */
  readonly requests: string[];
}

/** A proxy that answers each CONNECT with the next of these texts, then as the last; a tunnel echoes. */
async function fakeProxy(...answers: readonly string[]): Promise<FakeProxy> {
  const requests: string[] = [];
  const port = await listen((socket) => {
    socket.once('data', (bytes) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)]!;
      requests.push(bytes.toString('latin1'));
      if (answer !== '') socket.write(answer);
      socket.pipe(socket);
    });
  });
  return { port, requests };
}

const OK = 'HTTP/1.1 200 Connection established\r\nVia: 1.1 somewhere\r\nContent-Length: 5\r\n\r\n';
const TARGETS = [
  { address: '192.0.2.1', port: 443 },
  { address: '192.0.2.2', port: 443 },
];

function via(
  proxy: number,
  options: Partial<UpstreamProxyOptions> = {},
  changes: Partial<ConnectOptions<Upstream>> = {},
): Promise<ConnectResult<Upstream>> {
  return connectUpstream({
    open: (target) => new Upstream(target),
    ...{ host: 'origin.test', port: 443, plan: { kind: 'plan', targets: TARGETS, overridden: false } },
    proxy: new UpstreamProxy({ url: `http://${LOOPBACK}:${proxy}`, ...options }),
    ...{
      resolver: { lookup: async () => [LOOPBACK] },
      limits: limitsWith(),
      signal: new AbortController().signal,
    },
    ...changes,
  });
}

/** Sends a text and reads until `length` bytes have come. */
async function exchange(upstream: Upstream, text: string, length: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let got = '';
  upstream.readInto((bytes) => {
    got += bytes.toString('latin1');
    if (got.length >= length) resolve(got);
    return true;
  });
  upstream.socket.write(text);
  const result = await promise;
  upstream.socket.destroy();
  return result;
}

describe("through the operator's proxy", () => {
  test('a tunnel to the checked address opens, and its first bytes are not lost', async () => {
    const proxy = await fakeProxy(`${OK}hello `);
    const result = await via(proxy.port);
    assert.ok(result.kind === 'connected');
    assert.deepEqual(result.target, TARGETS[0]);
    assert.equal(await exchange(result.upstream, 'world', 11), 'hello world');
    assert.equal(proxy.requests[0], 'CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n\r\n');
  });

  test('the same on a connection that is read as a stream', async () => {
    const { port } = await fakeProxy(`${OK}hello `);
    const open = (target: { address: string; port: number }): PlainUpstream => new PlainUpstream(target);
    const plan = { kind: 'plan', targets: TARGETS, overridden: false } as const;
    const result = await connectUpstream({
      ...{ open, plan, host: 'origin.test', port: 443, limits: limitsWith() },
      proxy: new UpstreamProxy({ url: `http://proxy.test:${port}` }),
      ...{ resolver: { lookup: async () => [LOOPBACK] }, signal: new AbortController().signal },
    });
    assert.ok(result.kind === 'connected');
    const { socket } = result.upstream;
    let got = '';
    socket.on('data', (bytes) => (got += bytes)).resume();
    socket.end('world');
    await once(socket, 'end');
    assert.equal(got, 'hello world');
  });

  test('credentials go along, and never into a message', async () => {
    const proxy = await fakeProxy('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const bare = await via(proxy.port);
    assert.ok(bare.kind === 'failed');
    assert.match(bare.detail, /wants credentials/);
    const refused = await via(proxy.port, { auth: 'me:hunter2' });
    assert.ok(refused.kind === 'failed');
    assert.match(refused.detail, /refused its credentials/);
    assert.doesNotMatch(refused.detail, /hunter2|bWU6/);
    const encoded = Buffer.from('me:hunter2').toString('base64');
    assert.match(proxy.requests[1]!, new RegExp(`\r\nProxy-Authorization: Basic ${encoded}\r\n`));
    assert.equal(proxy.requests.length, 2, 'no second address is tried after a refusal');
  });

  test('it is asked for the name where the operator says so', async () => {
    const proxy = await fakeProxy(OK);
    const result = await via(proxy.port, { byHostname: true });
    assert.ok(result.kind === 'connected');
    result.upstream.socket.destroy();
    assert.match(proxy.requests[0]!, /^CONNECT origin\.test:443 /);
  });

  test('the next address is tried when it cannot reach the first', async () => {
    const proxy = await fakeProxy('HTTP/1.1 502 Bad Gateway\r\n\r\n', OK);
    const result = await via(proxy.port);
    assert.ok(result.kind === 'connected');
    result.upstream.socket.destroy();
    assert.deepEqual(result.target, TARGETS[1]);
    assert.deepEqual(
      proxy.requests.map((request) => request.split(' ')[1]),
      ['192.0.2.1:443', '192.0.2.2:443'],
    );
  });

  const failures: readonly (readonly [string, string, string, RegExp])[] = [
    ['refuses', 'HTTP/1.1 403 Forbidden\r\n\r\n', 'upstream_unreachable', /answered 403/],
    ['cannot reach it', 'HTTP/1.1 502 Bad\r\n\r\n', 'upstream_unreachable', /answered 502/],
    ['is too slow itself', 'HTTP/1.1 504 Late\r\n\r\n', 'upstream_timeout', /answered 504/],
    ['is none', 'SSH-2.0-OpenSSH\r\n', 'upstream_unreachable', /not HTTP/],
    ['has a malformed status', 'HTTP/1.1 abc\r\n\r\n', 'upstream_unreachable', /not HTTP/],
    ['speaks another version', 'HTTP/2.0 200 OK\r\n\r\n', 'upstream_unreachable', /not HTTP/],
    [
      'talks without end',
      `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(9000)}`,
      'upstream_unreachable',
      /more than 8192 bytes/,
    ],
    ['is silent', '', 'upstream_timeout', /within 50 ms/],
    ['stops in the middle', 'HTTP/1.1 200', 'upstream_timeout', /within 50 ms/],
  ];
  for (const [what, answer, code, detail] of failures) {
    test(`nothing is dialled directly when the proxy ${what}`, async () => {
      let direct = 0;
      const origin = await listen(() => (direct += 1));
      const targets = [{ address: LOOPBACK, port: origin }];
      const plan = { kind: 'plan', targets, overridden: false } as const;
      const limits = limitsWith(detail.source.includes('50 ms') ? { proxyTime: 50 } : {});
      const result = await via((await fakeProxy(answer)).port, {}, { plan, limits });
      assert.ok(result.kind === 'failed');
      assert.equal(result.code, code);
      assert.match(result.detail, detail);
      assert.equal(direct, 0);
    });
  }

  test('a proxy that closes, is not there, or has no address is a failure with that reason', async () => {
    const closing = await via(await listen((socket) => socket.resume().end()));
    assert.ok(
      closing.kind === 'failed' && /closed the connection/.test(closing.detail),
      JSON.stringify(closing),
    );
    const absent = await via(1);
    assert.ok(absent.kind === 'failed' && /cannot be reached/.test(absent.detail));
    const proxy = new UpstreamProxy({ url: 'http://proxy.test:3128' });
    const unknown = await via(1, {}, { proxy, resolver: { lookup: async () => [] } });
    assert.ok(unknown.kind === 'failed' && /has no address/.test(unknown.detail));
  });

  test('an attempt ends when nobody waits for it', async () => {
    const abort = new AbortController();
    const port = await listen((socket) => socket.once('data', () => abort.abort(new Error('gone'))));
    const result = await via(port, {}, { signal: abort.signal });
    assert.deepEqual(result, { kind: 'failed', code: 'aborted', detail: 'gone' });
  });

  test('what NO_PROXY covers, and what the operator gave an address, is dialled directly', async () => {
    const proxy = await fakeProxy(OK);
    const origin = await listen((socket) => socket.pipe(socket));
    const targets = [{ address: LOOPBACK, port: origin }];
    for (const [noProxy, overridden] of [
      ['origin.test', false],
      ['', true],
    ] as const) {
      const result = await via(proxy.port, { noProxy }, { plan: { kind: 'plan', targets, overridden } });
      assert.ok(result.kind === 'connected');
      assert.equal(await exchange(result.upstream, 'direct', 6), 'direct');
    }
    assert.equal(proxy.requests.length, 0);
  });
});
