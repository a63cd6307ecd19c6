import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandboxId } from '@openshell/base';
import type { ApplyOrder } from '../contract/generation.ts';
import type { ControllerHello, ControlSession } from '../contract/proxy-control.ts';
import {
  A,
  connect,
  FULL,
  install,
  type MakeSubject,
  policyFor,
  refused,
  SECRET,
  spec,
} from './contract-subject.ts';

/** What a controller must not be able to say. */
export function hostileContract(make: MakeSubject): void {
  const hellos: Readonly<Record<string, Partial<ControllerHello>>> = {
    'without a name': { name: '' },
    'with a name of 129 characters': { name: 'n'.repeat(129) },
    'with a name that paints a terminal': { name: '\u001b]0;x\u0007' },
    'with a name that reads backwards': { name: 'a\u202eb' },
    'with a range that ends before it begins': { protocol: { min: 2, max: 1 } },
    'that speaks version 0': { protocol: { min: 0, max: 1 } },
    'that speaks half a version': { protocol: { min: 1, max: 1.5 } },
    'of another role': { role: 'root' as 'observer' },
  };
  test('a hello that makes no sense is refused, and nobody controls the proxy', async () => {
    await using subject = await make();
    for (const hello of Object.values(hellos)) await refused(connect(subject, hello), 'request_invalid');
    await using session = await connect(subject);
    assert.equal((await session.status()).controller?.name, 'test');
  });

  const secrets = (name: string, value: string): ApplyOrder => ({
    ...install(A),
    parts: { ...FULL, secrets: { kind: 'values', revision: 'r', values: new Map([[name, value]]) } },
  });
  const orders: Readonly<Record<string, ApplyOrder>> = {
    'a policy of a megabyte and a byte': {
      ...install(A),
      parts: { policy: { kind: 'text', name: 'p', text: '#'.repeat(1_048_577) } },
    },
    'a part whose name breaks a line': {
      ...install(A),
      parts: { policy: policyFor('docs.example', 'a\nb') },
    },
    'a hash that is none': { ...install(A), parts: { policy: { kind: 'keep', hash: 'latest' } } },
    'an expectation that is no hash': { ...install(A), expected: 'latest' },
    'a secret with a name that is no variable': secrets('A B', SECRET),
    'a secret of 64 KiB and a byte': secrets('API_TOKEN', 's'.repeat(65_537)),
    'secrets of four megabytes together and more': {
      ...install(A),
      parts: {
        ...FULL,
        secrets: {
          kind: 'values',
          revision: 'r',
          values: new Map(Array.from({ length: 65 }, (_, index) => [`S${index}`, 's'.repeat(65_536)])),
        },
      },
    },
    'secrets of a revision without a name': {
      ...install(A),
      parts: { ...FULL, secrets: { kind: 'keep', revision: '' } },
    },
  };
  test('an order that makes no sense is refused, repeats no secret, and changes nothing', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    for (const [what, order] of Object.entries(orders)) {
      const { message } = await refused(session.apply(order), 'request_invalid');
      assert.ok(!message.includes(SECRET) && !/[\n\u001b]/.test(message), what);
    }
    assert.equal((await session.status()).tenants[0]?.installed, undefined);
  });

  const query = { tenant: A, host: 'docs.example', port: 443, binaries: [] };
  const questions: Readonly<Record<string, (session: ControlSession) => Promise<unknown>>> = {
    'a host with a line break': (session) => session.explain({ ...query, host: 'a\nb' }),
    'port 0': (session) => session.explain({ ...query, port: 0 }),
    'a relative binary': (session) => session.explain({ ...query, binaries: ['bin/curl'] }),
    'a method with a space': (session) =>
      session.explain({ ...query, request: { method: 'GET /', target: '/' } }),
    'an event before the first': (session) =>
      Array.fromAsync(session.events({ follow: false, after: { instance: 'x', sequence: -1 } })),
    'a drain of no length': (session) => session.drain(-1),
    'a step that there is not': (session) => session.rotateAuthority('undo' as 'retire'),
  };
  test('a question that makes no sense is refused', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    for (const [what, ask] of Object.entries(questions)) {
      const { message } = await refused(ask(session), 'request_invalid');
      assert.notEqual(message, '', what);
    }
    assert.equal((await session.status()).state, 'denying');
  });

  test('what nobody has registered is unknown, whatever it is called', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    for (const id of ['constructor', 'toString', 'a'.repeat(128)]) {
      await refused(session.apply(install(sandboxId(id))), 'tenant_unknown');
      await refused(session.explain({ ...query, tenant: sandboxId(id) }), 'tenant_unknown');
    }
  });

  test('observers are bounded, and each that leaves makes room', async () => {
    await using subject = await make();
    await using stack = new AsyncDisposableStack();
    const observe = () => connect(subject, { role: 'observer' });
    const observers = await Promise.all(Array.from({ length: 64 }, observe));
    for (const observer of observers) stack.use(observer);
    await refused(observe(), 'too_many_sessions');
    await using controller = await connect(subject);
    assert.equal(controller.hello.installed.length, 0);
    await observers[0]?.[Symbol.asyncDispose]();
    stack.use(await observe());
  });
}
