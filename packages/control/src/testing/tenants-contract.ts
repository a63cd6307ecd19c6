import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandboxId } from '@openshell/base';
import type { Recognition, TenantSpec } from '../contract/tenant.ts';
import { tenantHash } from '../contract/tenant-hash.ts';
import { A, B, connect, install, type MakeSubject, refused, spec } from './contract-subject.ts';

/** Registering and removing. */
export function tenantsContract(make: MakeSubject): void {
  test('a tenant that was registered has nothing installed, and everything is denied to it', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    const report = await session.registerTenant(spec(A));
    assert.equal(report.id, A);
    assert.equal(report.installed, undefined);
    assert.equal(report.specHash, tenantHash(spec(A)), 'so that a controller need not register it anew');
    const { state, tenants } = await session.status();
    assert.equal(state, 'denying');
    assert.deepEqual(
      tenants.map(({ id }) => id),
      [A],
    );
    const query = { tenant: A, host: 'docs.example', port: 443, binaries: [] };
    const { allowed, generation } = await session.explain(query);
    assert.deepEqual({ allowed, generation }, { allowed: false, generation: 0 });
  });

  test('a tenant with a listener of its own is told where it listens', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    const recognitions: Recognition[] = [{ kind: 'listener', host: '127.0.0.1', port: 0 }];
    const { listening } = await session.registerTenant({ ...spec(A), recognitions });
    assert.equal(listening.length, 1);
    assert.equal(listening[0]?.host, '127.0.0.1');
    assert.ok(listening[0]?.port, 'a port was given');
    assert.deepEqual((await session.status()).tenants[0]?.listening, listening);
  });

  test('a tenant that was removed is gone, and may come again from the beginning', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    await session.apply(install(A));
    await session.removeTenant(A);
    assert.deepEqual((await session.status()).tenants, []);
    await refused(session.apply(install(A)), 'tenant_unknown');
    await refused(session.removeTenant(A), 'tenant_unknown');
    const again = await session.registerTenant(spec(A));
    assert.equal(again.installed, undefined);
  });

  test('a tenant is not registered twice, and the first stays as it is', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    await session.apply(install(A));
    await refused(session.registerTenant(spec(A, 'another')), 'tenant_exists');
    assert.equal((await session.status()).tenants[0]?.installed?.generation, 1);
  });

  const taken: Readonly<Record<string, Recognition>> = {
    'user name': { kind: 'credentials', username: 'one', passwordSha256: 'cd'.repeat(32) },
    'source network': { kind: 'source', network: '192.0.2.0/24' },
  };
  for (const [what, recognition] of Object.entries(taken))
    test(`two tenants with one ${what} would be taken for each other: the second is refused whole`, async () => {
      await using subject = await make();
      await using session = await connect(subject);
      await session.registerTenant({ ...spec(A), recognitions: [recognition] });
      const own: Recognition = { kind: 'credentials', username: 'free', passwordSha256: 'ef'.repeat(32) };
      const both = { ...spec(B), recognitions: [own, recognition] };
      const { message } = await refused(session.registerTenant(both), 'recognition_taken');
      assert.match(message, /tenant-a/);
      assert.deepEqual(
        (await session.status()).tenants.map(({ id }) => id),
        [A],
      );
      // What the refused one had for itself is free, and so is what a removed one had.
      await session.registerTenant({ ...spec(B), recognitions: [own] });
      await session.removeTenant(A);
      await session.registerTenant({ ...spec(A), recognitions: [recognition] });
    });

  test('there are only so many tenants, and room again when one is removed', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    for (let index = 0; index < subject.tenantsMost; index++)
      await session.registerTenant(spec(sandboxId(`tenant-${index}`)));
    await refused(session.registerTenant(spec(A)), 'too_many_tenants');
    await session.removeTenant(sandboxId('tenant-0'));
    await session.registerTenant(spec(A));
  });

  const credentials = { kind: 'credentials', username: 'u', passwordSha256: 'ab'.repeat(32) } as const;
  const wrong: Readonly<Record<string, Partial<TenantSpec>>> = {
    'without an id': { id: sandboxId('') },
    'with an id of 129 characters': { id: sandboxId('a'.repeat(129)) },
    'with an escape sequence in its id': { id: sandboxId('a\u001b[31m') },
    'with a line break in its id': { id: sandboxId('a\nb') },
    'with a path for an id': { id: sandboxId('../etc') },
    'without any recognition': { recognitions: [] },
    'with 65 recognitions': { recognitions: new Array(65).fill(credentials) },
    'that listens at a name': { recognitions: [{ kind: 'listener', host: 'localhost', port: 0 }] },
    'that listens at port 65536': { recognitions: [{ kind: 'listener', host: '::1', port: 65_536 }] },
    'with a colon in its user name': { recognitions: [{ ...credentials, username: 'a:b' }] },
    'with a password in place of its hash': { recognitions: [{ ...credentials, passwordSha256: 'hunter2' }] },
    'from a network that is none': { recognitions: [{ kind: 'source', network: '10.0.0.0/33' }] },
    'with a certificate without a name': { recognitions: [{ kind: 'certificate', name: '' }] },
    'that may have no connection': { limits: { connections: 0 } },
    'with half a byte': { limits: { heldBytes: 0.5 } },
  };
  test('a tenant that makes no sense is refused, and nothing of it stays', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    for (const [what, part] of Object.entries(wrong)) {
      const { message } = await refused(session.registerTenant({ ...spec(A), ...part }), 'tenant_invalid');
      assert.doesNotMatch(message, /[\p{Cc}]|hunter2/u, what);
    }
    assert.deepEqual((await session.status()).tenants, []);
  });
}
