import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { DestinationPlan } from '../destination/plan.ts';
import type { BodySink } from '../exchange/body.ts';
import type { UpstreamConnection, UpstreamFailure } from '../exchange/exchange.ts';
import { type Limits, limitsWith } from '../limits.ts';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { identityFor } from '../test-support/identities.ts';
import { SigningAuthority } from '../tls/authority.ts';
import { loadTrust } from '../tls/trust.ts';
import type { PooledConnection, UpstreamDestination } from './destination.ts';
import { UpstreamPool } from './pool.ts';

/** A connection on which an exchange begins with `start` and ends with `finish`. */
class FakeConnection implements UpstreamConnection {
  readonly protocol: 'h1' | 'h2';
  readonly socket: Socket;
  readonly #streams: number;
  #active = 0;
  closed = false;
  onChange: () => void = () => {};

  constructor(socket: Socket, protocol: 'h1' | 'h2') {
    this.protocol = protocol;
    this.socket = socket;
    this.#streams = protocol === 'h1' ? 1 : 3;
    socket.resume();
    socket.once('end', () => this.destroy());
    socket.once('close', () => this.#close());
  }

  get available(): boolean {
    return !this.closed && this.#active < this.#streams;
  }

  get idle(): boolean {
    return this.#active === 0;
  }

  start(): BodySink {
    assert.ok(this.available, 'started on a connection that is not free');
    this.#active += 1;
    this.onChange();
    return {} as BodySink;
  }

  finish(): void {
    this.#active -= 1;
    this.onChange();
  }

  destroy(): void {
    this.socket.destroy();
    this.#close();
  }

  #close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onChange();
  }
}

const never = new AbortController().signal;

let owned: (() => void)[] = [];
afterEach(() => {
  for (const release of owned) release();
  owned = [];
});

interface Origin {
  readonly port: number;
  readonly sockets: Socket[];
}

async function origin(server: Server = createServer()): Promise<Origin> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => {}).resume();
  });
  owned.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, LOOPBACK), 'listening');
  return { port: portOf(server), sockets };
}

const authority = SigningAuthority.create();
const trust = loadTrust({ operatorPem: [authority.certificatePem] });

function newPool(limits: Partial<Limits> = {}): UpstreamPool {
  const pool = new UpstreamPool({
    ...{ trust, resolver: { lookup: async () => [] }, limits: limitsWith(limits) },
    make: (socket, protocol) => new FakeConnection(socket, protocol),
  });
  owned.push(() => pool.close());
  return pool;
}

const RULE = { exactHost: true };

function to(
  { port }: { readonly port: number },
  changes: Partial<UpstreamDestination> = {},
): UpstreamDestination {
  const targets = [{ address: LOOPBACK, port }];
  return {
    ...{ scheme: 'http', host: 'a.example', port, protocols: ['h1'], partition: '', rule: RULE },
    plan: async () => ({ kind: 'plan', targets, overridden: true }),
    ...changes,
  };
}

/** A connection on which an exchange has begun. */
async function begin(
  pool: UpstreamPool,
  destination: UpstreamDestination,
  signal = never,
): Promise<FakeConnection> {
  const acquired = await pool.acquire(destination, signal);
  assert.ok(acquired instanceof FakeConnection, JSON.stringify(acquired));
  acquired.start();
  return acquired;
}

async function failure(
  pending: UpstreamConnection | Promise<UpstreamConnection | UpstreamFailure>,
): Promise<UpstreamFailure> {
  const result = await pending;
  assert.ok(!('start' in result));
  return result;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the pool', () => {
  test('gives an idle connection at once, the latest used first, and asks for no address again', async () => {
    const pool = newPool();
    const { port } = await origin();
    let plans = 0;
    const there = to({ port });
    const plan = (): Promise<DestinationPlan> => {
      plans += 1;
      return there.plan();
    };
    const counted = to({ port }, { plan });
    const [first, second] = [await begin(pool, counted), await begin(pool, counted)];
    await turn();
    first.finish();
    second.finish();
    assert.equal(pool.acquire(counted, never), second);
    second.start();
    assert.equal(pool.acquire(counted, never), first);
    assert.equal(plans, 2);
    assert.deepEqual(pool.counts, { connections: 2, idle: 1, waiting: 0 });
  });

  test('gives the same connection again where nobody began on it', async () => {
    const pool = newPool();
    const there = to(await origin());
    (await begin(pool, there)).finish();
    await turn();
    assert.ok(pool.acquire(there, never) instanceof FakeConnection);
    assert.equal(pool.acquire(there, never), pool.acquire(there, never));
  });

  const others: readonly (readonly [string, Partial<UpstreamDestination>])[] = [
    ['partition', { partition: 'GITHUB_TOKEN' }],
    ['host', { host: 'b.example' }],
    ['port', { port: 4 }],
    ['scheme', { scheme: 'https' }],
    ['protocols', { protocols: ['h2'] }],
  ];
  for (const [what, changes] of others) {
    test(`never shares a connection with another ${what}`, async () => {
      const pool = newPool();
      const { port } = await origin();
      (await begin(pool, to({ port }))).finish();
      await turn();
      const refused: DestinationPlan = {
        kind: 'refused',
        code: 'resolve_failed',
        reason: 'asked anew',
        remedy: '',
      };
      const result = await failure(
        pool.acquire(to({ port }, { ...changes, plan: async () => refused }), never),
      );
      assert.equal(result.detail, 'asked anew');
    });
  }

  test('never gives a connection to a request whose own rule does not allow the address', async () => {
    const pool = newPool();
    const { port } = await origin();
    const targets = [{ address: LOOPBACK, port }];
    // As if the address were one that is allowed: loopback never is, so only the rule that it was opened under passes.
    const plan = async (): Promise<DestinationPlan> => ({ kind: 'plan', targets, overridden: false });
    (await begin(pool, to({ port }, { plan }))).finish();
    await turn();
    assert.ok(pool.acquire(to({ port }, { plan }), never) instanceof FakeConnection);
    const refused: DestinationPlan = {
      kind: 'refused',
      code: 'ssrf_denied',
      reason: 'outside',
      remedy: 'no',
    };
    const strict = to({ port }, { rule: { exactHost: false }, plan: async () => refused });
    const result = await failure(pool.acquire(strict, never));
    assert.deepEqual(result, { code: 'ssrf_denied', detail: 'outside', remedy: 'no', retry: false });
  });

  test('takes a connection that its upstream has closed for no connection', async () => {
    const pool = newPool();
    const there = await origin();
    const connection = await begin(pool, to(there));
    connection.finish();
    await turn();
    there.sockets[0]!.end();
    await once(connection.socket, 'close');
    assert.deepEqual(pool.counts, { connections: 0, idle: 0, waiting: 0 });
    assert.notEqual(await begin(pool, to(there)), connection);
  });

  test('says why there is no connection, to everybody who waits for it', async () => {
    const pool = newPool();
    const closed = to({ port: 1 });
    const results = await Promise.all([1, 2].map(() => failure(pool.acquire(closed, never))));
    for (const { code, retry } of results) assert.deepEqual([code, retry], ['upstream_unreachable', false]);
    assert.deepEqual(pool.counts, { connections: 0, idle: 0, waiting: 0 });
  });
});

describe('over TLS', () => {
  const secure = (ALPNProtocols: string[]): Promise<Origin> =>
    origin(
      createTlsServer({ ...identityFor(authority, 'a.example'), ALPNProtocols }, (socket) => {
        socket.on('error', () => {}).resume();
      }),
    );

  test('one HTTP/2 connection serves a burst of requests, and a further one what does not fit', async () => {
    const pool = newPool();
    const there = await secure(['h2']);
    const both = to(there, { scheme: 'https', protocols: ['h2', 'h1'] });
    const connections = await Promise.all([1, 2, 3].map(() => begin(pool, both)));
    assert.equal(new Set(connections).size, 1);
    assert.equal(there.sockets.length, 1);
    assert.notEqual(await begin(pool, both), connections[0]);
    assert.equal(there.sockets.length, 2);
  });

  test('a host that turns out to speak HTTP/1 gets a connection for each', async () => {
    const pool = newPool();
    const both = to(await secure(['http/1.1']), { scheme: 'https', protocols: ['h2', 'h1'] });
    const connections = await Promise.all([1, 2, 3].map(() => begin(pool, both)));
    assert.equal(new Set(connections).size, 3);
    assert.equal(connections[0]!.protocol, 'h1');
  });

  test('a certificate that is not accepted is the answer', async () => {
    const there = to(await secure(['h2']), { scheme: 'https', protocols: ['h2'], host: 'b.example' });
    assert.equal((await failure(newPool().acquire(there, never))).code, 'upstream_untrusted');
  });
});

describe('the bounds of the pool', () => {
  test('a host has so many connections, and who comes later waits for one of them, in turn', async () => {
    const pool = newPool({ upstreamConnectionsPerHost: 1 });
    const there = to(await origin());
    const first = await begin(pool, there);
    const order: number[] = [];
    const waiting = [1, 2].map((number) =>
      begin(pool, there).then((connection) => {
        order.push(number);
        return connection;
      }),
    );
    assert.equal(pool.counts.waiting, 2);
    first.finish();
    assert.equal(await waiting[0], first);
    first.finish();
    assert.equal(await waiting[1], first);
    assert.deepEqual(order, [1, 2]);
  });

  test('waiting has a bound, a time, and an end when the client goes', async () => {
    const limits = { upstreamConnectionsPerHost: 1, upstreamWaiting: 1, upstreamWaitTime: 30 };
    const pool = newPool(limits);
    const there = to(await origin());
    await begin(pool, there);
    const late = failure(pool.acquire(there, never));
    assert.match((await failure(pool.acquire(there, never))).detail, /too many/);
    assert.deepEqual([(await late).code, pool.counts.waiting], ['upstream_timeout', 0]);
    const abort = new AbortController();
    const gone = failure(pool.acquire(there, abort.signal));
    abort.abort(new Error('client gone'));
    assert.equal((await gone).detail, 'client gone');
    assert.equal((await failure(pool.acquire(there, abort.signal))).detail, 'client gone');
  });

  test('when the tenant has no place left, an idle connection elsewhere makes room', async () => {
    const pool = newPool({ upstreamConnections: 1 });
    const [a, b] = [await origin(), await origin()];
    const busy = await begin(pool, to(a));
    const waiting = begin(pool, to(b));
    await turn();
    assert.equal(pool.counts.waiting, 1);
    busy.finish();
    await turn();
    const other = await waiting;
    assert.ok(busy.closed);
    assert.deepEqual(pool.counts, { connections: 1, idle: 0, waiting: 0 });
    other.finish();
  });

  test('no more idle connections are kept than a host and the tenant may have', async () => {
    for (const limits of [{ upstreamIdlePerHost: 1 }, { upstreamIdle: 1 }]) {
      const pool = newPool(limits);
      const there = to(await origin());
      const connections = await Promise.all([1, 2, 3].map(() => begin(pool, there)));
      await turn();
      for (const connection of connections) connection.finish();
      assert.deepEqual(pool.counts, { connections: 1, idle: 1, waiting: 0 });
      assert.equal(connections.filter(({ closed }) => closed).length, 2);
    }
  });

  test('a connection that was idle for too long is closed', async () => {
    const pool = newPool({ upstreamIdleTime: 20 });
    const connection = await begin(pool, to(await origin()));
    connection.finish();
    // The timer of the pool keeps no process alive; this does.
    const alive = setInterval(() => {}, 1000);
    await once(connection.socket, 'close');
    clearInterval(alive);
    assert.equal(pool.counts.connections, 0);
  });

  test('an opening that nobody waits for any more is given up', async () => {
    const pool = newPool();
    const abort = new AbortController();
    const late = Promise.withResolvers<DestinationPlan>();
    const there = to({ port: 1 }, { plan: () => late.promise });
    const gone = failure(pool.acquire(there, abort.signal));
    abort.abort(new Error('client gone'));
    await gone;
    late.resolve({ kind: 'plan', targets: [{ address: '192.0.2.1', port: 9 }], overridden: true });
    await turn();
    assert.equal(pool.counts.connections, 0);
  });
});

describe('a new policy', () => {
  test('closes idle connections that it does not allow, lets exchanges under way end, and leaves the others', async () => {
    const pool = newPool();
    const there = await origin();
    const [idle, busy] = [await begin(pool, to(there)), await begin(pool, to(there))];
    const other = await begin(pool, to(there, { host: 'b.example' }));
    await turn();
    idle.finish();
    other.finish();
    pool.retire(({ host }: PooledConnection) => host === 'a.example');
    assert.deepEqual([idle.closed, busy.closed, other.closed], [true, false, false]);
    busy.finish();
    assert.ok(busy.closed);
    assert.equal(pool.acquire(to(there, { host: 'b.example' }), never), other);
  });

  test('is asked about a connection that was being opened when it came', async () => {
    const pool = newPool();
    const there = await origin();
    const late = Promise.withResolvers<void>();
    const { plan } = to(there);
    const pending = failure(pool.acquire(to(there, { plan: () => late.promise.then(plan) }), never));
    pool.retire(({ target }) => target.address === LOOPBACK);
    late.resolve();
    assert.equal((await pending).code, 'ssrf_denied');
    assert.equal(pool.counts.connections, 0);
    pool.retire(() => false);
    await begin(pool, to(there));
  });
});

describe('closing the pool', () => {
  test('ends connections and waits, and lets nothing new come', async () => {
    const pool = newPool({ upstreamConnectionsPerHost: 1 });
    const there = to(await origin());
    const connection = await begin(pool, there);
    const waiting = failure(pool.acquire(there, never));
    pool.close();
    assert.ok(connection.closed);
    assert.match((await waiting).detail, /closing/);
    assert.match((await failure(pool.acquire(there, never))).detail, /closing/);
    assert.deepEqual(pool.counts, { connections: 0, idle: 0, waiting: 0 });
  });

  test('destroys what opens afterwards', async () => {
    const pool = newPool();
    const there = await origin();
    const late = Promise.withResolvers<void>();
    const pending = failure(
      pool.acquire(to(there, { plan: () => late.promise.then(to(there).plan) }), never),
    );
    pool.close();
    late.resolve();
    await pending;
    await turn();
    assert.equal(pool.counts.connections, 0);
  });
});
