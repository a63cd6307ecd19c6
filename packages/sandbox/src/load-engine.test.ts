import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation, sandboxId } from '@openshell/base';
import { type Intent, parsePolicy } from '@openshell/policy';
import { loadEngine } from './load-engine.ts';
import type { Rules } from './run-options.ts';

const parsed = parsePolicy(`
version: 1
network_policies: { api: { endpoints: [{ host: api.example.com, port: 443 }], binaries: [{ path: /usr/bin/curl }] } }
network_middlewares: { redact: { middleware: openshell/regex, order: 1, endpoints: { include: [api.example.com] } } }
`);
assert.ok(parsed.ok);
const { policy } = parsed;

const intent: Intent = {
  sandbox: sandboxId('test'),
  adapter: 'connect',
  host: 'api.example.com',
  port: 443,
  evidence: {
    kind: 'process',
    pid: 1,
    executable: { path: '/usr/bin/curl', sha256: '0'.repeat(64), pinned: true },
    ancestors: [],
    argv: [],
  },
};

const rego = (text: string, data: Extract<Rules, { kind: 'rego' }>['data'] = {}): Rules => ({
  kind: 'rego',
  modules: { 'rules.rego': `package openshell.sandbox\nimport data.openshell.policy\n${text}` },
  version: 'v1',
  data,
});

describe('what decides about a sandbox', () => {
  test('is the policy, where there are no rules', async () => {
    const engine = await loadEngine(policy, undefined, generation(1));
    assert.equal((await engine.authorizeConnect(intent)).action, 'allow');
  });

  test('are rules that see the policy and their own data', async () => {
    const text = 'egress_authorization := policy.egress_authorization if data.open';
    for (const [open, action] of [
      [true, 'allow'],
      [false, 'deny'],
    ] as const) {
      const engine = await loadEngine(policy, rego(text, { open }), generation(1));
      assert.equal((await engine.authorizeConnect(intent)).action, action);
    }
  });

  test('makes requests pass through the middlewares of the policy, whoever decides', async () => {
    const rules = [undefined, rego('egress_authorization := policy.egress_authorization')];
    for (const each of rules) {
      const engine = await loadEngine(policy, each, generation(1));
      const decision = await engine.authorizeConnect(intent);
      assert.ok(decision.action === 'allow');
      assert.deepEqual(decision.inspection?.middlewares, policy.middlewares);
    }
  });

  test('cannot be rules whose data takes the place of the policy', () =>
    assert.rejects(loadEngine(policy, rego('egress_authorization := {}', { runtime: {} }), generation(1)), {
      code: 'rules_data',
      message: /"runtime"/,
    }));

  test('cannot be at an address that is none', () =>
    assert.rejects(loadEngine(policy, { kind: 'opa', url: 'localhost' }, generation(1)), {
      code: 'bad_opa_url',
    }));
});
