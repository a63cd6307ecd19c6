import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { Refusal } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import { encodeFrame } from '@openshell/control/link';
import { carry } from './carry.ts';
import { Dialer, type LinkIdentity } from './dial.ts';
import { type LinkState, ProxyLink } from './proxy-link.ts';
import { FakeProxy, type Opened, selfSigned } from './test-support/fake-proxy.ts';

const identity = selfSigned();
const stranger = selfSigned();
const ready = {
  kind: 'ready',
  generation: 1,
  policyHash: 'a'.repeat(64),
  authorityPem: 'PEM',
  environment: {},
};
const flow = {
  family: 4,
  clientAddress: '127.0.0.1',
  clientPort: 1,
  serverAddress: '127.0.0.1',
  serverPort: 2,
} as const;
const opening = { adapter: 'explicit', flow, evidence: { kind: 'unknown', reason: 'a test' } } as const;

const say = ({ socket }: Opened, message: object): void => void socket.write(encodeFrame(message));

/** A link, with the states that it went through. */
class Watched implements Disposable {
  readonly link: ProxyLink;
  readonly states: LinkState[] = [];
  readonly refusals: Refusal[] = [];
  readonly #news = new EventEmitter();

  constructor(proxy: FakeProxy, own: LinkIdentity = identity) {
    this.link = new ProxyLink({
      ...{ dialer: new Dialer(proxy.address, own), tenant: sandboxId('box'), version: '1' },
      onState: (state) => {
        this.states.push(state);
        this.#news.emit('state');
      },
      onRefusal: (refusal) => this.refusals.push(refusal),
    });
  }

  async until(kind: LinkState['kind']): Promise<LinkState> {
    while (this.states.at(-1)?.kind !== kind) await once(this.#news, 'state');
    return this.states.at(-1)!;
  }

  [Symbol.dispose](): void {
    this.link[Symbol.dispose]();
  }
}

/** What a session of the fake proxy answers: everything is in force, and each name is known that does not begin with `no`. */
function serveSession(opened: Opened): void {
  const { socket, frames } = opened;
  say(opened, ready);
  socket.on('data', (bytes: Buffer) => {
    frames.push(bytes);
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      const { id, name } = frame.value as { id: number; name: string };
      say(opened, { kind: 'answer', id, known: !name.startsWith('no') });
    }
  });
  socket.resume();
}

describe('the link of a node', () => {
  test('has no streams and no names until the proxy is ready, and then both', async () => {
    const sessions: Opened[] = [];
    await using proxy = await FakeProxy.start(identity, (opened) => {
      if (opened.opening.kind === 'stream') opened.socket.end('for you');
      else sessions.push(opened);
      if (opened.opening.kind === 'session') say(opened, { kind: 'waiting', why: 'not yet' });
    });
    using watched = new Watched(proxy);
    const { link } = watched;
    await watched.until('waiting');
    assert.equal(await link.open(opening), undefined);
    await assert.rejects(link.mayKnow('a.example', 'A'));
    serveSession(sessions[0]!);
    await watched.until('ready');
    const answers = [
      link.mayKnow('a.example', 'A'),
      link.mayKnow('no.example', 'A'),
      link.mayKnow('a.example', 'A'),
    ];
    assert.deepEqual(await Promise.all(answers), [true, false, true]);
    const stream = await link.open(opening);
    const [bytes] = await once(stream!.socket, 'data');
    assert.equal(String(bytes), 'for you');
  });

  test('keeps connections ready once one was used, so that the next need no handshake', async () => {
    const streams: Opened[] = [];
    await using proxy = await FakeProxy.start(identity, (opened) => {
      if (opened.opening.kind === 'session') serveSession(opened);
      else streams.push(opened);
    });
    using watched = new Watched(proxy);
    await watched.until('ready');
    assert.equal(proxy.connections, 1, 'none before there was need');
    await watched.link.open(opening);
    // The session, the stream, and those in reserve.
    while (proxy.connections < 6) await new Promise((resolve) => setImmediate(resolve));
    await watched.link.open(opening);
    assert.ok(proxy.connections <= 7);
  });

  test('refuses everything while the proxy is gone, and comes back with it', async () => {
    const first = await FakeProxy.start(identity, serveSession);
    using watched = new Watched(first);
    await watched.until('ready');
    const { port } = first.address;
    await first[Symbol.asyncDispose]();
    const lost = await watched.until('lost');
    assert.match(
      String(lost.kind === 'lost' && lost.error?.message),
      /session with the proxy at 127\.0\.0\.1:\d+ is over/,
    );
    assert.equal(await watched.link.open(opening), undefined);
    await using _second = await FakeProxy.start(identity, serveSession, { port });
    await watched.until('ready');
  });

  test('names both versions where there is none in common, and does not try again', async () => {
    await using proxy = await FakeProxy.start(identity, () => {}, {
      versions: ['openshell-link/8', 'openshell-link/9'],
    });
    using watched = new Watched(proxy);
    const lost = await watched.until('lost');
    assert.ok(lost.kind === 'lost');
    assert.equal(lost.error?.code, 'link_unsupported');
    assert.match(
      lost.error?.message ?? '',
      /openshell-link\/8, openshell-link\/9 and this program openshell-link\/1/,
    );
  });

  test('says nothing to a proxy that its authority did not sign', async () => {
    let opened = false;
    await using proxy = await FakeProxy.start(identity, () => {
      opened = true;
    });
    using watched = new Watched(proxy, stranger);
    const lost = await watched.until('lost');
    assert.equal(lost.kind === 'lost' && lost.error?.code, 'link_untrusted');
    assert.equal(opened, false);
  });

  test('ends a session with a proxy that does not keep to the protocol', async () => {
    await using proxy = await FakeProxy.start(identity, (opened) => say(opened, { kind: 'ready' }));
    using watched = new Watched(proxy);
    const lost = await watched.until('lost');
    assert.equal(lost.kind === 'lost' && lost.error?.code, 'link_protocol');
  });

  test('cannot be begun with files that are no certificate, and the message has nothing of them', () => {
    assert.throws(
      () => new Dialer({ host: '127.0.0.1', port: 1 }, { ...identity, keyPem: 'secret' }),
      (error: Error) => 'code' in error && error.code === 'link_certificate' && !/secret/.test(error.message),
    );
  });
});

describe('a stream', () => {
  /** A program's connection that is carried to the fake proxy; both ends. */
  async function carried(use: (ends: { program: Socket; proxy: Opened }) => Promise<void>): Promise<void> {
    const opened = Promise.withResolvers<Opened>();
    await using proxy = await FakeProxy.start(identity, (one) => opened.resolve(one));
    const dialer = new Dialer(proxy.address, identity);
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };
    const accepted = once(server, 'connection');
    const program = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    program.on('error', () => {});
    const [client] = (await accepted) as [Socket];
    const link = await dialer.dial();
    link.socket.write(encodeFrame({ kind: 'stream', tenant: 'box', ...opening }));
    const done = carry(client, link);
    await use({ program, proxy: await opened.promise });
    await done;
    program.destroy();
    server.close();
  }
  const closed = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      if (socket.closed) resolve();
      else socket.once('close', () => resolve());
    });

  test('carries each side’s end alone, and bytes before and after it', () =>
    carried(async ({ program, proxy: { socket, frames } }) => {
      let heard = frames.rest().toString();
      socket.on('data', (bytes) => (heard += bytes)).resume();
      program.end('question');
      await once(socket, 'end');
      assert.equal(heard, 'question');
      socket.end('answer');
      const [bytes] = await once(program, 'data');
      assert.equal(String(bytes), 'answer');
    }));

  test('carries a reset of the program as a reset', () =>
    carried(async ({ program, proxy: { socket } }) => {
      socket.resume();
      program.resetAndDestroy();
      await closed(socket);
      assert.equal((socket.errored as NodeJS.ErrnoException | null)?.code, 'ECONNRESET');
    }));

  test('carries a reset of the proxy as a reset', () =>
    carried(async ({ program, proxy: { socket } }) => {
      program.resume();
      (socket as unknown as { readonly _parent: Socket })._parent.resetAndDestroy();
      await closed(program);
      assert.equal((program.errored as NodeJS.ErrnoException | null)?.code, 'ECONNRESET');
    }));

  test('makes the proxy wait for a program that does not read', () =>
    carried(async ({ program, proxy: { socket } }) => {
      program.pause();
      const chunk = Buffer.alloc(1 << 20);
      let sent = 0;
      while (socket.write(chunk)) sent += chunk.length;
      // The kernel's buffers and ours are full: what is left waits here, not in the node.
      assert.ok(socket.writableLength > 0 && sent < 64 << 20);
      socket.end();
      let got = 0;
      program.on('data', (bytes: Buffer) => (got += bytes.length)).resume();
      socket.resume();
      program.on('end', () => program.end());
      await once(program, 'end');
      assert.equal(got, sent + chunk.length);
    }));
});
