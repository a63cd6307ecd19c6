import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import type { TextPart } from '../contract/generation.ts';
import { textHash } from '../contract/generation-hash.ts';
import type { TenantReport } from '../contract/tenant.ts';
import { A, B, CREDENTIALS, FakeTenant, policyFor, spec } from '../testing/index.ts';
import { planTenants, type WantedParts, type WantedTenant } from './plan-tenants.ts';

const SECRETS = { kind: 'values', revision: 'r1', values: new Map([['API_TOKEN', 'x']]) } as const;
const FULL: WantedParts = { policy: policyFor('docs.example'), credentials: CREDENTIALS, secrets: SECRETS };
const OTHER = policyFor('other.example');

const want = (parts: WantedParts = FULL): WantedTenant => ({ tenant: spec(A), parts });

/** What a proxy says that was given this. */
const has = ({ tenant, parts }: WantedTenant): TenantReport => {
  const fake = new FakeTenant(tenant, () => 1);
  fake.apply({ tenant: tenant.id, parts, mode: 'install' });
  return fake.report();
};

const keep = ({ text }: TextPart) => ({ kind: 'keep', hash: textHash(text) });
const kept = { kind: 'keep', revision: 'r1' };

describe('from what a proxy has to what is wanted', () => {
  test('nothing is done where both are the same', () => {
    assert.deepEqual(planTenants([want()], [has(want())], 'remove'), []);
  });

  test('a proxy that has nothing gets everything', () => {
    const [register, apply, ...more] = planTenants([want()], [], 'remove');
    assert.deepEqual(register, { kind: 'register', spec: spec(A) });
    assert.ok(apply?.kind === 'apply');
    assert.deepEqual(apply.order.parts, { ...FULL, routes: undefined });
    assert.deepEqual(more, []);
  });

  const changes: Readonly<Record<string, { to: WantedParts; sent: object }>> = {
    'another policy is sent without the rest': {
      to: { ...FULL, policy: OTHER },
      sent: { policy: OTHER, credentials: keep(CREDENTIALS), routes: undefined, secrets: kept },
    },
    'other secrets are sent without the texts': {
      to: { ...FULL, secrets: { ...SECRETS, revision: 'r2' } },
      sent: {
        policy: keep(FULL.policy),
        credentials: keep(CREDENTIALS),
        routes: undefined,
        secrets: { ...SECRETS, revision: 'r2' },
      },
    },
    'what is wanted no longer is left out': {
      to: { policy: FULL.policy },
      sent: { policy: keep(FULL.policy), credentials: undefined, routes: undefined, secrets: undefined },
    },
  };
  for (const [name, { to, sent }] of Object.entries(changes))
    test(name, () => {
      const [apply, ...more] = planTenants([want(to)], [has(want())], 'remove');
      assert.ok(apply?.kind === 'apply');
      assert.deepEqual(apply.order.parts, sent);
      assert.deepEqual(more, []);
    });

  test('a tenant that was registered and has nothing yet is not registered again', () => {
    const report = new FakeTenant(spec(A), () => 1).report();
    assert.deepEqual(
      planTenants([want()], [report], 'remove').map(({ kind }) => kind),
      ['apply'],
    );
  });

  test('a tenant that is recognised by something else now is removed first, and before anybody takes that', () => {
    const steps = planTenants(
      [
        { tenant: spec(sandboxId('tenant-c'), 'a'), parts: FULL },
        { tenant: spec(A, 'new'), parts: FULL },
      ],
      [has({ tenant: spec(A, 'a'), parts: FULL })],
      'leave',
    );
    assert.deepEqual(
      steps.map(({ kind }) => kind),
      ['remove', 'register', 'apply', 'register', 'apply'],
    );
    assert.ok(
      steps[4]?.kind === 'apply' && steps[4].order.parts.policy.kind === 'text',
      'nothing to keep is left',
    );
  });

  test('tenants that nobody wants go, or stay', () => {
    const present = [has(want()), has({ tenant: spec(B), parts: FULL })];
    assert.deepEqual(planTenants([want()], present, 'leave'), []);
    assert.deepEqual(planTenants([want()], present, 'remove'), [{ kind: 'remove', tenant: B }]);
  });
});
