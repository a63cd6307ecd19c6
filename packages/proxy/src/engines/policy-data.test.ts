import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePolicy } from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';
import { type PolicyDataOptions, policyData } from './policy-data.ts';

const dataOf = (text: string, options?: PolicyDataOptions) => {
  const result = parsePolicy(text);
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.problems));
  return policyData(result.policy, options) as Readonly<Record<string, JsonObject>>;
};
/** One endpoint of one policy, as data. */
const endpointOf = (fields: string): JsonObject => {
  const text = `version: 1\nnetwork_policies: { p: { endpoints: [{ host: a.example.com, port: 443, ${fields} }] } }`;
  const { network_policies: policies } = dataOf(text);
  return (policies!.p as { endpoints: JsonObject[] }).endpoints[0]!;
};

describe('the data of rules', () => {
  test('has the sections of the file with what it leaves out', () => {
    const { egress_index: index, ...sections } = dataOf(`
version: 1
process: { run_as_user: sandbox }
network_policies:
  p: { name: api, endpoints: [{ host: A.example.com, port: 443 }], binaries: [{ path: /bin/a }] }
`);
    assert.deepEqual(sections.process, { run_as_user: 'sandbox' });
    assert.deepEqual(sections.runtime, { require_binary_identity: true });
    assert.deepEqual(sections.network_middlewares, {});
    assert.equal(typeof sections.landlock!.compatibility, 'string');
    assert.ok(Array.isArray(sections.filesystem_policy!.read_only));
    const endpoint = { host: 'a.example.com', ports: [443], enforcement: 'enforce' };
    assert.deepEqual(sections.network_policies, {
      p: { name: 'api', endpoints: [endpoint], binaries: [{ path: '/bin/a' }] },
    });
    const match = { policy_name: 'api', policy_key: 'p', endpoint_index: 0, endpoint };
    const programs = { exact: { '/bin/a': true }, prefixes: [], patterns: [] };
    const place = 'network_policies.p.endpoints[0]';
    const entry = { rank: 0, ports: [443], host: 'a.example.com', names_host: true, programs, match, place };
    assert.deepEqual(JSON.parse(JSON.stringify(index)), {
      middlewares: [],
      hosts: { 'a.example.com': [entry] },
      domains: {},
      ports: {},
    });
  });

  for (const [access, protocol, rules] of [
    ['read-only', 'rest', ['GET', 'HEAD', 'OPTIONS']],
    ['read-write', 'rest', ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH']],
    ['full', 'rest', ['*']],
    ['read-only', 'websocket', ['GET']],
    ['read-write', 'websocket', ['GET', 'WEBSOCKET_TEXT']],
  ] as const) {
    test(`writes out the preset ${access} of ${protocol}`, () => {
      assert.deepEqual(
        endpointOf(`protocol: ${protocol}, access: ${access}`).rules,
        rules.map((method) => ({ allow: { method, path: '**' } })),
      );
    });
  }

  test('says of the presets of SQL what they mean, which files cannot', () => {
    assert.deepEqual(endpointOf('protocol: sql, access: read-write').rules, [
      { allow: { effect: 'read' } },
      { allow: { effect: 'write' } },
    ]);
  });

  test('has every condition of rules', () => {
    const { rules } = endpointOf(
      'protocol: mcp, rules: [{ allow: { method: tools/call, tool: a, params: { arguments: { path: "/work/**" } } } }, { allow: { method: ping, from: server } }]',
    );
    assert.deepEqual(rules, [
      {
        allow: {
          method: 'tools/call',
          tool: { any: ['a'] },
          params: { 'arguments.path': { any: ['/work/**'] } },
        },
      },
      { allow: { method: 'ping', from: 'server' } },
    ]);
    const { rules: statements } = endpointOf(
      'protocol: sql, rules: [{ allow: { command: select, tables: [public.a] } }]',
    );
    assert.deepEqual(statements, [{ allow: { command: 'SELECT', tables: ['public.a'] } }]);
  });

  test('has rules with the names of the file', () => {
    const endpoint = endpointOf(
      'protocol: rest, rules: [{ allow: { method: get, path: /a, query: { q: x } } }], deny_rules: [{ method: PUT, path: /b }], allowed_ips: [10.0.0.0/8]',
    );
    assert.deepEqual(endpoint.rules, [
      { allow: { method: 'GET', path: '/a', query: { q: { any: ['x'] } } } },
    ]);
    assert.deepEqual(endpoint.deny_rules, [{ method: 'PUT', path: '/b' }]);
    assert.deepEqual(endpoint.allowed_ips, ['10.0.0.0/8']);
  });
});

describe('the index of endpoints', () => {
  const POLICY = `
version: 1
network_policies:
  z: { name: a-first, endpoints: [{ host: "*.example.com", port: 443 }], binaries: [{ path: /bin/link }] }
  b: { endpoints: [{ host: x.example.com, ports: [443, 80] }, { host: __proto__, port: 1 }], binaries: [{ path: "/opt/**" }, { path: "/bin/?" }] }
  c: { endpoints: [{ port: 9000, allowed_ips: ["10.0.0.0/8"] }] }
`;
  const resolveBinaryPath = (path: string) => (path === '/bin/link' ? '/usr/bin/real' : undefined);
  const { egress_index: index } = dataOf(POLICY, { resolveBinaryPath, identity: 'not-required' });
  const { hosts, domains, ports } = index as unknown as Record<string, Record<string, JsonObject[]>>;

  test('has for a named host all that matches it, in the order of names', () => {
    assert.deepEqual(
      hosts!['x.example.com']!.map(({ rank, host }) => [rank, host]),
      [
        [0, '*.example.com'],
        [1, 'x.example.com'],
        [3, ''],
      ],
    );
  });

  test('has wildcards by domain, and endpoints for any host by port', () => {
    assert.deepEqual(Object.keys(domains!), ['example.com']);
    assert.deepEqual(Object.keys(ports!), ['9000']);
  });

  test('takes a name that JavaScript gives a meaning to for a name', () => {
    assert.deepEqual(Object.keys(hosts!).toSorted(), ['__proto__', 'x.example.com']);
    assert.equal(hosts!.constructor, undefined);
  });

  test('has programs in their cheapest form, and where links lead', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(hosts!['x.example.com']!.map(({ programs }) => programs))), [
      { exact: { '/bin/link': true, '/usr/bin/real': true }, prefixes: [], patterns: [] },
      { exact: {}, prefixes: ['/opt/'], patterns: ['^/bin/[^/]$'] },
      { exact: {}, prefixes: [], patterns: [] },
    ]);
  });

  test('has what inspected endpoints say of requests, in the order of their paths', () => {
    const { egress_index: inspected } = dataOf(`
version: 1
network_policies:
  p:
    endpoints:
      - { host: a.example.com, port: 443 }
      - { host: a.example.com, port: 443, protocol: rest, enforcement: enforce, access: full }
      - host: a.example.com
        port: 443
        path: "/mcp/**"
        protocol: mcp
        enforcement: enforce
        rules: [{ allow: { method: "tools/*" } }]
        deny_rules: [{ method: tools/call, tool: run }]
`);
    const [plain, rest, mcp] = (inspected!.hosts as Record<string, JsonObject[]>)['a.example.com']!;
    assert.deepEqual([plain!.requests, plain!.order, rest!.order, mcp!.order], [undefined, undefined, 1, 0]);
    const place = 'network_policies.p.endpoints[2]';
    const exactly = (...texts: string[]) => ({
      exact: Object.fromEntries(texts.map((text) => [text, true])),
      prefixes: [],
      patterns: [],
    });
    assert.deepEqual(JSON.parse(JSON.stringify(mcp!.requests)), {
      path: { exact: {}, prefixes: ['/mcp/'], patterns: [] },
      reading: 'mcp',
      allow: [
        {
          place: `${place}.rules[0]`,
          from: 'client',
          every: true,
          about: 'call',
          // A pattern that allows reaches only methods that are known.
          method: exactly('tools/call', 'tools/list'),
        },
      ],
      deny: [
        {
          place: `${place}.deny_rules[0]`,
          from: 'client',
          every: false,
          about: 'call',
          method: exactly('tools/call'),
          tools: exactly('run'),
        },
      ],
      limits_server: false,
      allows_operations: false,
      reads_operations: false,
    });
  });
});
