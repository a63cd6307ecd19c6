import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { MemorySink } from '@openshell/audit';
import { generation, sandboxId } from '@openshell/base';
import type { TenantLimits } from '@openshell/control';
import { compilePolicy } from '@openshell/policy';
import { DENIALS_UID } from '../denials/denial-event.ts';
import { EgressProxy } from '../proxy.ts';
import { LOOPBACK, portOf, readAll, readUntil } from '../test-support/fixture.ts';
import { HOST, parsedApiPolicy } from '../test-support/inspected.ts';
import { EVENTS_LOST_UID } from './event-gate.ts';
import { policyAlone } from './settings.ts';
import type { Tenant } from './tenant.ts';

/** One of two tenants of one proxy. */
interface Side {
  readonly tenant: Tenant;
  readonly server: Server;
  readonly sink: MemorySink;
}

const EMPTY_CALL = '{"jsonrpc":"2.0","id":1,"method":"m","params":{"x":""}}';
const rpc = (text: string): string => EMPTY_CALL.replace('""', `"${text}"`);
const post = (body: string, length = body.length): string =>
  `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;

/** A proxy with two tenants, the first of which may use less than the second; both may call tools at an origin that answers `ok`. */
class Two implements AsyncDisposable {
  readonly #proxy: EgressProxy;
  readonly #origin: Server;
  readonly #sockets: Socket[] = [];
  readonly #sides: Side[] = [];

  static async start(limits: TenantLimits): Promise<Two & { readonly low: Side; readonly other: Side }> {
    const origin = createServer((socket) => {
      socket.on('error', () => {});
      socket.on(
        'data',
        () =>
          socket.writable &&
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'),
      );
    });
    await once(origin.listen(0, LOOPBACK), 'listening');
    const two = new Two(origin);
    const low = await two.#add('low', limits);
    const other = await two.#add('other', {});
    return Object.assign(two, { low, other });
  }

  private constructor(origin: Server) {
    this.#origin = origin;
    const overrides = [{ name: HOST, address: LOOPBACK, toPort: portOf(origin) }];
    this.#proxy = new EgressProxy({ overrides });
  }

  async #add(id: string, limits: TenantLimits): Promise<Side> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await once(server.listen(0, LOOPBACK), 'listening');
    const policy = parsedApiPolicy(
      'protocol: json-rpc, json_rpc: { max_body_bytes: 200000 }, rules: [{ allow: { method: m } }]',
    );
    const sink = new MemorySink(1000);
    const tenant = this.#proxy.addTenant({
      id: sandboxId(id),
      listeners: { connect: [server] },
      evidence: { identify: async () => ({ kind: 'unknown', reason: 'nobody knows' }) },
      settings: policyAlone(compilePolicy(policy, generation(1), { identity: 'not-required' })),
      events: (event) => sink.write(event),
      limits,
    });
    const side = { tenant, server, sink };
    this.#sides.push(side);
    return side;
  }

  async client({ server }: Side): Promise<Socket> {
    const socket = connect({ host: LOOPBACK, port: portOf(server), allowHalfOpen: true });
    this.#sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  /** What is answered on a new connection of its own. */
  async ask(side: Side, bytes: string): Promise<string> {
    const socket = await this.client(side);
    socket.end(bytes);
    return (await readAll(socket)).toString();
  }

  async tunnel(side: Side, authority = `${HOST}:80`): Promise<Socket> {
    const socket = await this.client(side);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    await readUntil(socket, '\r\n\r\n');
    return socket;
  }

  /** The answer to a call inside a tunnel. */
  async call(side: Side, bytes: string): Promise<string> {
    const socket = await this.tunnel(side);
    socket.end(bytes);
    return (await readAll(socket)).toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#proxy.close();
    this.#origin.close();
  }
}

const OK = /^HTTP\/1.1 200 OK.*ok$/s;

describe('a tenant that uses up what it may have', () => {
  test('of connections is told so, and takes none from another', async () => {
    await using two = await Two.start({ connections: 2 });
    const { low, other } = two;
    const first = await two.tunnel(low);
    await two.tunnel(low);
    assert.match(await two.ask(low, post(rpc('a'))), /^HTTP\/1.1 503 .*"too_many_connections"/s);
    assert.equal(low.tenant.status().counters.shed, 1);
    assert.match(await two.call(other, post(rpc('a'))), OK);
    first.destroy();
    while (low.tenant.status().connections > 1) await new Promise(setImmediate);
    assert.match(await two.call(low, post(rpc('a'))), OK);
  });

  test('of memory is refused what it would hold, gets it back, and takes none from another', async () => {
    await using two = await Two.start({ heldBytes: 100_000 });
    const { low, other } = two;
    const long = rpc('x'.repeat(80_000 - EMPTY_CALL.length));
    const holding = await two.tunnel(low);
    // A length that is declared is held before its bytes are here; so are chunks as they come.
    holding.write(post(long.slice(0, 10), long.length));
    while (low.tenant.status().heldBytes === 0) await new Promise(setImmediate);
    assert.equal(low.tenant.status().heldBytes, 80_000);
    const chunked = `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`;
    for (const bytes of [post(long), chunked])
      assert.match(await two.call(low, bytes), /^HTTP\/1.1 503 .*"tenant_memory"/s);
    assert.match(await two.call(low, post(rpc('small'))), OK);
    assert.match(await two.call(other, chunked), OK);
    holding.end(long.slice(10));
    assert.match((await readAll(holding)).toString(), OK);
    assert.match(await two.call(low, post(long)), OK);
    assert.equal(low.tenant.status().heldBytes, 0);
    assert.equal(other.tenant.status().heldBytes, 0);
    const { requestsAllowed, upstreamFailures } = low.tenant.status().counters;
    assert.deepEqual([requestsAllowed, upstreamFailures], [3, 2]);
  });

  test('of memory gives it back when its client goes away in the middle', async () => {
    await using two = await Two.start({ heldBytes: 100_000 });
    const { low } = two;
    const client = await two.tunnel(low);
    client.write(post('{', 90_000));
    while (low.tenant.status().heldBytes === 0) await new Promise(setImmediate);
    client.destroy();
    await low.tenant.idle();
    assert.equal(low.tenant.status().heldBytes, 0);
  });

  test('of events loses some of its own, no count of a denial, and nothing of another', async () => {
    await using two = await Two.start({ eventsPerSecond: 1 });
    const { low, other } = two;
    const denied = 'CONNECT no.example:443 HTTP/1.1\r\nHost: no.example:443\r\n\r\n';
    for (let i = 0; i < 5; i++) {
      for (const side of [low, other]) {
        assert.match(await two.ask(side, denied), /^HTTP\/1.1 403 /);
        assert.match(await two.call(side, post(rpc('a'))), OK);
      }
    }
    await Promise.all([low.tenant.close(), other.tenant.close()]);
    const uids = ({ sink }: Side): string[] =>
      sink.events.map((event) => ('finding_info' in event ? event.finding_info.uid : event.class_name));
    const denials = ({ sink }: Side): number =>
      sink.events
        .filter((event) => 'finding_info' in event && event.finding_info.uid === DENIALS_UID)
        .reduce((sum, event) => sum + (('count' in event && event.count) || 0), 0);
    assert.deepEqual([denials(low), denials(other)], [5, 5]);
    assert.ok(uids(low).includes(EVENTS_LOST_UID) && low.tenant.status().counters.eventsLost > 0);
    assert.equal(uids(other).filter((uid) => uid === 'HTTP Activity').length, 5);
    const { eventsLost, connectionsDenied, connectionsAllowed, requestsAllowed } =
      other.tenant.status().counters;
    assert.deepEqual(
      { eventsLost, connectionsDenied, connectionsAllowed, requestsAllowed },
      { eventsLost: 0, connectionsDenied: 5, connectionsAllowed: 5, requestsAllowed: 5 },
    );
  });
});
