import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { type AddressInfo, createServer, connect as netConnect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { connectProxy } from '../connect/connect-proxy.ts';
import { A, beginning, connect, FakeProxy, refused, spec } from '../testing/index.ts';
import { ControlEndpoint } from './endpoint.ts';
import { keepAlive } from './keep-alive.ts';

/** Two ends of one connection. */
async function socketPair(t: TestContext): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = netConnect((server.address() as AddressInfo).port, '127.0.0.1');
  const [there]: Socket[] = await once(server, 'connection');
  server.close();
  t.after(() => {
    here.destroy();
    there?.destroy();
  });
  return [here, there!];
}

async function connected(t: TestContext) {
  const proxy = new FakeProxy();
  const endpoint = new ControlEndpoint(proxy.control);
  const [here, there] = await socketPair(t);
  const served = endpoint.serve(there);
  const session = await connect({ control: connectProxy({ kind: 'duplex', connection: here }) });
  return { proxy, session, here, there, served };
}

describe('a connection that breaks', () => {
  test('ends the session as lost on the side of the controller, and calls and events with it', async (t) => {
    const { proxy, session, there } = await connected(t);
    await session.registerTenant(spec(A));
    await proxy.provoke(A);
    const events = session.events({ after: beginning(session), follow: true })[Symbol.asyncIterator]();
    await events.next();
    const waiting = events.next();
    there.destroy();
    assert.equal((await session.ended).kind, 'lost');
    await refused(waiting, 'unavailable');
    await refused(session.status(), 'unavailable');
    await session[Symbol.asyncDispose]();
  });

  test('ends it as lost on the side of the proxy, which keeps what it has', async (t) => {
    const { proxy, session, here, served } = await connected(t);
    await session.registerTenant(spec(A));
    here.destroy();
    await served;
    await using next = await connect(proxy, { takeOver: true });
    assert.equal((await next.status()).tenants[0]?.id, A);
  });

  test('a peer that says nothing any more is given up', async (t) => {
    const [here, there] = await socketPair(t);
    there.resume();
    const session = http2Connect('http://proxy', { createConnection: () => here });
    await once(session, 'connect');
    keepAlive(session, { every: 1, patience: 1 });
    const [error] = await once(session, 'error');
    assert.match(`${error}`, /does not answer/);
  });
});
