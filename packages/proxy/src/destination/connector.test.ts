import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, test } from 'node:test';
import { limitsWith } from '../limits.ts';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { withHanging } from '../test-support/hanging.ts';
import { dial, interleaved } from './connector.ts';

/** Linux answers at once for any address in 127/8, and nothing listens on port 1 of it. */
const CLOSED = { address: LOOPBACK, port: 1 };

async function listening(): Promise<Server> {
  const server = createServer();
  await once(server.listen(0, LOOPBACK), 'listening');
  return server;
}

const signal = (): AbortSignal => new AbortController().signal;

describe('the connector', () => {
  test('takes the families in turns, the first one first', () => {
    const order = interleaved(
      ['::1', '::2', '::3', '1.1.1.1', '2.2.2.2'].map((address) => ({ address, port: 1 })),
    ).map(({ address }) => address);
    assert.deepEqual(order, ['::1', '1.1.1.1', '::2', '2.2.2.2', '::3']);
  });

  test('goes on to the next address at once when one fails', async () => {
    const server = await listening();
    const good = { address: LOOPBACK, port: portOf(server) };
    const limits = limitsWith({ dialStagger: 60_000 });
    const result = await dial([CLOSED, CLOSED, good], limits, signal());
    assert.equal(result.kind === 'connected' && result.upstream.target, good);
    if (result.kind === 'connected') result.upstream.socket.destroy();
    server.close();
  });

  test('does not wait for an address that is silent', () =>
    withHanging(async (hanging) => {
      const server = await listening();
      const good = { address: LOOPBACK, port: portOf(server) };
      const limits = limitsWith({ dialStagger: 10 });
      const result = await dial([hanging, good], limits, signal());
      assert.equal(result.kind === 'connected' && result.upstream.target, good);
      if (result.kind === 'connected') result.upstream.socket.destroy();
      server.close();
    }));

  test('gives up on silence after its time, and says that it was silence', () =>
    withHanging(async (hanging) => {
      for (const limits of [limitsWith({ dialTime: 20 }), limitsWith({ dialTotalTime: 20 })]) {
        const result = await dial([hanging], limits, signal());
        assert.equal(result.kind === 'failed' && result.code, 'upstream_timeout');
      }
    }));

  test('says why no address could be reached', async () => {
    const result = await dial([CLOSED], limitsWith(), signal());
    assert.equal(result.kind === 'failed' && result.code, 'upstream_unreachable');
    assert.match(result.kind === 'failed' ? result.detail : '', /127\.0\.0\.1: connect ECONNREFUSED/);
    assert.equal((await dial([], limitsWith(), signal())).kind, 'failed');
  });

  test('stops when nobody waits any more', () =>
    withHanging(async (hanging) => {
      const controller = new AbortController();
      const result = dial([hanging], limitsWith(), controller.signal);
      controller.abort(new Error('gone'));
      assert.deepEqual(await result, { kind: 'failed', code: 'aborted', detail: 'gone' });
      const late = await dial([hanging], limitsWith(), controller.signal);
      assert.equal(late.kind === 'failed' && late.code, 'aborted');
    }));
});
