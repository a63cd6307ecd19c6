import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTOCOL } from '../contract/protocol.ts';
import { A, connect, install, type MakeSubject, refused, spec } from './contract-subject.ts';

/** Hello, versions, roles, taking over, and how sessions end. */
export function sessionsContract(make: MakeSubject): void {
  test('a session begins with what the proxy is, and with the version that both speak', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    const { hello } = session;
    assert.match(hello.instance, /^.{16,128}$/);
    assert.notEqual(hello.version, '');
    assert.equal(hello.protocol, PROTOCOL.max);
    assert.deepEqual(hello.range, PROTOCOL);
    assert.deepEqual(hello.installed, []);
  });

  for (const [protocol, agreed] of [
    [{ min: 1, max: 1 }, 1],
    [{ min: 1, max: 99 }, PROTOCOL.max],
  ] as const)
    test(`a controller that speaks ${protocol.min} to ${protocol.max} gets ${agreed}`, async () => {
      await using subject = await make();
      await using session = await connect(subject, { protocol });
      assert.equal(session.hello.protocol, agreed);
    });

  test('a controller without a version in common is told both ranges', async () => {
    await using subject = await make();
    const { message } = await refused(
      connect(subject, { protocol: { min: 3, max: 4 } }),
      'protocol_unsupported',
    );
    assert.match(message, /1 to 2\b.*3 to 4\b/);
  });

  test('calls of version 2 are refused to a session of version 1, before anything else is asked', async () => {
    await using subject = await make();
    await using session = await connect(subject, { protocol: { min: 1, max: 1 } });
    await refused(session.rotateAuthority('prepare'), 'protocol_too_old');
    await refused(session.drain(0), 'protocol_too_old');
    assert.notEqual((await session.status()).state, 'draining');
  });

  test('a second controller is refused, is told who controls, and the first goes on', async () => {
    await using subject = await make();
    await using first = await connect(subject, { name: 'first' });
    const { message } = await refused(connect(subject, { name: 'second' }), 'controlled_by_another');
    assert.match(message, /"first"/);
    await first.registerTenant(spec(A));
  });

  test('who takes over controls, and the one before learns by whom it was relieved', async () => {
    await using subject = await make();
    await using first = await connect(subject, { name: 'first' });
    await first.registerTenant(spec(A));
    await first.apply(install(A));
    await using second = await connect(subject, { name: 'second', takeOver: true });
    assert.deepEqual(await first.ended, { kind: 'taken_over', by: 'second' });
    await refused(first.removeTenant(A), 'session_ended');
    assert.deepEqual(
      second.hello.installed.map(({ tenant }) => tenant),
      [A],
    );
    assert.equal((await second.status()).controller?.name, 'second');
  });

  test('taking over where nobody controls is connecting', async () => {
    await using subject = await make();
    await using session = await connect(subject, { takeOver: true });
    await session.registerTenant(spec(A));
  });

  test('a session that is closed frees the control and leaves everything as it was', async () => {
    await using subject = await make();
    {
      await using first = await connect(subject);
      await first.registerTenant(spec(A));
      await first.apply(install(A));
    }
    await using second = await connect(subject);
    assert.equal(second.hello.installed[0]?.tenant, A);
    assert.equal(second.hello.installed[0]?.generation, 1);
  });

  test('a closed session says so, and does nothing any more', async () => {
    await using subject = await make();
    const session = await connect(subject);
    await session[Symbol.asyncDispose]();
    assert.deepEqual(await session.ended, { kind: 'closed' });
    await refused(session.status(), 'session_ended');
    await refused(Array.fromAsync(session.events({ follow: false })), 'session_ended');
    await session[Symbol.asyncDispose]();
  });

  test('observers look on beside the controller and change nothing', async () => {
    await using subject = await make();
    await using controller = await connect(subject);
    await controller.registerTenant(spec(A));
    await using observer = await connect(subject, { role: 'observer' });
    await using another = await connect(subject, { role: 'observer' });
    assert.equal((await observer.status()).tenants.length, 1);
    assert.equal((await another.apply({ ...install(A), mode: 'check' })).mode, 'check');
    await observer.authority();
    for (const call of [
      () => observer.registerTenant(spec(A)),
      () => observer.removeTenant(A),
      () => observer.apply(install(A)),
      () => observer.rotateAuthority('prepare'),
      () => observer.drain(0),
    ])
      await refused(call(), 'observer_only');
    assert.equal((await controller.status()).tenants[0]?.installed, undefined);
  });

  test('sessions of a proxy that stops are told, and connecting to it fails', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await subject.stop();
    assert.equal((await session.ended).kind, 'proxy_stopping');
    await refused(session.status(), 'session_ended');
    const error = await connect(subject).then(
      () => assert.fail('connected to a proxy that has stopped'),
      (thrown: unknown) => thrown as { code?: string },
    );
    assert.match(`${error.code}`, /^(session_ended|unavailable)$/);
  });

  test('a controller that gives up before it has connected holds nothing', async () => {
    await using subject = await make();
    const hello = { name: 'gone', protocol: PROTOCOL, role: 'controller' } as const;
    await refused(subject.control.connect(hello, { signal: AbortSignal.abort() }), 'unavailable');
    await using session = await connect(subject);
    assert.equal(session.hello.protocol, PROTOCOL.max);
  });

  test('a session whose signal aborts is lost, and another may control', async () => {
    await using subject = await make();
    const gone = new AbortController();
    const hello = { name: 'gone', protocol: PROTOCOL, role: 'controller' } as const;
    const first = await subject.control.connect(hello, { signal: gone.signal });
    gone.abort();
    assert.equal((await first.ended).kind, 'lost');
    await refused(first.status(), 'unavailable');
    await using second = await connect(subject, { takeOver: true });
    await second.registerTenant(spec(A));
  });
}
