import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { carriesTls, reset } from './reset.ts';

const pair = async (): Promise<{ near: Socket; far: Socket; close: () => void }> => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ];
  return { near, far, close: () => server.close() };
};

describe('a reset', () => {
  test('is what the peer gets', async (t) => {
    const { near, far, close } = await pair();
    t.after(close);
    far.resume();
    reset(near);
    const [error] = await once(far, 'error');
    assert.equal(error.code, 'ECONNRESET');
  });

  test('closes the socket also while its end is being sent', async (t) => {
    const { near, far, close } = await pair();
    t.after(() => {
      far.destroy();
      close();
    });
    // More than the kernel takes, to a peer that does not read: the end waits behind it.
    near.end(Buffer.alloc(64 << 20));
    const closed = once(near, 'close');
    reset(near);
    await closed;
  });

  test('closes the socket also when its end was just asked for', async (t) => {
    const { near, far, close } = await pair();
    t.after(() => {
      far.destroy();
      close();
    });
    const closed = once(near, 'close');
    near.end();
    reset(near);
    await closed;
  });

  test('closes a socket that is not connected yet', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const closed = once(socket, 'close');
    reset(socket);
    await closed;
  });

  test('closes a socket under TLS whose end is being sent, of which the socket itself knows nothing', async (t) => {
    const { near, far, close } = await pair();
    t.after(() => {
      far.destroy();
      close();
    });
    const tls = new TLSSocket(near, { isServer: true });
    carriesTls(near);
    const closed = once(near, 'close');
    tls.end();
    reset(near);
    await closed;
  });

  test('of a closed socket does nothing', async (t) => {
    const { near, far, close } = await pair();
    t.after(() => {
      far.destroy();
      close();
    });
    near.destroy();
    reset(near);
    assert.ok(near.destroyed);
  });
});
