/** Our own rules, compiled by OPA (fixtures/README.md) and run by the real SDK. The built-in evaluator says what is right. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import { compilePolicy, parsePolicy } from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';
import { intentFor, processEvidence } from '../test-support/policies.ts';
import { policyData } from './policy-data.ts';
import { loadWasmEngine, type WasmEngine } from './wasm-engine.ts';

const parsed = parsePolicy(`
version: 1
network_policies:
  api:
    endpoints:
      - { host: api.example.com, port: 443, allowed_ips: ["10.1.0.0/16"] }
      - { host: "*.example.org", port: 443, tls: skip }
    binaries: [{ path: /usr/bin/curl }, { path: "/opt/*/agent" }]
  lab:
    endpoints: [{ port: 9000, allowed_ips: ["10.0.0.0/8", "fd00::/8"] }]
    binaries: [{ path: "/usr/bin/**" }]
`);
assert.ok(parsed.ok);
const { policy } = parsed;

const program = new Uint8Array(readFileSync(new URL('fixtures/policy.wasm', import.meta.url)));
const engineOf = (data: JsonObject): Promise<WasmEngine> =>
  loadWasmEngine({ generation: generation(1), program, origin: 'policy.wasm', data });

const engine = await engineOf(policyData(policy));
const builtin = compilePolicy(policy, generation(1));

describe('a program that OPA compiled of our rules', () => {
  const ALLOWED = [
    ['a host that is named', intentFor('api.example.com', 443, '/usr/bin/curl')],
    ['a program of a pattern', intentFor('api.example.com', 443, '/opt/x/agent')],
    [
      'what such a program started',
      intentFor('api.example.com', 443, processEvidence('/x', ['/usr/bin/curl'])),
    ],
    ['a name of a wildcard', intentFor('www.example.org', 443, '/usr/bin/curl')],
    ['an address of a block', intentFor('10.9.8.7', 9000, '/usr/bin/ssh')],
    ['an IPv6 address of a block', intentFor('fd00::1', 9000, '/usr/bin/ssh')],
  ] as const;
  for (const [what, intent] of ALLOWED) {
    test(`allows ${what} just as the built-in evaluator does`, () => {
      const decision = engine.authorizeConnect(intent);
      assert.equal(decision.action, 'allow', decision.reason);
      assert.deepEqual(decision, builtin.authorizeConnect(intent));
    });
  }

  const DENIED = [
    ['another host', intentFor('api.example.net', 443, '/usr/bin/curl')],
    ['another port', intentFor('api.example.com', 80, '/usr/bin/curl')],
    ['two labels where the wildcard stands for one', intentFor('a.b.example.org', 443, '/usr/bin/curl')],
    ['another program', intentFor('api.example.com', 443, '/opt/x/y/agent')],
    ['a host that is no name', intentFor('é"\0%s\n', 443, '/usr/bin/curl')],
    [
      'a program that nobody knows',
      intentFor('api.example.com', 443, { kind: 'unknown', reason: 'it has gone' }),
    ],
  ] as const;
  for (const [what, intent] of DENIED) {
    test(`denies ${what}`, () => {
      const decision = engine.authorizeConnect(intent);
      const right = builtin.authorizeConnect(intent);
      assert.ok(decision.action === 'deny' && right.action === 'deny');
      assert.equal(decision.code, right.code, decision.reason);
      assert.equal(decision.policy, right.policy);
      assert.ok(decision.reason && decision.remedy);
    });
  }

  test('says which names and addresses could be reached', async () => {
    const { lab: _, ...named } = policyData(policy).network_policies as JsonObject;
    const data = policyData({
      ...policy,
      networkPolicies: policy.networkPolicies.filter(({ key }) => key in named),
    });
    const narrow = await engineOf(data);
    for (const [host, answer] of [
      ['api.example.com', true],
      ['www.example.org', true],
      ['example.org', false],
      ['a.b.example.org', false],
      ['10.1.0.1', false],
    ] as const) {
      assert.equal(narrow.couldAllowName(host), answer, host);
    }
    for (const [address, port, answer] of [
      ['10.9.8.7', 9000, true],
      ['FD00:0::1', 9000, true],
      ['10.9.8.7', 443, false],
      ['11.0.0.1', 9000, false],
      ['::ffff:10.0.0.1', 9000, false],
      ['api.example.com', 443, false],
    ] as const) {
      assert.equal(engine.couldAllowAddress(address, port), answer, address);
    }
  });
});

test('a program that knows connections only says which are looked into, and no request on them is allowed', async () => {
  const inspected = parsePolicy(`
version: 1
network_policies:
  api:
    endpoints: [{ host: api.example.com, port: 443, protocol: rest, enforcement: enforce, access: full }]
    binaries: [{ path: /usr/bin/curl }]
`);
  assert.ok(inspected.ok);
  const looking = await engineOf(policyData(inspected.policy));
  const intent = intentFor('api.example.com', 443, '/usr/bin/curl');
  const connection = looking.authorizeConnect(intent);
  assert.ok(connection.action === 'allow');
  assert.deepEqual(
    connection.inspection?.treatments.map((each) => each.endpoint),
    inspected.policy.networkPolicies[0]!.endpoints,
  );
  const request = { method: 'GET', path: '/', query: [], content: { kind: 'http' }, from: 'client' } as const;
  const decision = looking.authorizeRequest(intent, request);
  assert.ok(decision.action === 'deny');
  assert.equal(decision.code, 'rules_failed');
});

describe('the same program with data that', () => {
  const match = { policy_name: 'api', policy_key: 'api', endpoint_index: 0 };
  const dataWith = (endpoint: unknown): JsonObject => {
    const programs = { exact: { '/usr/bin/curl': true }, prefixes: [], patterns: [] };
    const entry = { rank: 0, ports: [443], names_host: true, programs, match: { ...match, endpoint } };
    return {
      egress_index: { hosts: { 'api.example.com': [entry] } },
      network_policies: { api: {} },
    } as JsonObject;
  };
  const intent = intentFor('api.example.com', 443, '/usr/bin/curl');

  for (const [what, endpoint, reason] of [
    ['has no endpoint in a match', 1, /no endpoint$/],
    ['allows addresses that are none', { host: 'api.example.com', allowed_ips: ['all'] }, /allowed_ips/],
    ['knows another kind of TLS', { host: 'api.example.com', tls: 'none' }, /tls/],
  ] as const) {
    test(`${what} denies`, async () => {
      const decision = (await engineOf(dataWith(endpoint))).authorizeConnect(intent);
      assert.ok(decision.action === 'deny');
      assert.equal(decision.code, 'rules_failed');
      assert.match(decision.reason, reason);
    });
  }

  test('is larger than the memory of the start is read in full', async () => {
    const filler = Array.from({ length: 4096 }, (_, index) => `${index}`.padEnd(1024, 'x'));
    const large = await engineOf({ ...policyData(policy), filler });
    const longPath = `/${'x'.repeat(200_000)}`;
    assert.equal(large.authorizeConnect(intentFor('api.example.com', 443, longPath)).action, 'deny');
    assert.equal(large.authorizeConnect(intent).action, 'allow');
  });
});
