import assert from 'node:assert/strict';
import { test } from 'node:test';
import { A, B, connect, install, type MakeSubject, refused, spec } from './contract-subject.ts';

/** Status, explanations, the authority and draining. */
export function stateContract(make: MakeSubject): void {
  test('the status says who controls, what each tenant has, and since when', async () => {
    await using subject = await make();
    const before = Date.now();
    await using session = await connect(subject, { name: 'the controller' });
    await session.registerTenant(spec(A));
    await session.registerTenant(spec(B));
    await session.apply(install(A));
    const status = await session.status();
    assert.equal(status.instance, session.hello.instance);
    assert.equal(status.version, session.hello.version);
    assert.equal(status.state, 'denying', 'one of two has nothing');
    assert.equal(status.controller?.name, 'the controller');
    assert.ok(status.controller.since >= before - 1000);
    assert.ok(status.startedAt > 0);
    assert.deepEqual(
      status.tenants.map(({ id, installed }) => [id, installed?.generation]),
      [
        [A, 1],
        [B, undefined],
      ],
    );
    assert.ok(status.workers.length >= 1);
    assert.ok(status.workers[0]!.pid > 0);
  });

  test('what is denied counts', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    await subject.provoke(A);
    const counters = (await session.status()).tenants[0]?.counters;
    assert.ok(counters && counters.events >= 1);
    assert.equal(counters.eventsLost, 0);
  });

  test('an explanation is by what is in force for the tenant', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    await session.registerTenant(spec(B));
    await session.apply(install(A));
    const query = { tenant: A, host: 'docs.example', port: 443, binaries: [] };
    const allowed = await session.explain(query);
    assert.deepEqual(
      [allowed.allowed, allowed.generation, allowed.policy, allowed.inspected],
      [true, 1, 'docs', true],
    );
    const refusedAnswer = await session.explain({ ...query, host: 'other.example' });
    assert.equal(refusedAnswer.allowed, false);
    assert.match(`${refusedAnswer.code}`, /./);
    assert.equal((await session.explain({ ...query, tenant: B })).allowed, false);
    const request = { method: 'POST', target: '/?q=1' };
    assert.equal((await session.explain({ ...query, request })).allowed, true);
    await session.removeTenant(B);
    await refused(session.explain({ ...query, tenant: B }), 'tenant_unknown');
  });

  test('the authority is rotated in its order, so that clients always trust what they are shown', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    const roles = async () => (await session.authority()).certificates.map(({ role }) => role).sort();
    const [first] = (await session.authority()).certificates;
    assert.equal(first?.role, 'signing');
    assert.match(first.fingerprint, /^[0-9a-f]{64}$/);
    assert.match(first.pem, /^-----BEGIN CERTIFICATE-----/);
    assert.ok(first.notBefore < first.notAfter);
    await refused(session.rotateAuthority('activate'), 'rotation_order');
    await refused(session.rotateAuthority('retire'), 'rotation_order');

    const prepared = await session.rotateAuthority('prepare');
    assert.deepEqual(await roles(), ['next', 'signing']);
    for (const { pem } of prepared.certificates) assert.ok(prepared.bundlePem.includes(pem.trim()));
    await refused(session.rotateAuthority('prepare'), 'rotation_order');

    const { certificates } = await session.rotateAuthority('activate');
    assert.deepEqual(await roles(), ['previous', 'signing']);
    assert.equal(certificates.find(({ role }) => role === 'previous')?.fingerprint, first.fingerprint);
    await refused(session.rotateAuthority('activate'), 'rotation_order');

    const { certificates: last } = await session.rotateAuthority('retire');
    assert.deepEqual(
      last.map(({ role }) => role),
      ['signing'],
    );
    assert.notEqual(last[0]?.fingerprint, first.fingerprint);
  });

  test('a proxy that drains says so, and takes no new tenants', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    await session.drain(0);
    assert.equal((await session.status()).state, 'draining');
    await refused(session.registerTenant(spec(B)), 'proxy_draining');
  });
}
