import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { MemorySink, type SecurityEvent } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import { encodeFrame, FrameReader, LINK_VERSIONS } from '@openshell/control/link';
import { type Limits, limitsWith } from '../limits.ts';
import { Fixture, type FixtureOptions, LOOPBACK, readAll, readUntil } from '../test-support/fixture.ts';
import { type Identity, LinkAuthority } from '../test-support/link-authority.ts';
import { LinkDirectory } from './directory.ts';
import { type LinkServer, serveLink } from './server.ts';

const { ca, proxy, node, other, expired } = LinkAuthority.with((authority) => ({
  ca: authority.caPem,
  proxy: authority.issue('IP:127.0.0.1', 'serverAuth'),
  node: authority.issue('URI:spiffe://test/node-1', 'clientAuth'),
  other: authority.issue('DNS:node-2.test', 'clientAuth'),
  expired: authority.issue('URI:spiffe://test/node-1', 'clientAuth', -1),
}));
const stranger = LinkAuthority.with((authority) => ({
  ca: authority.caPem,
  node: authority.issue('URI:spiffe://test/node-1', 'clientAuth'),
}));

const BOX = sandboxId('box');
const evidence = {
  kind: 'process',
  pid: 12,
  executable: { path: '/usr/bin/curl', sha256: 'ab'.repeat(32), pinned: true },
  ancestors: [],
  argv: ['curl'],
};
const flow = {
  family: 4,
  clientAddress: '127.0.0.1',
  clientPort: 40_000,
  serverAddress: '127.0.0.1',
  serverPort: 3128,
};
const explicit = { kind: 'stream', tenant: BOX, adapter: 'explicit', flow, evidence };
const installed = { generation: 1, policyHash: 'a'.repeat(64), environment: { KEY: 'placeholder' } };

/** A proxy with one tenant, which `node` may speak for, and its link. */
class World implements AsyncDisposable {
  readonly fixture: Fixture;
  readonly directory = new LinkDirectory();
  readonly events = new MemorySink(100);
  readonly #sockets: TLSSocket[] = [];
  link!: LinkServer;

  private constructor(fixture: Fixture) {
    this.fixture = fixture;
  }

  static async start(options: FixtureOptions = { allow: [] }, limits: Partial<Limits> = {}): Promise<World> {
    const world = new World(await Fixture.start(options));
    world.register();
    world.link = await serveLink({
      ...{ listen: { host: LOOPBACK, port: 0 }, certPem: proxy.cert, keyPem: proxy.key, clientCaPem: ca },
      ...{ directory: world.directory, authority: async () => ({ bundlePem: 'PEM' }) },
      ...{ limits: limitsWith(limits), events: (event: SecurityEvent) => world.events.write(event) },
    });
    return world;
  }

  register(more: { readonly generation?: number } = {}): void {
    const { tenant } = this.fixture;
    const certificates = ['spiffe://test/node-1'];
    this.directory.set(BOX, { certificates, tenant, installed: { ...installed, ...more } });
  }

  /** A connection as a node makes it. Its end without a handshake is in `ended`. */
  dial({ cert, key }: Partial<Identity> = node, ALPNProtocols: readonly string[] = LINK_VERSIONS): TLSSocket {
    const socket = connectTls({
      ...{ host: LOOPBACK, port: this.link.address.port, ca, cert, key, allowHalfOpen: true },
      ...{ ALPNProtocols: [...ALPNProtocols] },
    });
    socket.on('error', () => {});
    this.#sockets.push(socket);
    return socket;
  }

  open(opening: object, identity: Identity = node): TLSSocket {
    const socket = this.dial(identity);
    socket.write(encodeFrame(opening));
    return socket;
  }

  session(identity: Identity = node, tenant = 'box'): Messages {
    return new Messages(this.open({ kind: 'session', tenant, version: '1' }, identity));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.link.close();
    await this.fixture[Symbol.asyncDispose]();
  }
}

/** The proxy's side of a session, message by message. */
class Messages {
  readonly socket: TLSSocket;
  readonly #frames = new FrameReader();
  #news = Promise.withResolvers<void>();

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#frames.push(bytes);
      this.#news.resolve();
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#news.resolve());
  }

  say(message: object): void {
    this.socket.write(encodeFrame(message));
  }

  async next(): Promise<Record<string, unknown>> {
    for (;;) {
      const frame = this.#frames.next();
      if (frame !== undefined) return frame.value as Record<string, unknown>;
      if (this.socket.closed) throw new Error('closed');
      this.#news = Promise.withResolvers();
      await this.#news.promise;
    }
  }
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });

/** What a connection that is turned away says before its end. */
async function lastWords(socket: TLSSocket): Promise<string> {
  let said = '';
  socket.on('data', (bytes) => (said += bytes));
  socket.once('end', () => socket.destroy());
  await closed(socket);
  return said;
}

const turnedAway = ({ events }: World): (string | undefined)[] =>
  events.events.map((event) => ('finding_info' in event ? event.finding_info.desc : undefined));

test('certificates are renewed for connections from now on, unless they are of no use', async () => {
  await using world = await World.start();
  const session = world.session();
  assert.equal((await session.next()).kind, 'ready');
  const certificates = { certPem: proxy.cert, keyPem: proxy.key, clientCaPem: ca };
  for (const wrong of [{ keyPem: 'x' }, { certPem: 'x' }, { keyPem: node.key }, { clientCaPem: 'x' }])
    assert.throws(() => world.link.renew({ ...certificates, ...wrong }), { code: 'link_certificate' });
  assert.equal((await world.session().next()).kind, 'ready');
  world.link.renew({ ...certificates, clientCaPem: stranger.ca });
  assert.equal(await lastWords(world.dial()), '');
  const replaced = new Messages(world.open({ kind: 'session', tenant: 'box', version: '1' }, stranger.node));
  assert.equal((await replaced.next()).kind, 'ready');
  session.say({ kind: 'ping' });
  assert.equal((await session.next()).kind, 'pong');
});

describe('a stream', () => {
  test('is the tenant’s connection, with the evidence and the flow that the node says', async () => {
    await using world = await World.start({ allow: ['a.example:80'] });
    await world.fixture.origin('a.example', (socket) => socket.end('origin speaks'));
    const socket = world.open(explicit);
    socket.write('CONNECT a.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n');
    assert.match(await readUntil(socket, '\r\n\r\n'), / 200 /);
    assert.equal(String(await readAll(socket)), 'origin speaks');
    assert.deepEqual(world.fixture.engine.asked[0]?.evidence, evidence);
  });

  test('passes each side’s end and a reset on alone', async () => {
    await using world = await World.start({ allow: ['a.example:443'] });
    const heard: string[] = [];
    const origins: Socket[] = [];
    await world.fixture.origin('a.example', (socket) => {
      origins.push(socket);
      socket.setEncoding('utf8').on('data', (text) => heard.push(String(text)));
      socket.on('end', () => socket.write('after your end'));
    });
    const captured = {
      ...explicit,
      adapter: 'transparent',
      name: 'a.example',
      flow: { ...flow, serverAddress: '198.18.0.1', serverPort: 443 },
    };
    const socket = world.open(captured);
    socket.end('all I say');
    const [answer] = await once(socket, 'data');
    assert.deepEqual([String(answer), heard.join('')], ['after your end', 'all I say']);
    origins[0]!.resetAndDestroy();
    await closed(socket);
    assert.equal((socket.errored as NodeJS.ErrnoException | null)?.code, 'ECONNRESET');
    assert.equal(world.fixture.engine.asked[0]?.host, 'a.example');
  });

  test('for a sandbox that its certificate may not speak for is reset, as for one that is not there', async () => {
    await using world = await World.start();
    for (const [opening, identity] of [
      [explicit, other],
      [{ ...explicit, tenant: 'nobody' }, node],
    ] as const)
      assert.equal(await lastWords(world.open(opening, identity)), '');
    assert.equal(world.fixture.engine.asked.length, 0);
    assert.match(String(turnedAway(world)), /not its own, or not registered/);
  });

  test('that does not keep to the protocol is closed', async () => {
    await using world = await World.start();
    for (const opening of [{ ...explicit, evidence: {} }, { kind: 'other' }])
      assert.equal(await lastWords(world.open(opening)), '');
    const socket = world.dial();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(await lastWords(socket), '');
    assert.match(String(turnedAway(world)), /does not keep to its protocol/);
  });
});

describe('a node', () => {
  const strangers: readonly (readonly [string, Partial<Identity>])[] = [
    ['without a certificate', {}],
    ['whose certificate somebody else signed', stranger.node],
    ['whose certificate has expired', expired],
  ];
  for (const [what, identity] of strangers)
    test(`${what} gets no further than the handshake`, async () => {
      await using world = await World.start();
      const socket = world.dial(identity);
      socket.write(encodeFrame({ kind: 'session', tenant: 'box', version: '1' }));
      assert.equal(await lastWords(socket), '');
      assert.equal(turnedAway(world).length, 1);
    });

  test('of another version is told which ones there are, and one of none is told nothing', async () => {
    await using world = await World.start();
    const later = new Messages(world.dial(node, ['openshell-link/9']));
    assert.deepEqual(await later.next(), { kind: 'unsupported', speaks: LINK_VERSIONS });
    const both = new Messages(world.dial(node, ['openshell-link/9', ...LINK_VERSIONS]));
    both.say({ kind: 'session', tenant: 'box', version: '1' });
    assert.equal((await both.next()).kind, 'ready');
    for (const protocols of [[], ['h2']]) assert.equal(await lastWords(world.dial(node, protocols)), '');
  });

  test('gets in while somewhere else connections are opened that say nothing', async () => {
    await using world = await World.start({ allow: [] }, { linkHandshakes: 4, linkHandshakesPerAddress: 2 });
    const { port } = world.link.address;
    const silent = Array.from({ length: 8 }, () =>
      connectTcp({ host: LOOPBACK, port, localAddress: '127.0.0.2' }),
    );
    for (const socket of silent) socket.on('error', () => {}).resume();
    await Promise.all(silent.slice(2).map(closed));
    assert.equal((await world.session().next()).kind, 'ready');
    assert.match(String(turnedAway(world)), /too many handshakes/);
    for (const socket of silent) socket.destroy();
  });

  test('keeps no more connections ready than it may, and none for ever', async () => {
    await using world = await World.start({ allow: [] }, { linkSpare: 1, linkSpareTime: 300 });
    const [first, second, third] = [world.dial(), world.dial(), world.dial(other)];
    await Promise.all([first, second, third].map((socket) => once(socket, 'secureConnect')));
    const ends: TLSSocket[] = [];
    const all = [first, second, third].map(async (socket) => {
      await lastWords(socket);
      ends.push(socket);
    });
    await Promise.all(all);
    assert.notEqual(ends[0], third, 'another node has its own');
    assert.match(String(turnedAway(world)), /not used/);
  });
});

describe('a session', () => {
  test('says what is in force, and what comes to be in force', async () => {
    await using world = await World.start();
    world.directory.delete(BOX);
    const session = world.session();
    const waiting = await session.next();
    world.directory.set(BOX, { certificates: ['spiffe://test/node-1'], tenant: world.fixture.tenant });
    const registered = await session.next();
    assert.match(`${waiting.why}; ${registered.why}`, /no sandbox box .*; no policy was installed/);
    world.register();
    assert.deepEqual(await session.next(), { kind: 'ready', ...installed, authorityPem: 'PEM' });
    world.register();
    world.register({ generation: 2 });
    assert.equal((await session.next()).generation, 2, 'the same is not said twice');
    world.directory.delete(BOX);
    assert.equal((await session.next()).kind, 'waiting');
  });

  test('of a node that it does not belong to waits as for a sandbox that is not there', async () => {
    await using world = await World.start();
    const { why } = await world.session(other).next();
    world.directory.delete(BOX);
    assert.equal((await world.session(node).next()).why, why);
  });

  test('answers which names may be known, and reports those that may not', async () => {
    await using world = await World.start({ allow: ['a.example:443'] });
    const session = world.session();
    await session.next();
    session.say({ kind: 'question', id: 1, name: 'a.example', type: 'A' });
    session.say({ kind: 'question', id: 2, name: 'evil.example', type: 'AAAA' });
    session.say({ kind: 'ping' });
    assert.deepEqual(
      [await session.next(), await session.next(), await session.next()],
      [{ kind: 'answer', id: 1, known: true }, { kind: 'answer', id: 2, known: false }, { kind: 'pong' }],
    );
    assert.equal(world.fixture.refusals[0]?.host, 'evil.example');
  });

  test('passes refusals on to the node, and to no other', async () => {
    await using world = await World.start();
    const [own, theirs] = [world.session(), world.session(other)];
    await Promise.all([own.next(), theirs.next()]);
    const refusal = { code: 'no_policy', host: 'a.example', port: 1, reason: 'none' };
    world.directory.refused(sandboxId('somebody'), { ...refusal, host: 'secret.example' });
    world.directory.refused(BOX, refusal);
    assert.deepEqual(await own.next(), { kind: 'refusal', refusal });
    theirs.say({ kind: 'ping' });
    assert.equal((await theirs.next()).kind, 'pong');
  });

  test('ends with the link, while streams go on', async () => {
    await using world = await World.start({ allow: ['a.example:80'] });
    await world.fixture.origin('a.example', (socket) => socket.pipe(socket));
    const session = world.session();
    await session.next();
    const socket = world.open(explicit);
    socket.write('CONNECT a.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await readUntil(socket, '\r\n\r\n');
    await world.link.close();
    await assert.rejects(session.next(), /closed/);
    socket.write('still there');
    socket.resume();
    assert.equal(String((await once(socket, 'data'))[0]), 'still there');
  });

  test('that says what is no message is closed, and more sessions than there may be are not opened', async () => {
    await using world = await World.start({ allow: [] }, { linkSessions: 1 });
    const session = world.session();
    await session.next();
    await assert.rejects(world.session().next(), /closed/);
    session.say({ kind: 'obey' });
    await assert.rejects(session.next(), /closed/);
    assert.equal((await world.session().next()).kind, 'ready', 'its place is free again');
  });

  test('of another node for the same sandbox takes no room from its own', async () => {
    await using world = await World.start({ allow: [] }, { linkSessions: 1, linkSessionsOfNode: 2 });
    assert.equal((await world.session(other).next()).kind, 'waiting');
    await assert.rejects(world.session(other).next(), /closed/);
    assert.equal((await world.session().next()).kind, 'ready');
    assert.equal(
      (await world.session(other, 'box-2').next()).kind,
      'waiting',
      'what was refused is not counted',
    );
  });
});

test('what cannot be used is said at the start, without a word of the key', async () => {
  await assert.rejects(
    serveLink({
      ...{ listen: { host: LOOPBACK, port: 0 }, certPem: proxy.cert, keyPem: 'no key', clientCaPem: ca },
      ...{ directory: new LinkDirectory(), authority: async () => ({ bundlePem: '' }), limits: limitsWith() },
    }),
    { code: 'link_certificate' },
  );
});
