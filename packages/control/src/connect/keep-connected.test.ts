import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROTOCOL } from '../contract/protocol.ts';
import type { ControlSession, ProxyControl } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import { A, B, CREDENTIALS, connect, FakeProxy, policyFor, refused, spec } from '../testing/index.ts';
import { type KeepConnectedOptions, keepConnected } from './keep-connected.ts';
import { reconcile } from './reconcile.ts';

const HELLO = { name: 'keeper', protocol: PROTOCOL, role: 'controller' } as const;
const WANTED = [{ tenant: spec(A), parts: { policy: policyFor('docs.example'), credentials: CREDENTIALS } }];

/** Keeps connected to whatever `proxies` holds at the moment, and hands out each session. */
function keeper(proxies: FakeProxy[], options: Partial<KeepConnectedOptions> = {}) {
  const enough = new AbortController();
  const sessions: ControlSession[] = [];
  let arrived = Promise.withResolvers<ControlSession>();
  const control: ProxyControl = {
    connect: async (hello, more) => {
      const [proxy] = proxies;
      if (!proxy) throw new ControlRefusal('nobody is there', { code: 'unavailable' });
      return proxy.control.connect(hello, more);
    },
  };
  const done = keepConnected({
    control,
    hello: HELLO,
    signal: enough.signal,
    delays: { first: 1, most: 4 },
    onSession: async (session) => {
      sessions.push(session);
      arrived.resolve(session);
    },
    ...options,
  });
  const next = () => {
    arrived = Promise.withResolvers();
    return arrived.promise;
  };
  return { done, first: arrived.promise, next, end: () => enough.abort() };
}

describe('keepConnected', () => {
  test('a proxy that was started again is steered again', async () => {
    const proxies = [new FakeProxy()];
    const { first, next, done, end } = keeper(proxies);
    await first;
    const second = next();
    await proxies.shift()?.stop();
    proxies.push(new FakeProxy());
    assert.equal((await second).hello.instance, proxies[0]?.desk.instance);
    end();
    assert.deepEqual(await done, { kind: 'closed' });
    assert.equal(proxies[0]?.desk.controller, undefined, 'it has said good-bye');
  });

  test('it waits longer each time that nobody is there, says why, and gives up when it is told', async () => {
    const waits: number[] = [];
    const waited = Promise.withResolvers<void>();
    const { done, end } = keeper([], {
      onWaiting: ({ code }, delay) => {
        assert.equal(code, 'unavailable');
        if (waits.push(delay) === 5) waited.resolve();
      },
    });
    await waited.promise;
    end();
    assert.deepEqual(await done, { kind: 'closed' });
    assert.ok(waits.every((wait) => wait >= 1 && wait <= 4));
  });

  test('who was relieved by another does not fight for it', async () => {
    const proxy = new FakeProxy();
    const { first, done } = keeper([proxy]);
    await first;
    await using other = await connect(proxy, { name: 'other', takeOver: true });
    assert.deepEqual(await done, { kind: 'taken_over', by: 'other' });
    await other.registerTenant(spec(A));
  });

  test('a proxy that speaks no common version is not asked again', async () => {
    const proxy = new FakeProxy({ range: { min: 7, max: 8 } });
    await refused(keeper([proxy]).done, 'protocol_unsupported');
  });

  test('an error of its own work ends it, and frees the proxy', async () => {
    const proxy = new FakeProxy();
    const broken = keeper([proxy], { onSession: () => Promise.reject(new TypeError('a bug')) });
    await assert.rejects(broken.done, TypeError);
    assert.equal(proxy.desk.controller, undefined);
  });
});

describe('reconcile', () => {
  test('brings a proxy to what is wanted, and then has nothing to do', async () => {
    await using proxy = new FakeProxy();
    await using session = await connect(proxy);
    await session.registerTenant(spec(B));
    const results = await reconcile(session, WANTED, { others: 'remove' });
    assert.deepEqual(
      results.map(({ kind, tenant }) => [kind, tenant]),
      [
        ['removed', B],
        ['applied', A],
      ],
    );
    assert.deepEqual(await reconcile(session, WANTED, { others: 'remove' }), []);
  });

  test('one that is refused does not keep the others from theirs', async () => {
    await using proxy = new FakeProxy();
    await using session = await connect(proxy);
    const bad = { kind: 'text', name: 'p', text: 'version: [' } as const;
    const wanted = [{ tenant: spec(B), parts: { policy: bad } }, ...WANTED];
    const [first, second] = await reconcile(session, wanted, { others: 'leave' });
    assert.ok(first?.kind === 'refused' && first.refusal.problems.length > 0);
    assert.equal(second?.kind, 'applied');
  });

  test('the end of the session ends it', async () => {
    await using proxy = new FakeProxy();
    const session = await connect(proxy);
    await session[Symbol.asyncDispose]();
    await refused(reconcile(session, WANTED, { others: 'leave' }), 'session_ended');
  });
});
