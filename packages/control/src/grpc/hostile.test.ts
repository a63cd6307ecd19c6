import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { connect as netConnect } from 'node:net';
import { describe, test } from 'node:test';
import { status as Status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { A, connect } from '../testing/index.ts';
import { PROTO } from './test-support/descriptor-facts.ts';
import { RawClient } from './test-support/raw-client.ts';
import { servedProxy } from './test-support/served-proxy.ts';

const DEFINITION = loadSync(PROTO.pathname, { keepCase: true, longs: Number, oneofs: true });
const HELLO = { name: 'raw', protocol: { min: 1, max: 2 }, role: 'controller' };

const fails = (call: Promise<unknown>, code: number, details: RegExp = /./): Promise<void> =>
  assert.rejects(call, (error: { code: number; details: string }) => {
    assert.equal(Status[error.code], Status[code], error.details);
    assert.match(error.details, details);
    return true;
  });

const tenant = (recognition: object, more: object = {}) => ({
  tenant: { id: A, identity: 'required', recognitions: [recognition], ...more },
});

describe('what comes over the wire and is no contract of ours', () => {
  test('a call without a session, or with one that nobody has', async () => {
    await using served = await servedProxy();
    using client = new RawClient(served.path, DEFINITION);
    await fails(client.call('GetStatus', {}), Status.FAILED_PRECONDITION, /names no session/);
    client.metadata.set('openshell-session', '0'.repeat(32));
    await fails(client.call('RemoveTenant', { id: A }), Status.FAILED_PRECONDITION, /no such session/);
    client.metadata.set('openshell-session', '__proto__');
    await fails(client.call('GetStatus', {}), Status.FAILED_PRECONDITION, /no such session/);
  });

  test('messages without what they are about', async () => {
    await using served = await servedProxy();
    using client = new RawClient(served.path, DEFINITION);
    await fails(client.connect({}), Status.INVALID_ARGUMENT);
    await fails(client.connect({ ...HELLO, role: 'root' }), Status.INVALID_ARGUMENT, /role/);
    await client.connect(HELLO);
    await fails(client.call('RegisterTenant', {}), Status.INVALID_ARGUMENT, /no tenant/);
    await fails(client.call('RegisterTenant', tenant({})), Status.INVALID_ARGUMENT, /kind of recognition/);
    await fails(
      client.call('RegisterTenant', tenant({ source: '10.0.0.0/8' }, { identity: 'perhaps' })),
      Status.INVALID_ARGUMENT,
      /identity/,
    );
    await fails(client.call('Apply', { tenant: A }), Status.INVALID_ARGUMENT, /no policy/);
    await fails(
      client.call('Apply', { tenant: A, policy: {} }),
      Status.INVALID_ARGUMENT,
      /content of a part/,
    );
    await fails(client.call('RotateAuthority', { step: 'undo' }), Status.INVALID_ARGUMENT);
    await fails(client.call('Explain', { tenant: A, host: 'a\nb', port: 443 }), Status.INVALID_ARGUMENT);
    await fails(client.call('Explain', { tenant: A, host: 'a', port: 70_000 }), Status.INVALID_ARGUMENT);
  });

  test('what an observer, or a session of version 1, may not do, also when its own side would let it', async () => {
    await using served = await servedProxy();
    using observer = new RawClient(served.path, DEFINITION);
    await observer.connect({ ...HELLO, role: 'observer' });
    await fails(observer.call('RemoveTenant', { id: A }), Status.PERMISSION_DENIED, /observer/);
    using old = new RawClient(served.path, DEFINITION);
    await old.connect({ ...HELLO, protocol: { min: 1, max: 1 } });
    await fails(old.call('Drain', {}), Status.UNIMPLEMENTED, /version 2/);
    await fails(old.call('RotateAuthority', { step: 'prepare' }), Status.UNIMPLEMENTED, /version 2/);
    assert.equal((await old.call('GetStatus', {})).state, 'denying');
  });

  test('a message beyond the bound is refused, and the session goes on', async () => {
    await using served = await servedProxy();
    using client = new RawClient(served.path, DEFINITION);
    await client.connect(HELLO);
    const text = { name: 'p', text: '#'.repeat(8_400_000) };
    await fails(client.call('Apply', { tenant: A, policy: { text } }), Status.RESOURCE_EXHAUSTED);
    assert.equal((await client.call('GetStatus', {})).state, 'denying');
  });

  test('a controller whose connection breaks is gone at once, and frees the proxy', async () => {
    await using served = await servedProxy();
    const client = new RawClient(served.path, DEFINITION);
    await client.connect(HELLO);
    client.follow('FollowEvents', { follow: true });
    await using observer = await connect(served.proxy, { role: 'observer' });
    assert.equal((await observer.status()).controller?.name, 'raw');
    client[Symbol.dispose]();
    await using next = await connect({ control: { connect: retried(served.proxy.control.connect) } });
    assert.equal(next.hello.instance, served.proxy.desk.instance);
  });

  test('other protocols on the socket end nothing but their connection', async () => {
    await using served = await servedProxy();
    const nonsense = netConnect(served.path);
    nonsense.on('error', () => undefined);
    nonsense.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(nonsense.resume(), 'close');

    const browser = http2Connect('http://proxy', { createConnection: () => netConnect(served.path) });
    for (const headers of [
      { ':path': '/openshell.proxy.v1.ProxyControl/Nothing', ':method': 'POST' },
      { ':path': '/openshell.proxy.v1.ProxyControl/GetStatus', ':method': 'GET' },
      {
        ':path': '/openshell.proxy.v1.ProxyControl/GetStatus',
        ':method': 'POST',
        'content-type': 'application/json',
      },
    ]) {
      const stream = browser.request(headers);
      if (headers[':method'] === 'POST') stream.end('{}');
      const [{ ':status': status }] = await once(stream, 'response');
      assert.ok(status >= 400, `${status}`);
      stream.close();
    }
    const closed = once(browser, 'close');
    browser.destroy();
    await closed;
    await using session = await connect(served.proxy);
    assert.equal((await session.status()).tenants.length, 0);
  });
});

/** The end of a connection is seen by the other side when it is seen. */
const retried =
  <Arguments extends unknown[], Result>(call: (...parameters: Arguments) => Promise<Result>) =>
  async (...parameters: Arguments): Promise<Result> => {
    for (;;) {
      try {
        return await call(...parameters);
      } catch (error) {
        if ((error as { code?: string }).code !== 'controlled_by_another') throw error;
        await new Promise(setImmediate);
      }
    }
  };
