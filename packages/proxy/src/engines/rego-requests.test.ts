import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import { parsePolicy, type RequestContent, type RequestDecision, type RequestFacts } from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';
import { intentFor } from '../test-support/policies.ts';
import { policyData } from './policy-data.ts';
import { RegoEngine } from './rego-engine.ts';

const parsed = parsePolicy(`
version: 1
network_policies:
  api:
    endpoints:
      - { host: api.example.com, port: 443, protocol: rest, enforcement: enforce, access: read-only }
      - { host: api.example.com, port: 443, path: /mcp, protocol: mcp, enforcement: audit, rules: [{ allow: { method: tools/call, tool: search } }] }
    binaries: [{ path: /usr/bin/curl }]
network_middlewares:
  redact: { middleware: openshell/regex, order: 3, config: { mode: redact }, endpoints: { include: ["*.example.com"] } }
`);
assert.ok(parsed.ok);
const { policy } = parsed;

const intent = intentFor('api.example.com', 443, '/usr/bin/curl');
const request = (method: string, path: string, content: RequestContent = { kind: 'http' }): RequestFacts => ({
  method,
  path,
  query: [
    ['q', '1'],
    ['q', '2'],
    ['__proto__', 'x'],
  ],
  content,
  from: 'client',
});
const module = (body: string) => `package openshell.sandbox\nimport data.openshell.policy\n${body}`;
const engineOf = (body: string, data: JsonObject = policyData(policy)): RegoEngine =>
  new RegoEngine({
    generation: generation(2),
    modules: { 'rules.rego': module(body) },
    data,
    middlewares: policy.middlewares,
  });
const PASSED_ON = 'egress_authorization := policy.egress_authorization\n';
const ask = (rules: string, facts = request('GET', '/x')): RequestDecision =>
  engineOf(PASSED_ON + rules).authorizeRequest(intent, facts);

describe('how a connection is looked into', () => {
  const inspectionOf = (rules: string) => {
    const decision = engineOf(rules).authorizeConnect(intent);
    assert.ok(decision.action === 'allow', decision.reason);
    return decision.inspection;
  };

  test('is what the endpoints of the answer say, the most specific path first, and middlewares in order', () => {
    const inspection = inspectionOf(PASSED_ON)!;
    assert.deepEqual(
      inspection.treatments.map(({ ref, policy: name, endpoint }) => [ref.index, name, endpoint.protocol]),
      [
        [1, 'api', 'mcp'],
        [0, 'api', 'rest'],
      ],
    );
    assert.deepEqual(
      inspection.treatments.map((each) => each.endpoint),
      policy.networkPolicies[0]!.endpoints.toReversed(),
    );
    assert.deepEqual(inspection.middlewares, policy.middlewares);
    assert.equal(inspection.treatments[0]!.matches('/mcp'), true);
    assert.equal(inspection.treatments[0]!.matches('/mcp/x'), false);
    assert.equal(inspection.treatments[1]!.matches('/mcp/x'), true);
  });

  test('is not at all where rules only say yes', () => {
    assert.equal(inspectionOf('egress_authorization := {"action": "allow"}'), undefined);
  });

  test('can be said by rules that know no policy, as a file would say it', () => {
    const config = '{"protocol": "graphql", "access": "read-only", "path": "/graphql"}';
    const inspection = inspectionOf(
      `egress_authorization := {"action": "allow", "matched_policy": "mine", "endpoint_configs": [${config}]}`,
    );
    const [treatment] = inspection!.treatments;
    assert.deepEqual(treatment!.ref, { policy: 'mine', index: 0, host: 'api.example.com' });
    assert.equal(treatment!.endpoint.enforcement, 'enforce');
    assert.equal(treatment!.endpoint.graphql?.maxBodyBytes, 65_536);
    assert.deepEqual(inspection!.middlewares, []);
  });

  const allowWith = (member: string) => `egress_authorization := {"action": "allow", ${member}}`;
  const MALFORMED: readonly (readonly [what: string, member: string, reason: RegExp])[] = [
    ['an unknown protocol', '"endpoint_configs": [{"protocol": "gopher"}]', /protocol/],
    ['a protocol with nothing allowed', '"endpoint_configs": [{"protocol": "rest"}]', /nothing is allowed/],
    [
      'a field that no file has',
      '"endpoint_configs": [{"protocol": "rest", "access": "full", "enforce": true}]',
      /enforce/,
    ],
    [
      'a pattern that is none',
      '"endpoint_configs": [{"path": "/[", "protocol": "rest", "access": "full"}]',
      /path/,
    ],
    ['middlewares that are no list', '"network_middlewares": {}', /no array/],
    ['a middleware that the policy has not', '"network_middlewares": ["other"]', /keys of middlewares/],
    ['a middleware of its own', '"network_middlewares": [{"key": "redact"}]', /keys of middlewares/],
  ];
  for (const [what, member, reason] of MALFORMED) {
    test(`is not understood with ${what}, so the connection is denied`, () => {
      const decision = engineOf(allowWith(member)).authorizeConnect(intent);
      assert.ok(decision.action === 'deny');
      assert.equal(decision.code, 'rules_failed');
      assert.match(decision.reason, reason);
    });
  }
});

describe('rules of the user about requests', () => {
  test('may add a condition to what the policy file allows', () => {
    const rules = `request_authorization := policy.request_authorization if input.request.query_params.q == ["1", "2"]
else := policy.deny_request("not so")`;
    assert.deepEqual(ask(rules), {
      action: 'allow',
      generation: 2,
      reason: 'allowed by network_policies.api.endpoints[0].access',
      policy: 'api',
      endpoint: { policy: 'api', index: 0, host: 'api.example.com' },
      rule: 'network_policies.api.endpoints[0].access',
    });
    const { generation: _, ...refused } = ask(rules, { ...request('GET', '/x'), query: [['q', '1']] });
    assert.deepEqual(refused, {
      action: 'deny',
      code: 'rules_denied',
      reason: 'not so',
      remedy: 'The rules in rules.rego would have to allow it.',
    });
  });

  test('may decide alone, with a decision or a word', () => {
    assert.deepEqual(ask('request_authorization := {"action": "audit"}'), {
      action: 'audit',
      generation: 2,
      reason: 'allowed by the rules (rules.rego)',
      policy: 'rules',
      endpoint: { policy: 'rules', index: 0, host: 'api.example.com' },
      rule: 'the rules (rules.rego)',
    });
    const word =
      'allow_request if input.request.method == "GET"\nrequest_deny_reason := "only GET" if not allow_request';
    assert.equal(ask(word).action, 'allow');
    const silent = ask(word, request('PUT', '/x'));
    assert.match(silent.reason, /no answer/);
    const refused = ask(`default allow_request := false\n${word}`, request('PUT', '/x'));
    assert.ok(refused.action === 'deny');
    assert.deepEqual([refused.code, refused.reason], ['rules_denied', 'only GET']);
  });

  test('cannot vouch for what could not be read', () => {
    const refused = ask(
      'request_authorization := {"action": "allow", "rule": "mine"}',
      request('POST', '/x', { kind: 'malformed', reason: 'the body is cut off' }),
    );
    assert.ok(refused.action === 'deny');
    assert.deepEqual([refused.code, refused.rule], ['request_malformed', 'mine']);
    assert.match(refused.reason, /cut off/);
  });

  const CONTENT: readonly (readonly [what: string, content: RequestContent, seen: object])[] = [
    [
      'GraphQL operations',
      { kind: 'graphql', operations: [{ type: 'query', fields: ['me'], persisted: 'f00d' }] },
      {
        graphql: {
          operations: [
            {
              operation_type: 'query',
              operation_name: '',
              fields: ['me'],
              persisted_query: true,
              persisted_query_id: 'f00d',
            },
          ],
        },
      },
    ],
    [
      'JSON-RPC messages',
      {
        kind: 'rpc',
        receiveStream: false,
        messages: [
          { kind: 'request', method: 'tools/call', tool: 'a', params: [['name', 'a']] },
          { kind: 'response', method: '', params: [] },
        ],
      },
      {
        jsonrpc: {
          messages: [
            { kind: 'request', method: 'tools/call', tool: 'a', params: { name: ['a'] } },
            { kind: 'response', method: '', params: {} },
          ],
          has_response: true,
          receive_stream: false,
        },
      },
    ],
    ['a message', { kind: 'message' }, { websocket: {} }],
    [
      'control of GraphQL in a message',
      { kind: 'message', graphql: 'control' },
      { websocket: { control: true } },
    ],
    [
      'SQL statements',
      { kind: 'sql', statements: [{ command: 'SELECT', effect: 'read', tables: ['a'] }] },
      { sql: { statements: [{ command: 'SELECT', effect: 'read', tables: ['a'] }] } },
    ],
    ['what went wrong', { kind: 'malformed', reason: 'no JSON' }, { error: 'no JSON' }],
  ];
  for (const [what, content, seen] of CONTENT) {
    test(`see ${what}`, () => {
      const { reason } = ask(
        'request_authorization := policy.deny_request(json.marshal(input.request))',
        request('POST', '/x', content),
      );
      const { method, path, query_params: query, from, ...inside } = JSON.parse(reason);
      assert.deepEqual([method, path, from], ['POST', '/x', 'client']);
      assert.deepEqual(Object.entries(query).toSorted(), [
        ['__proto__', ['x']],
        ['q', ['1', '2']],
      ]);
      assert.deepEqual(inside, seen);
    });
  }
});

describe('a request is denied, with the reason, when the rules', () => {
  const CASES: readonly (readonly [what: string, rules: string, reason: RegExp])[] = [
    ['speak of connections only', '', /no answer to this request/],
    [
      'have no answer to this one',
      'request_authorization := {"action": "allow"} if input.request.path == "/y"',
      /no answer/,
    ],
    ['answer with something else than an object', 'request_authorization := true', /no object/],
    ['know another action', 'request_authorization := {"action": "ALLOW"}', /none of the actions/],
    [
      'name an endpoint that is none',
      'request_authorization := {"action": "allow", "endpoint": "x"}',
      /endpoint is no object/,
    ],
    [
      'name an endpoint without a place',
      'request_authorization := {"action": "allow", "endpoint": {"policy": "p"}}',
      /no index/,
    ],
    [
      'give a reason that is no text',
      'request_authorization := {"action": "allow", "reason": 1}',
      /reason is no string/,
    ],
    ['contradict each other', 'request_authorization := {"n": n} if some n in [1, 2]', /eval_conflict_error/],
    [
      'explode',
      'n := numbers.range(1, 1000)\nrequest_authorization := {"action": "allow"} if count([1 | some a in n; some b in n; some c in n; a + b == c + 3000]) > 0',
      /eval_limit_error/,
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

  test('say something else than true', () => {
    for (const word of ['"true"', '1', 'null', '{}']) {
      const decision = ask(`allow_request := ${word}`);
      assert.ok(decision.action === 'deny');
      assert.equal(decision.code, 'rules_denied', word);
    }
  });
});
