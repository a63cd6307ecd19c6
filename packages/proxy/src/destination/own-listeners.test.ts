import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { OwnListeners } from './own-listeners.ts';

const own = new OwnListeners([9090], () => ['192.0.2.1', 'fd00:0::1']);

test('what listens elsewhere in the program is at each address of the machine, however that is written', () => {
  assert.equal(own.has({ address: '192.0.2.1', port: 9090 }), true);
  assert.equal(own.has({ address: 'fd00::0001', port: 9090 }), true);
  assert.equal(own.has({ address: '192.0.2.2', port: 9090 }), false);
  assert.equal(own.has({ address: '192.0.2.1', port: 9091 }), false);
});

test('a server counts from the moment at which it listens until the last one at its port is closed', async () => {
  const [one, other] = [createServer(), createServer()];
  own.add(one);
  await once(one.listen(0, '127.0.0.1'), 'listening');
  const { port } = one.address() as { port: number };
  const place = { address: '192.0.2.1', port };
  await once(other.listen(port, '127.0.0.2'), 'listening');
  own.add(other);
  await once(one.close(), 'close');
  assert.equal(own.has(place), true);
  await once(other.close(), 'close');
  assert.equal(own.has(place), false);
});

test('where the machine does not say its addresses, every one could be its own', () => {
  const blind = new OwnListeners([9090], () => {
    throw new Error('EMFILE');
  });
  assert.equal(blind.has({ address: '192.0.2.2', port: 9090 }), true);
  assert.equal(blind.has({ address: '192.0.2.2', port: 9091 }), false);
});
