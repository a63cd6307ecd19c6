import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { POLICY_LIMITS } from '../limits.ts';
import { parsePolicy } from '../parse.ts';

/** Codes and paths of the problems, the latter from the endpoint on. */
function problems(text: string): string[] {
  const result = parsePolicy(text);
  return result.ok
    ? []
    : result.problems.map(({ code, path }) =>
        `${code} ${path.replace(/^network_policies\.a\.endpoints\[0\]\.?/, '')}`.trim(),
      );
}

const endpoints = (...fields: readonly string[]): string =>
  `version: 1\nnetwork_policies: { a: { endpoints: [${fields.map((one) => `{ ${one} }`).join(', ')}], binaries: [{ path: /x }] } }`;

const HOST = 'host: a.example.com, port: 443';
const REST = `${HOST}, protocol: rest, enforcement: enforce`;
const GRAPHQL = `${HOST}, protocol: graphql, enforcement: enforce`;
const SOCKET = `${HOST}, protocol: websocket, enforcement: enforce`;
const RPC = `${HOST}, protocol: json-rpc, enforcement: enforce`;
const SQL = `${HOST}, protocol: sql, enforcement: enforce`;
const MCP = `${HOST}, protocol: mcp, enforcement: enforce`;

type Case = readonly [fields: string, ...problems: string[]];

function table(name: string, cases: readonly Case[]): void {
  describe(name, () => {
    for (const [fields, ...expected] of cases) {
      test(`{ ${fields} } ${expected.length ? `is refused: ${expected.join(', ')}` : 'is accepted'}`, () =>
        assert.deepEqual(problems(endpoints(fields)), expected));
    }
  });
}

table('hosts and ports', [
  [HOST],
  ['host: a.example.com, ports: [80, 443]'],
  ['host: "10.0.0.1", port: 80'],
  ['host: "2001:db8::1", port: 80'],
  ['host: "[2001:db8::1]", port: 80'],
  ['host: localhost, port: 80'],
  ['port: 443', 'missing_host'],
  ['host: "", port: 443', 'missing_host'],
  ['port: 443, allowed_ips: []', 'missing_host'],
  ['port: 443, allowed_ips: [10.1.0.0/16]'],
  ['host: a.example.com', 'missing_port'],
  ['host: a.example.com, port: 0', 'out_of_range port'],
  ['host: a.example.com, port: 65536', 'out_of_range port'],
  ['host: a.example.com, ports: []', 'empty_list ports'],
  ['host: a.example.com, port: 1, ports: [2]', 'port_and_ports port'],
  ['host: "*", port: 443', 'tld_wildcard host'],
  ['host: "*.com", port: 443', 'tld_wildcard host'],
  ['host: "**.com", port: 443', 'tld_wildcard host'],
  ['host: "a.**.example.com", port: 443', 'bad_host_wildcard host'],
  ['host: "*.s3.*.example.com", port: 443'],
  ['host: "*-x.example.com", port: 443'],
  ['host: "a b", port: 443', 'bad_host host'],
  ['host: "127.1", port: 443', 'bad_host host'],
  ['host: "https://a.example.com", port: 443', 'bad_host host'],
]);

table('allowed_ips', [
  [`${HOST}, allowed_ips: [10.1.0.0/16, "fd12::/32", 8.8.8.8]`],
  [`${HOST}, allowed_ips: [10.1.0.0/33]`, 'bad_address_block allowed_ips[0]'],
  [`${HOST}, allowed_ips: [db.example.com]`, 'bad_address_block allowed_ips[0]'],
  [`${HOST}, allowed_ips: [10.1.0.0/16, 127.0.0.0/8]`, 'forbidden_address_block allowed_ips[1]'],
  [`${HOST}, allowed_ips: [0.0.0.0/0]`, 'forbidden_address_block allowed_ips[0]'],
  [`${HOST}, allowed_ips: ["::/0"]`, 'forbidden_address_block allowed_ips[0]'],
  [`${HOST}, allowed_ips: ["::ffff:10.0.0.0/104"]`, 'forbidden_address_block allowed_ips[0]'],
  [`${HOST}, allowed_ips: [169.254.169.254]`, 'forbidden_address_block allowed_ips[0]'],
]);

table('protocol tcp', [
  [`${HOST}, protocol: tcp`],
  [`${HOST}, protocol: TCP`],
  ['host: "*.example.com", port: 5432, protocol: tcp'],
  ['host: "10.0.0.1", port: 5432, protocol: tcp', 'tcp_address host'],
  ['host: a.example.com., port: 5432, protocol: tcp', 'tcp_host host'],
  ['port: 5432, protocol: tcp, allowed_ips: [10.1.0.0/16]', 'missing_host'],
  [`${HOST}, protocol: tcp, access: full`, 'field_not_for_protocol access'],
  [`${HOST}, protocol: tcp, rules: [{ allow: { method: GET, path: / } }]`, 'field_not_for_protocol rules'],
  [`${HOST}, protocol: tcp, path: /a`, 'field_not_for_protocol path'],
  [
    `${HOST}, protocol: tcp, credential_signing: sigv4, signing_service: s3`,
    'field_not_for_protocol credential_signing',
    'field_not_for_protocol signing_service',
  ],
]);

table('inspection', [
  [`${REST}, access: read-only`],
  [`${REST}, rules: [{ allow: { method: get, path: "/a/**", query: { q: "x*" } } }]`],
  [`${HOST}, protocol: soap`, 'not_allowed_value protocol'],
  [`${REST}`, 'nothing_allowed'],
  [`${REST}, rules: []`, 'empty_list rules'],
  [`${REST}, access: full, deny_rules: []`, 'empty_list deny_rules'],
  [`${REST}, access: admin`, 'not_allowed_value access'],
  [`${REST}, access: full, rules: [{ allow: { method: GET, path: / } }]`, 'access_and_rules access'],
  [`${REST}, deny_rules: [{ method: GET, path: / }]`, 'nothing_allowed'],
  [`${HOST}, deny_rules: [{ method: GET, path: / }]`, 'field_not_for_protocol deny_rules'],
  [`${HOST}, access: full`, 'field_not_for_protocol access'],
  [`${HOST}, path: "/repos/**"`],
  [`${REST}, access: full, path: repos`, 'bad_path_pattern path'],
  [`${REST}, access: full, path: "/{a"`, 'bad_glob path'],
  [`${REST}, access: full, tls: skip`, 'skip_with_inspection tls'],
  [`${HOST}, tls: skip`],
  [`${HOST}, tls: off`, 'not_allowed_value tls'],
  [`${HOST}, enforcement: block`, 'not_allowed_value enforcement'],
  [`${REST}, rules: [{}]`, 'missing_field rules[0].allow'],
  [
    `${REST}, rules: [{ allow: {} }]`,
    'empty_rule rules[0].allow',
    'incomplete_rule rules[0].allow',
    'incomplete_rule rules[0].allow',
  ],
  [`${REST}, rules: [{ allow: { method: GET } }]`, 'incomplete_rule rules[0].allow'],
  [`${REST}, rules: [{ allow: { path: / } }]`, 'incomplete_rule rules[0].allow'],
  [`${REST}, rules: [{ allow: { method: GTE, path: / } }]`, 'unknown_method rules[0].allow.method'],
  [`${REST}, rules: [{ allow: { method: GET, path: a } }]`, 'bad_path_pattern rules[0].allow.path'],
  [
    `${REST}, rules: [{ allow: { method: GET, path: / , query: { q: "[" } } }]`,
    'bad_glob rules[0].allow.query.q',
  ],
  [
    `${REST}, rules: [{ allow: { method: GET, path: / , query: { q: { some: [a] } } } }]`,
    'wrong_type rules[0].allow.query.q',
  ],
  [
    `${REST}, rules: [{ allow: { method: GET, path: / , query: { q: { any: [] } } } }]`,
    'empty_list rules[0].allow.query.q.any',
  ],
  [
    `${REST}, rules: [{ allow: { method: GET, path: /, command: SELECT } }]`,
    'field_not_for_protocol rules[0].allow.command',
  ],
  [
    `${REST}, rules: [{ allow: { method: GET, path: /, operation_type: query } }]`,
    'field_not_for_protocol rules[0].allow.operation_type',
  ],
  [
    `${REST}, access: full, deny_rules: [{ method: GET, path: /, tool: x }]`,
    'field_not_for_protocol deny_rules[0].tool',
  ],
  [
    `${REST}, access: full, websocket_credential_rewrite: true, request_body_credential_rewrite: true, allow_encoded_slash: true`,
  ],
  [
    `${HOST}, request_body_credential_rewrite: true`,
    'field_not_for_protocol request_body_credential_rewrite',
  ],
  [`${HOST}, request_body_credential_rewrite: false, access: ""`, 'not_allowed_value access'],
  [`${HOST}, request_body_credential_rewrite: false`],
  [`${REST}, access: full, persisted_queries: deny`, 'field_not_for_protocol persisted_queries'],
  [`${REST}, access: full, mcp: {}`, 'field_not_for_protocol mcp'],
  [`${REST}, access: full, json_rpc: {}`, 'field_not_for_protocol json_rpc'],
  [`${HOST}, protocol: sql, access: read-only, enforcement: enforce`],
  [`${HOST}, protocol: sql, enforcement: enforce, rules: [{ allow: { command: select } }]`],
]);

table('GraphQL and WebSocket', [
  [`${GRAPHQL}, access: read-only`],
  [`${GRAPHQL}, rules: [{ allow: { operation_type: "*" } }]`],
  [
    `${GRAPHQL}, rules: [{ allow: { operation_type: querys } }]`,
    'not_allowed_value rules[0].allow.operation_type',
  ],
  [
    `${GRAPHQL}, rules: [{ allow: { operation_type: query, fields: [] } }]`,
    'empty_list rules[0].allow.fields',
  ],
  [
    `${GRAPHQL}, rules: [{ allow: { method: GET, path: / } }]`,
    'field_not_for_protocol rules[0].allow.method',
    'field_not_for_protocol rules[0].allow.path',
  ],
  [`${GRAPHQL}, access: full, graphql_max_body_bytes: 0`, 'out_of_range graphql_max_body_bytes'],
  [`${GRAPHQL}, access: full, persisted_queries: allow`, 'not_allowed_value persisted_queries'],
  [`${SOCKET}, rules: [{ allow: { method: GET, path: / } }, { allow: { method: WEBSOCKET_TEXT, path: / } }]`],
  [`${SOCKET}, rules: [{ allow: { method: GET, path: / } }, { allow: { operation_type: query } }]`],
  [`${SOCKET}, rules: [{ allow: { method: POST, path: / } }]`, 'unknown_method rules[0].allow.method'],
  [
    `${SOCKET}, rules: [{ allow: { method: GET, path: /, operation_type: query } }]`,
    'mixed_rule rules[0].allow',
  ],
  [
    `${SOCKET}, rules: [{ allow: { method: WEBSOCKET_TEXT, path: / } }, { allow: { operation_type: query } }]`,
    'websocket_text_with_graphql',
  ],
]);

table('JSON-RPC and MCP', [
  [`${RPC}, rules: [{ allow: { method: a.b } }, { allow: { method: "*" } }]`],
  [`${RPC}`, 'nothing_allowed'],
  [`${RPC}, access: full`, 'nothing_allowed', 'preset_not_for_protocol access'],
  [`${RPC}, rules: [{ allow: { method: "a.*" } }]`, 'method_pattern rules[0].allow.method'],
  [
    `${RPC}, rules: [{ allow: { path: / } }]`,
    'incomplete_rule rules[0].allow',
    'field_not_for_protocol rules[0].allow.path',
  ],
  [
    `${RPC}, rules: [{ allow: { method: a } }], json_rpc: { max_body_bytes: 0 }`,
    'out_of_range json_rpc.max_body_bytes',
  ],
  [`${MCP}, mcp: { allow_all_known_mcp_methods: true }`],
  [`${MCP}, mcp: { allow_all_known_mcp_methods: true }, deny_rules: [{ tool: x }]`],
  [`${MCP}`, 'nothing_allowed'],
  [`${MCP}, access: full`, 'nothing_allowed', 'preset_not_for_protocol access'],
  [`${MCP}, rules: [{ allow: { method: "tools/*" } }]`],
  [`${MCP}, rules: [{ allow: { method: "resources/*" } }]`, 'method_pattern rules[0].allow.method'],
  [`${MCP}, rules: [{ allow: { method: "tools/{a" } }]`, 'method_pattern rules[0].allow.method'],
  [
    `${MCP}, rules: [{ allow: { tool: x } }]`,
    'incomplete_rule rules[0].allow',
    'tool_without_call rules[0].allow',
  ],
  [`${MCP}, rules: [{ allow: { method: tools/list, tool: x } }]`, 'tool_without_call rules[0].allow'],
  [
    `${MCP}, rules: [{ allow: { method: tools/call, tool: x, params: { name: x } } }]`,
    'tool_twice rules[0].allow.params',
  ],
  [
    `${MCP}, rules: [{ allow: { method: tools/call, params: { name: x, arguments: { path: { any: [x] } } } } }]`,
  ],
  [`${MCP}, rules: [{ allow: { method: prompts/get, params: { name: x } } }]`],
  [
    `${MCP}, rules: [{ allow: { method: tools/call, params: { a: 5, b: [x], c: {}, d: { any: [] } } } }]`,
    'wrong_type rules[0].allow.params.a',
    'wrong_type rules[0].allow.params.b',
    'wrong_type rules[0].allow.params.c',
    'wrong_type rules[0].allow.params.d',
  ],
  [
    `${MCP}, rules: [{ allow: { method: tools/call, params: { a.b: x, a: { b: x } } } }]`,
    'duplicate_parameter rules[0].allow.params.a.b',
  ],
  [
    `${MCP}, rules: [{ allow: { method: tools/call, params: { a: "[" } } }]`,
    'bad_glob rules[0].allow.params.a',
  ],
  [
    `${MCP}, mcp: { strict_tool_names: false }, rules: [{ allow: { method: tools/call, params: { name: "x*" } } }]`,
    'wildcard_tool rules[0].allow.tool',
  ],
  [
    `${MCP}, rules: [{ allow: { method: tools/call, tool: x } }], deny_rules: [{ method: tools/call, params: { arguments.path: "/etc/**" } }]`,
  ],
  [
    `${MCP}, mcp: { strict_tool_names: false }, rules: [{ allow: { method: tools/call, tool: "x*" } }]`,
    'wildcard_tool rules[0].allow.tool',
  ],
  [
    `${MCP}, rules: [{ allow: { method: tools/call, tool: x } }, { allow: { method: "tools/*" } }]`,
    'broad_tool_rule rules[1]',
  ],
  [
    `${MCP}, rules: [{ allow: { method: tools/call, tool: x } }], deny_rules: [{ method: tools/call }]`,
    'broad_tool_rule deny_rules[0]',
  ],
  [
    'port: 443, protocol: mcp, enforcement: enforce, allowed_ips: [10.1.0.0/16], mcp: { allow_all_known_mcp_methods: true }',
    'missing_host',
  ],
]);

table('SQL', [
  [`${SQL}, rules: [{ allow: { command: "create *", tables: [users, "public.*"] } }]`],
  [`${SQL}, rules: [{ allow: { command: "*" } }], deny_rules: [{ command: "*", tables: [secrets] }]`],
  [`${SQL}, rules: [{ allow: { tables: [a] } }]`, 'incomplete_rule rules[0].allow'],
  [`${SQL}, rules: [{ allow: { command: "[" } }]`, 'bad_glob rules[0].allow.command'],
  [`${SQL}, rules: [{ allow: { command: "*", tables: ["["] } }]`, 'bad_glob rules[0].allow.tables[0]'],
  ...['{public.a,audit.b}', 'a[.]b', 'a\\\\.b'].map(
    (table) =>
      [
        `${SQL}, rules: [{ allow: { command: "*", tables: ["${table}"] } }]`,
        'table_pattern rules[0].allow.tables[0]',
      ] as const,
  ),
  [`${SQL}, access: full, rules: [{ allow: { command: "*" } }]`, 'access_and_rules access'],
  [`${SQL}, path: /a, access: full`, 'field_not_for_protocol path'],
  [
    `${REST}, rules: [{ allow: { method: GET, path: /, tables: [a] } }]`,
    'field_not_for_protocol rules[0].allow.tables',
  ],
]);

table('what the server sends', [
  [
    `${RPC}, rules: [{ allow: { method: a } }], deny_rules: [{ method: b, from: server, params: { name: x } }]`,
  ],
  [
    `${MCP}, rules: [{ allow: { method: initialize, from: client } }, { allow: { method: ping, from: server } }]`,
  ],
  [
    `${SOCKET}, rules: [{ allow: { method: GET, path: / } }, { allow: { method: websocket_binary, path: /, from: server } }]`,
  ],
  [
    `${SOCKET}, rules: [{ allow: { operation_type: query } }, { allow: { method: WEBSOCKET_TEXT, path: /, from: server } }]`,
  ],
  [
    `${SOCKET}, rules: [{ allow: { method: GET, path: /, from: server } }]`,
    'unknown_method rules[0].allow.method',
  ],
  [
    `${SOCKET}, rules: [{ allow: { operation_type: query, from: server } }]`,
    'operation_from_server rules[0].allow.from',
  ],
  [
    `${REST}, rules: [{ allow: { method: GET, path: /, from: server } }]`,
    'field_not_for_protocol rules[0].allow.from',
  ],
  [`${MCP}, rules: [{ allow: { method: ping, from: proxy } }]`, 'not_allowed_value rules[0].allow.from'],
]);

table('credentials', [
  [`${REST}, access: full, credential_signing: "sigv4:body", signing_service: s3`],
  [`${REST}, access: full, credential_signing: sigv4`, 'missing_signing_service'],
  [
    `${REST}, access: full, credential_signing: hmac, signing_service: s3`,
    'not_allowed_value credential_signing',
  ],
  [`${REST}, access: full, signing_service: s3`, 'field_not_used signing_service'],
  [
    `${REST}, access: full, credential_signing: sigv4, signing_service: s3, request_body_credential_rewrite: true`,
    'signing_with_body_rewrite request_body_credential_rewrite',
  ],
  [`${HOST}, tls: skip, credential_signing: sigv4, signing_service: s3`, 'skip_with_inspection tls'],
  [`${HOST}, credential_binding: { provider: x }`],
  [`${HOST}, credential_binding: {}`, 'missing_field credential_binding.provider'],
]);

describe('the static part', () => {
  const CASES: readonly (readonly [text: string, ...problems: string[]])[] = [
    ['filesystem_policy: { read_only: [/], read_write: [/a] }'],
    ['filesystem_policy: { read_write: [/] }', 'overly_broad_path filesystem_policy.read_write[0]'],
    ['filesystem_policy: { read_write: [///] }', 'overly_broad_path filesystem_policy.read_write[0]'],
    ['filesystem_policy: { read_write: [/.] }', 'overly_broad_path filesystem_policy.read_write[0]'],
    ['filesystem_policy: { read_only: [usr] }', 'relative_path filesystem_policy.read_only[0]'],
    ['filesystem_policy: { read_only: [/a/../b] }', 'path_traversal filesystem_policy.read_only[0]'],
    ['filesystem_policy: { read_only: [/a..b] }'],
    [
      `filesystem_policy: { read_only: [${'/a, '.repeat(200)}/a], read_write: [${'/b, '.repeat(60)}/b] }`,
      'too_many filesystem_policy',
    ],
    ['process: { run_as_user: sandbox, run_as_group: "4294967294" }'],
    ['process: { run_as_user: "", run_as_group: "1" }'],
    ['process: { run_as_user: root }', 'bad_process_identity process.run_as_user'],
    ['process: { run_as_user: "0" }', 'bad_process_identity process.run_as_user'],
    ['process: { run_as_group: "4294967295" }', 'bad_process_identity process.run_as_group'],
    ['process: { run_as_group: "-1" }', 'bad_process_identity process.run_as_group'],
  ];
  for (const [text, ...expected] of CASES) {
    test(`${text.slice(0, 70)} ${expected.length ? 'is refused' : 'is accepted'}`, () =>
      assert.deepEqual(problems(`version: 1\n${text}`), expected));
  }
});

describe('binaries', () => {
  const binaries = (path: string) =>
    problems(`version: 1\nnetwork_policies: { a: { binaries: [{ path: ${path} }] } }`);
  test('are absolute paths or patterns', () => {
    assert.deepEqual(binaries('"/opt/**/bin/*"'), []);
    assert.deepEqual(binaries('"/**"'), []);
    assert.deepEqual(binaries('curl'), ['bad_path_pattern network_policies.a.binaries[0].path']);
    assert.deepEqual(binaries('"/opt/[a"'), ['bad_glob network_policies.a.binaries[0].path']);
  });
});

describe('middlewares', () => {
  const middlewares = (...entries: readonly string[]) =>
    problems(`version: 1\nnetwork_middlewares: { ${entries.join(', ')} }`);
  const entry = (key: string, fields: string) => `${key}: { middleware: openshell/regex, ${fields} }`;
  const AT = 'network_middlewares';

  const CASES: readonly (readonly [name: string, entries: readonly string[], ...problems: string[]])[] = [
    [
      'several with orders of their own',
      [entry('m', 'endpoints: { include: ["**"] }'), entry('n', 'order: 1, endpoints: { include: [a.com] }')],
    ],
    ['no name', ['m: { endpoints: { include: [a.com] } }'], `missing_field ${AT}.m.middleware`],
    ['no selector', [entry('m', 'order: 1')], `missing_field ${AT}.m.endpoints`],
    ['an empty selector', [entry('m', 'endpoints: { include: [] }')], `empty_list ${AT}.m.endpoints.include`],
    [
      'braces',
      [entry('m', 'endpoints: { include: ["{a,b}.com"] }')],
      `bad_host ${AT}.m.endpoints.include[0]`,
    ],
    [
      'an empty label',
      [entry('m', 'endpoints: { include: ["*..com"] }')],
      `bad_host_wildcard ${AT}.m.endpoints.include[0]`,
    ],
    [
      'one order for two',
      [entry('m', 'endpoints: { include: [a.com] }'), entry('n', 'endpoints: { include: [a.com] }')],
      `duplicate_order ${AT}.n.order`,
    ],
    [
      'an unknown on_error',
      [entry('m', 'on_error: open, endpoints: { include: [a.com] }')],
      `not_allowed_value ${AT}.m.on_error`,
    ],
  ];
  for (const [name, entries, ...expected] of CASES)
    test(name, () => assert.deepEqual(middlewares(...entries), expected));

  test('more patterns or middlewares than the limit are refused', () => {
    const hosts = Array.from({ length: 20 }, (_, index) => `h${index}.com`).join(', ');
    const others = hosts.replaceAll('h', 'g');
    assert.deepEqual(middlewares(entry('m', `endpoints: { include: [${hosts}], exclude: [${others}] }`)), [
      `too_many ${AT}.m.endpoints`,
    ]);
    const many = Array.from({ length: 11 }, (_, index) =>
      entry(`m${index}`, `order: ${index}, endpoints: { include: [a.com] }`),
    );
    assert.deepEqual(middlewares(...many), [`too_many ${AT}`]);
  });

  test('one that must see everything does not go with TLS that is never opened', () => {
    const policy = (selector: string, rest = '') =>
      `${endpoints('host: "a.example.com", port: 443, tls: skip')}\nnetwork_middlewares: { ${entry('m', `${rest}endpoints: { ${selector} }`)} }`;
    assert.deepEqual(problems(policy('include: ["*.example.com"]')), [
      `middleware_tls_skip ${AT}.m.endpoints`,
    ]);
    assert.deepEqual(problems(policy('include: ["*.example.com"], exclude: [a.example.com]')), []);
    assert.deepEqual(problems(policy('include: ["*.example.org"]')), []);
    assert.deepEqual(problems(policy('include: ["*.example.com"]', 'on_error: fail_open, ')), []);
  });
});

describe('ambiguity', () => {
  const CASES: readonly (readonly [name: string, ambiguous: boolean, ...endpoints: string[]])[] = [
    ['the same endpoint twice', false, HOST, HOST],
    ['tls', true, HOST, `${HOST}, tls: skip`],
    ['tls on other ports', false, HOST, 'host: a.example.com, port: 444, tls: skip'],
    ['tls on one of several ports', true, HOST, 'host: a.example.com, ports: [444, 443], tls: skip'],
    ['tls on other hosts', false, HOST, 'host: b.example.com, port: 443, tls: skip'],
    ['protocol tcp', true, HOST, `${HOST}, protocol: tcp`],
    ['allowed_ips', true, HOST, `${HOST}, allowed_ips: [10.1.0.0/16]`],
    [
      'allowed_ips in another order',
      false,
      `${HOST}, allowed_ips: [10.1.0.0/16, 10.2.0.0/16]`,
      `${HOST}, allowed_ips: [10.2.0.0/16, 10.1.0.0/16]`,
    ],
    ['tls of a wildcard over a name', true, HOST, 'host: "*.example.com", port: 443, tls: skip'],
    [
      'tls of two wildcards',
      true,
      'host: "a-*.example.com", port: 443',
      'host: "*-b.example.com", port: 443, tls: skip',
    ],
    [
      'tls of wildcards that exclude each other',
      false,
      'host: "a-*.example.com", port: 443',
      'host: "b-*.example.com", port: 443, tls: skip',
    ],
    ['allowed_ips of any host', true, HOST, 'port: 443, allowed_ips: [10.1.0.0/16]'],
    ['any host on another port', false, HOST, 'port: 444, allowed_ips: [10.1.0.0/16]'],
    ['rules only', false, `${REST}, access: full`, `${REST}, rules: [{ allow: { method: GET, path: / } }]`],
    [
      'enforcement',
      true,
      `${REST}, access: full`,
      `${HOST}, protocol: rest, access: full, enforcement: audit`,
    ],
    ['protocols on the same paths', true, `${REST}, access: full`, `${GRAPHQL}, access: full`],
    [
      'protocols on other paths',
      false,
      `${REST}, access: full, path: "/a/**"`,
      `${GRAPHQL}, access: full, path: "/b/**"`,
    ],
    [
      'protocols on overlapping paths of the same weight',
      true,
      `${REST}, access: full, path: "/a/*"`,
      `${GRAPHQL}, access: full, path: "/*/a"`,
    ],
    [
      'protocols on overlapping paths of different weight',
      false,
      `${REST}, access: full, path: "/**"`,
      `${GRAPHQL}, access: full, path: /graphql`,
    ],
    ['body limits', true, `${GRAPHQL}, access: full`, `${GRAPHQL}, access: full, graphql_max_body_bytes: 1`],
    [
      'credentials',
      true,
      `${REST}, access: full`,
      `${REST}, access: full, credential_binding: { provider: x }`,
    ],
    [
      'inspection of a wildcard',
      true,
      `${REST}, access: full`,
      'host: "**.example.com", port: 443, protocol: rest, access: full, enforcement: audit',
    ],
    ['no inspection beside inspection', false, HOST, `${REST}, access: full`],
    [
      'a database and an API',
      true,
      `${HOST}, protocol: sql, access: full`,
      `${HOST}, path: /a, protocol: rest, access: full`,
    ],
    ['a database for some and not inspected for others', false, `${HOST}, protocol: sql, access: full`, HOST],
    [
      'known MCP methods for some only',
      false,
      `${MCP}, mcp: { allow_all_known_mcp_methods: true }`,
      `${MCP}, rules: [{ allow: { method: ping } }]`,
    ],
  ];
  for (const [name, ambiguous, ...list] of CASES) {
    test(`${name}: ${ambiguous ? 'refused' : 'accepted'}, whichever comes first`, () => {
      const expected = ambiguous ? ['ambiguous_endpoints network_policies.a.endpoints[1]'] : [];
      assert.deepEqual(problems(endpoints(...list)), expected);
      assert.deepEqual(problems(endpoints(...list.toReversed())), expected);
    });
  }

  test('both places and the difference are named', () => {
    const result = parsePolicy(endpoints(HOST, `${HOST}, tls: skip`));
    assert.ok(!result.ok);
    assert.match(result.problems[0]!.message, /network_policies\.a\.endpoints\[0\].*disagree on tls\./);
  });

  test('is found across policies', () => {
    const text = `version: 1\nnetwork_policies:\n  a: { endpoints: [{ ${HOST} }], binaries: [{ path: /x }] }\n  b: { endpoints: [{ ${HOST}, tls: skip }], binaries: [{ path: /y }] }`;
    assert.deepEqual(problems(text), ['ambiguous_endpoints network_policies.b.endpoints[0]']);
  });
});

describe('limits', () => {
  test('wildcard endpoints', () => {
    const list = Array.from(
      { length: POLICY_LIMITS.wildcardEndpoints + 1 },
      (_, index) => `host: "*.h${index}.example.com", port: 1`,
    );
    assert.deepEqual(problems(endpoints(...list)), ['too_many network_policies']);
  });

  test('inspected endpoints of one host and port', () => {
    const list = Array.from(
      { length: POLICY_LIMITS.inspectedEndpointsPerHost + 1 },
      (_, index) => `${REST}, access: full, path: /p${index}`,
    );
    assert.deepEqual(problems(endpoints(...list)), [
      `too_many network_policies.a.endpoints[${POLICY_LIMITS.inspectedEndpointsPerHost}]`,
    ]);
  });

  test('ports of one endpoint', () => {
    assert.deepEqual(problems(endpoints(`host: a.com, ports: [${'1, '.repeat(POLICY_LIMITS.ports)}1]`)), [
      'too_many ports',
    ]);
  });
});
