import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import { type ConnectDecision, type Policy, parsePolicy } from '@openshell/policy';
import { intentFor, processEvidence } from '../test-support/policies.ts';
import { policyData } from './policy-data.ts';
import { RegoEngine, type RegoEngineOptions } from './rego-engine.ts';

const POLICY = `
version: 1
network_policies:
  api:
    endpoints: [{ host: api.example.com, port: 443, allowed_ips: ["10.1.0.0/16"] }]
    binaries: [{ path: /usr/bin/curl }]
`;

const policyFrom = (text: string): Policy => {
  const result = parsePolicy(text);
  assert.ok(result.ok);
  return result.policy;
};

const engineOf = (rules: string, options: Partial<RegoEngineOptions> = {}) =>
  new RegoEngine({
    generation: generation(2),
    modules: { 'rules.rego': rules },
    data: policyData(policyFrom(POLICY)),
    ...options,
  });

const module = (body: string) => `package openshell.sandbox\nimport data.openshell.policy\n${body}`;
const ask = (rules: string, who = '/usr/bin/curl'): ConnectDecision =>
  engineOf(module(rules)).authorizeConnect(intentFor('api.example.com', 443, who));

describe('rules of the user', () => {
  test('may add a condition to what the policy file allows', () => {
    const rules = `egress_authorization := policy.egress_authorization if "/usr/bin/make" in input.exec.ancestors
else := policy.deny("only from make")`;
    const below = (ancestor: string) =>
      engineOf(module(rules)).authorizeConnect(
        intentFor('api.example.com', 443, processEvidence('/usr/bin/curl', [ancestor])),
      );
    assert.equal(below('/usr/bin/make').action, 'allow');
    const { generation: _, ...refused } = below('/usr/bin/bash');
    assert.deepEqual(refused, {
      action: 'deny',
      code: 'rules_denied',
      reason: 'only from make',
      remedy: 'The rules in rules.rego would have to allow it.',
    });
  });

  test('may allow what no policy has: public addresses only, unless they say more', () => {
    assert.deepEqual(ask('egress_authorization := {"action": "allow"}'), {
      action: 'allow',
      generation: 2,
      reason: 'allowed by the rules (rules.rego)',
      policy: 'rules',
      endpoint: { policy: 'rules', index: 0, host: 'api.example.com' },
      tls: 'auto',
      destination: { exactHost: false },
    });
    const decision = ask(
      'egress_authorization := {"action": "allow", "endpoint_configs": [{"tls": "skip", "allowed_ips": ["10.0.0.0/8"]}]}',
    );
    assert.ok(decision.action === 'allow');
    assert.equal(decision.tls, 'skip');
    assert.deepEqual(decision.destination, { exactHost: false, allowedIps: ['10.0.0.0/8'] });
  });

  test('see who asks, and arguments apart from it', () => {
    const rules = `egress_authorization := policy.deny(sprintf("%s %s %v %v", [input.sandbox, input.adapter, input.exec, input.network]))`;
    const decision = ask(rules);
    const exec = {
      ancestors: [],
      cmdline_paths: ['/usr/share/script'],
      path: '/usr/bin/curl',
      pinned: true,
      sha256: '0'.repeat(64),
    };
    const [, , ...rest] = decision.reason.split(' ');
    assert.deepEqual(JSON.parse(rest.join('').replace('}{', '},{').replace(/^/, '[').concat(']')), [
      exec,
      { host: 'api.example.com', port: 443 },
    ]);
  });

  test('that bring openshell.policy themselves replace ours', () => {
    const modules = {
      'mine.rego': 'package openshell.policy\negress_authorization := {"action": "allow"}',
      'sandbox.rego': module('egress_authorization := policy.egress_authorization'),
    };
    const engine = engineOf('', { modules });
    assert.equal(engine.authorizeConnect(intentFor('other.example.com', 1, '/x')).action, 'allow');
  });

  test('that do not say what names could be reached leave that to each connection', () => {
    const engine = engineOf(module('egress_authorization := policy.egress_authorization'));
    assert.equal(engine.couldAllowName('api.example.com'), true);
    assert.equal(engine.couldAllowName('10.0.0.1'), false);
    assert.equal(engine.couldAllowAddress('10.0.0.1', 443), true);
    assert.equal(engine.couldAllowAddress('no address', 443), false);
  });

  test('that say what names could be reached are believed only when they say yes', () => {
    for (const [rule, answer] of [
      ['could_allow_name := true', true],
      ['could_allow_name := "true"', false],
      ['could_allow_name if input.network.port == 443', false],
      ['could_allow_name if count([1 | numbers.range(1, 1000000)[_]]) > 0', false],
    ] as const) {
      const engine = engineOf(module(`egress_authorization := {}\n${rule}`));
      assert.equal(engine.couldAllowName('api.example.com'), answer, rule);
    }
  });
});

describe('a connection is denied, with the reason, when the rules', () => {
  const CASES: readonly (readonly [what: string, rules: string, reason: RegExp])[] = [
    ['give no answer', 'egress_authorization := {"action": "allow"} if input.network.port == 1', /no answer/],
    [
      'contradict each other',
      'egress_authorization := {"n": n} if some n in [1, 2]',
      /rules\.rego:3: eval_conflict_error/,
    ],
    ['answer with something else than an object', 'egress_authorization := "allow"', /no object/],
    ['answer with true', 'egress_authorization := true', /no object/],
    ['answer with a set', 'egress_authorization contains "allow"', /no object/],
    ['leave the action out', 'egress_authorization := {"matched_policy": "api"}', /neither the action/],
    ['know another action', 'egress_authorization := {"action": "ALLOW"}', /neither the action/],
    [
      'match what is no list',
      'egress_authorization := {"action": "allow", "matched_endpoints": {}}',
      /no array/,
    ],
    [
      'match what is no endpoint',
      'egress_authorization := {"action": "allow", "matched_endpoints": [1]}',
      /no object/,
    ],
    [
      'match an endpoint without a policy',
      'egress_authorization := {"action": "allow", "matched_endpoints": [{}]}',
      /no policy_name/,
    ],
    [
      'match an endpoint without a place',
      'egress_authorization := {"action": "allow", "matched_endpoints": [{"policy_name": "a", "endpoint": {}}]}',
      /no endpoint_index/,
    ],
    [
      'allow addresses that are none',
      'egress_authorization := {"action": "allow", "endpoint_configs": [{"allowed_ips": ["10.0.0.0/8", "all"]}]}',
      /allowed_ips/,
    ],
    [
      'know another kind of TLS',
      'egress_authorization := {"action": "allow", "endpoint_configs": [{"tls": "none"}]}',
      /tls/,
    ],
    [
      'are vague about the host',
      'egress_authorization := {"action": "allow", "exact_declared_endpoint_host": "yes"}',
      /neither true nor false/,
    ],
    [
      'count to a million',
      'egress_authorization := {"action": "allow"} if count([1 | some i in numbers.range(1, 1000000); i > 0]) > 0',
      /eval_limit_error|no answer/,
    ],
    [
      'explode',
      `n := numbers.range(1, 1000)
egress_authorization := {"action": "allow"} if count([1 | some a in n; some b in n; some c in n; a + b == c + 3000]) > 0`,
      /eval_limit_error/,
    ],
    [
      'make an endless text',
      'egress_authorization := {"action": "allow", "matched_policy": concat("", [x | some i in numbers.range(1, 90000); x := "0123456789abcdef"])}',
      /eval_limit_error|no answer/,
    ],
    [
      'ask the network',
      'egress_authorization := http.send({"method": "get", "url": "http://127.0.0.1:1"})',
      /no answer|http\.send/,
    ],
  ];
  for (const [what, rules, reason] of CASES) {
    test(what, () => {
      const decision = ask(rules);
      assert.ok(decision.action === 'deny', JSON.stringify(decision));
      assert.equal(decision.code, 'rules_failed');
      assert.match(decision.reason, reason);
      assert.ok(decision.remedy);
    });
  }
});

describe('modules that cannot be used are refused when they are loaded, with', () => {
  const CASES: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    [
      'the place and the line of a mistake',
      'package openshell.sandbox\n\nallow if {',
      /rules\.rego:3:\d+: rego_parse_error.*\n\tallow if \{/s,
    ],
    [
      'the name that is not known',
      module('egress_authorization := nothing(1)'),
      /rules\.rego:3:\d+: rego_type_error/,
    ],
    [
      'what is missing',
      'package elsewhere\nallow := true',
      /rules\.rego\) defines data\.openshell\.sandbox\.egress_authorization/,
    ],
    [
      'what goes round in circles',
      module('egress_authorization := egress_authorization'),
      /rego_recursion_error/,
    ],
  ];
  for (const [what, text, message] of CASES) {
    test(what, () => assert.throws(() => engineOf(text), { code: 'rules_invalid', message }));
  }
});

test('decisions about an endpoint that came up before are the same objects', () => {
  const engine = engineOf('', { modules: {} });
  const intent = intentFor('api.example.com', 443, '/usr/bin/curl');
  assert.equal(engine.authorizeConnect(intent), engine.authorizeConnect(intent));
});
