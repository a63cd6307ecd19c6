import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import type { RequestDecision, RequestFacts } from '../../request.ts';
import { clientFacts, graphqlFacts, rpcFacts, sqlFacts } from '../../testing/facts.ts';
import { intentFor, policyFrom } from '../../testing/policies.ts';
import { compilePolicy } from '../compile.ts';

const engineOf = (endpoints: readonly string[], more = '') =>
  compilePolicy(
    policyFrom(`
version: 1
network_policies:
  p:
    binaries: [{ path: /usr/bin/curl }]
    endpoints:
${endpoints.map((endpoint) => `      - { host: a.example.com, port: 443, ${endpoint.replaceAll(/\s*\n\s*/g, ' ')} }`).join('\n')}
${more}`),
    generation(3),
  );

const INTENT = intentFor('a.example.com', 443, '/usr/bin/curl');

/** `allow` and `audit` with the place that decided, `deny` with its code. */
function shown(decision: RequestDecision): string {
  const place = (rule: string | undefined) =>
    (rule ?? '').replace('network_policies.p.endpoints', '').replace(/^\[0\]\.?/, '');
  return decision.action === 'deny'
    ? `${decision.code.replace('request_', '')} ${place(decision.rule)}`.trim()
    : `${decision.action} ${place(decision.rule)}`.trim();
}

type Row = readonly [facts: RequestFacts, answer: string];

function table(name: string, endpoints: readonly string[], rows: readonly Row[]): void {
  describe(name, () => {
    const engine = engineOf(endpoints);
    for (const [facts, answer] of rows) {
      test(`${JSON.stringify([facts.from, facts.method, facts.path, facts.query, facts.content])}: ${answer}`, () =>
        assert.equal(shown(engine.authorizeRequest(INTENT, facts)), answer));
    }
  });
}

const http = (line: string, from?: 'server') => clientFacts(line, { kind: 'http' }, from);
const REST = 'protocol: rest, enforcement: enforce';

table(
  'a rest preset',
  [`${REST}, access: read-only`],
  [
    [http('GET /x'), 'allow access'],
    [http('HEAD /x'), 'allow access'],
    [http('OPTIONS *'), 'allow access'],
    [http('POST /x'), 'not_allowed'],
    [http('GET /x', 'server'), 'not_allowed'],
    [clientFacts('GET /x', { kind: 'message' }), 'not_allowed'],
  ],
);
table(
  'the wider rest preset',
  [`${REST}, access: read-write`],
  [
    [http('PATCH /x'), 'allow access'],
    [http('DELETE /x'), 'not_allowed'],
    [http('PROPFIND /x'), 'not_allowed'],
  ],
);
table('the widest rest preset', [`${REST}, access: full`], [[http('DELETE /x'), 'allow access']]);

table(
  'rest rules',
  [
    `${REST}, rules: [
      { allow: { method: GET, path: "/repos/*" } }, { allow: { method: "*", path: "/any/**" } },
      { allow: { method: POST, path: /form, query: { kind: "v*", other: { any: [a, b] } } } } ],
    deny_rules: [{ method: GET, path: /repos/secret }, { method: "*", path: "/any/**", query: { force: "t*" } }]`,
  ],
  [
    [http('GET /repos/a'), 'allow rules[0]'],
    [http('HEAD /repos/a'), 'allow rules[0]'],
    [http('GET /repos/a/b'), 'not_allowed'],
    [http('GET /repos'), 'not_allowed'],
    [http('POST /repos/a'), 'not_allowed'],
    [http('GET /repos/secret'), 'denied deny_rules[0]'],
    [http('HEAD /repos/secret'), 'denied deny_rules[0]'],
    [http('DELETE /any/x'), 'allow rules[1]'],
    [http('DELETE /any/x?force=true'), 'denied deny_rules[1]'],
    [http('DELETE /any/x?force=no&force=true'), 'denied deny_rules[1]'],
    [http('DELETE /any/x?force=no'), 'allow rules[1]'],
    [http('POST /form?kind=v1&other=b&unlisted=1'), 'allow rules[2]'],
    [http('POST /form?kind=v1'), 'not_allowed'],
    [http('POST /form?kind=v1&kind=w&other=a'), 'not_allowed'],
  ],
);

table(
  'audit',
  ['protocol: rest, enforcement: audit, access: read-only, deny_rules: [{ method: GET, path: /no }]'],
  [
    [http('GET /x'), 'allow access'],
    [http('POST /x'), 'audit'],
    [http('GET /no'), 'audit deny_rules[0]'],
    [clientFacts('POST /x', { kind: 'malformed', reason: 'broken' }), 'malformed'],
  ],
);

table(
  'endpoints with paths',
  [
    `path: "/a/**", ${REST}, access: full`,
    `path: /a/inner, ${REST}, rules: [{ allow: { method: GET, path: /a/inner } }], deny_rules: [{ method: PUT, path: "**" }]`,
    `path: /a/watched, protocol: rest, enforcement: audit, rules: [{ allow: { method: GET, path: /never } }], deny_rules: [{ method: PUT, path: "**" }]`,
  ],
  [
    [http('POST /a/inner'), 'allow access'],
    [http('PUT /a/inner'), 'denied [1].deny_rules[0]'],
    [http('PUT /a/watched'), 'audit [2].deny_rules[0]'],
    [http('PUT /a/other'), 'allow access'],
    [http('GET /b'), 'not_allowed'],
  ],
);

const GRAPHQL = 'protocol: graphql, enforcement: enforce';
table(
  'GraphQL rules',
  [
    `path: /graphql, ${GRAPHQL}, rules: [
      { allow: { operation_type: query, fields: [me, "project*"] } },
      { allow: { operation_type: mutation, operation_name: "Issue*", fields: [openIssue] } },
      { allow: { operation_name: Everything } } ],
    deny_rules: [{ fields: [projectSecrets] }, { operation_type: subscription }]`,
    `${REST}, access: full`,
  ],
  [
    [graphqlFacts('POST', ['query', undefined, ['me', 'projects']]), 'allow rules[0]'],
    [graphqlFacts('GET', ['query', undefined, ['me']]), 'allow rules[0]'],
    [graphqlFacts('GET', ['mutation', 'IssueX', ['openIssue']]), 'not_allowed'],
    [graphqlFacts('PUT', ['query', undefined, ['me']]), 'not_allowed'],
    [graphqlFacts('POST', ['query', undefined, ['me', 'other']]), 'not_allowed'],
    [graphqlFacts('POST', ['query', undefined, []]), 'not_allowed'],
    [graphqlFacts('POST', ['mutation', 'IssueX', ['openIssue']]), 'allow rules[1]'],
    [graphqlFacts('POST', ['mutation', undefined, ['openIssue']]), 'not_allowed'],
    [graphqlFacts('POST', ['query', undefined, ['me', 'projectSecrets']]), 'denied deny_rules[0]'],
    [graphqlFacts('POST', ['subscription', 'Everything', ['x']]), 'denied deny_rules[1]'],
    [graphqlFacts('POST', ['query', undefined, ['me']], ['query', undefined, ['x']]), 'not_allowed'],
    [
      graphqlFacts('POST', ['query', undefined, ['x']], ['query', undefined, ['projectSecrets']]),
      'denied deny_rules[0]',
    ],
    [graphqlFacts('POST'), 'not_allowed'],
    [http('POST /graphql'), 'not_allowed'],
    [http('DELETE /other'), 'allow [1].access'],
  ],
);
table(
  'GraphQL presets',
  [`${GRAPHQL}, access: read-write`],
  [
    [graphqlFacts('POST', ['mutation', 'X', ['x']]), 'allow access'],
    [graphqlFacts('POST', ['subscription', 'X', ['x']]), 'not_allowed'],
  ],
);

const MCP = 'path: /mcp, protocol: mcp, enforcement: enforce';
table(
  'MCP rules',
  [
    `${MCP}, rules: [
      { allow: { method: initialize } }, { allow: { method: tools/list } },
      { allow: { method: tools/call, tool: { any: [search, "list_*"] } } },
      { allow: { method: tools/call, params: { name: read, arguments: { path: "/work/**" } } } },
      { allow: { method: vendor/special } } ],
    deny_rules: [{ method: tools/call, tool: "*_all" }, { method: tools/call, params: { arguments.path: "*..*" } }]`,
    `${REST}, access: full`,
  ],
  [
    [rpcFacts({ method: 'initialize' }), 'allow rules[0]'],
    [rpcFacts({ method: 'tools/list' }), 'allow rules[1]'],
    [rpcFacts({ method: 'tools/call', tool: 'search' }), 'allow rules[2]'],
    [rpcFacts({ method: 'tools/call', tool: 'list_a.b' }), 'allow rules[2]'],
    [rpcFacts({ method: 'tools/call', tool: 'list_x_all' }), 'denied deny_rules[0]'],
    [rpcFacts({ method: 'tools/call', tool: 'list_x.y_all' }), 'denied deny_rules[0]'],
    [rpcFacts({ method: 'tools/call', tool: 'other' }), 'not_allowed'],
    [rpcFacts({ method: 'tools/call' }), 'malformed'],
    [rpcFacts({ method: 'tools/call', tool: 'a b' }), 'malformed'],
    [
      rpcFacts({ method: 'tools/call', tool: 'read', params: [['arguments.path', '/work/a']] }),
      'allow rules[3]',
    ],
    [rpcFacts({ method: 'tools/call', tool: 'read', params: [['arguments.path', '/etc/a']] }), 'not_allowed'],
    [rpcFacts({ method: 'tools/call', tool: 'read' }), 'not_allowed'],
    [
      rpcFacts({
        method: 'tools/call',
        tool: 'read',
        params: [
          ['arguments.path', '/work/a'],
          ['arguments.path', '/etc/a'],
        ],
      }),
      'not_allowed',
    ],
    [
      rpcFacts({ method: 'tools/call', tool: 'read', params: [['arguments.path', '/work/../etc']] }),
      'denied deny_rules[1]',
    ],
    [rpcFacts({ method: 'vendor/special' }), 'allow rules[4]'],
    [rpcFacts({ method: 'vendor/other' }), 'not_allowed'],
    [rpcFacts({ kind: 'response', method: '' }), 'allow'],
    [rpcFacts({ method: 'tools/list' }, { method: 'tools/call', tool: 'run' }), 'not_allowed'],
    [rpcFacts({ method: 'tools/list' }, { method: 'tools/call', tool: 'x_all' }), 'denied deny_rules[0]'],
    [{ ...rpcFacts(), method: 'GET', content: { kind: 'rpc', messages: [], receiveStream: true } }, 'allow'],
    [{ ...rpcFacts(), method: 'GET' }, 'not_allowed'],
    [{ ...rpcFacts(), method: 'DELETE' }, 'allow'],
    [{ ...rpcFacts(), method: 'PUT' }, 'not_allowed'],
    [{ ...rpcFacts({ method: 'tools/list' }), method: 'PUT' }, 'not_allowed'],
    [http('POST /mcp'), 'not_allowed'],
    [http('PUT /else'), 'allow [1].access'],
    [{ ...rpcFacts({ method: 'sampling/createMessage' }), from: 'server' }, 'allow'],
  ],
);
table(
  'all known MCP methods',
  [`${MCP}, mcp: { allow_all_known_mcp_methods: true }`],
  [
    [rpcFacts({ method: 'tools/call', tool: 'x' }), 'allow mcp.allow_all_known_mcp_methods'],
    [rpcFacts({ method: 'resources/templates/list' }), 'allow mcp.allow_all_known_mcp_methods'],
    [rpcFacts({ method: 'tools/execute' }), 'not_allowed'],
    [{ ...rpcFacts(), method: 'DELETE' }, 'allow'],
  ],
);
table(
  'all known MCP methods beside rules about tools',
  [`${MCP}, mcp: { allow_all_known_mcp_methods: true }, rules: [{ allow: { tool: search } }]`],
  [
    [rpcFacts({ method: 'tools/call', tool: 'search' }), 'allow rules[0]'],
    [rpcFacts({ method: 'tools/call', tool: 'x' }), 'not_allowed'],
    [rpcFacts({ method: 'tools/list' }), 'allow mcp.allow_all_known_mcp_methods'],
  ],
);
table(
  'every MCP method',
  [`${MCP}, rules: [{ allow: { method: "*" } }]`],
  [
    [rpcFacts({ method: 'ping' }), 'allow rules[0]'],
    [rpcFacts({ method: 'vendor/x' }), 'not_allowed'],
  ],
);
table(
  'loose tool names',
  [`${MCP}, mcp: { strict_tool_names: false }, rules: [{ allow: { method: tools/call } }]`],
  [[rpcFacts({ method: 'tools/call', tool: 'a b' }), 'allow rules[0]']],
);
table(
  'a session that may not begin',
  [`${MCP}, rules: [{ allow: { method: tools/list } }]`],
  [[{ ...rpcFacts(), method: 'DELETE' }, 'not_allowed']],
);

table(
  'what the server sends',
  [
    `${MCP}, rules: [{ allow: { method: initialize } }, { allow: { method: notifications/progress, from: server } }],
    deny_rules: [{ method: sampling/createMessage, from: server }]`,
  ],
  [
    [
      { ...rpcFacts({ kind: 'notification', method: 'notifications/progress' }), from: 'server' },
      'allow rules[1]',
    ],
    [
      { ...rpcFacts({ kind: 'notification', method: 'notifications/message' }), from: 'server' },
      'not_allowed',
    ],
    [{ ...rpcFacts({ method: 'sampling/createMessage' }), from: 'server' }, 'denied deny_rules[0]'],
    [{ ...rpcFacts({ kind: 'response', method: '' }), from: 'server' }, 'allow'],
    [rpcFacts({ method: 'notifications/progress' }), 'not_allowed'],
  ],
);

const RPC = 'path: /mcp, protocol: json-rpc, enforcement: audit';
table(
  'JSON-RPC',
  [`${RPC}, rules: [{ allow: { method: a.b, params: { name: "x*" } } }], deny_rules: [{ method: rm }]`],
  [
    [rpcFacts({ method: 'a.b', params: [['name', 'x1']] }), 'allow rules[0]'],
    [rpcFacts({ method: 'a.b', params: [['name', 'y']] }), 'audit'],
    [rpcFacts({ method: 'a.b' }), 'audit'],
    [rpcFacts({ method: 'rm' }), 'audit'],
    [rpcFacts({ kind: 'response', method: '' }), 'malformed'],
    [{ ...rpcFacts(), method: 'GET', content: { kind: 'rpc', messages: [], receiveStream: true } }, 'audit'],
  ],
);

const WEBSOCKET = 'protocol: websocket, enforcement: enforce';
const text = (content: RequestFacts['content'] = { kind: 'message' }, from?: 'server') =>
  clientFacts('WEBSOCKET_TEXT /s', content, from);
const binary = clientFacts('WEBSOCKET_BINARY /s', { kind: 'message' });
const operation = (type: 'query' | 'mutation', ...fields: string[]) =>
  text({ kind: 'message', graphql: { type, fields } });
const control = text({ kind: 'message', graphql: 'control' });

table(
  'a WebSocket that may only listen',
  [`${WEBSOCKET}, access: read-only`],
  [
    [http('GET /s'), 'allow access'],
    [text(), 'not_allowed'],
    [text(undefined, 'server'), 'allow'],
  ],
);
table(
  'a WebSocket that may send texts',
  [`${WEBSOCKET}, access: read-write`],
  [
    [text(), 'allow access'],
    [binary, 'not_allowed'],
  ],
);
table('a WebSocket without limits', [`${WEBSOCKET}, access: full`], [[binary, 'allow access']]);
table(
  'rules about messages',
  [
    `${WEBSOCKET}, rules: [{ allow: { method: GET, path: /s } }, { allow: { method: WEBSOCKET_TEXT, path: /s, from: server } }],
    deny_rules: [{ method: WEBSOCKET_BINARY, path: "**" }]`,
  ],
  [
    [text(), 'not_allowed'],
    [binary, 'denied deny_rules[0]'],
    [text(undefined, 'server'), 'allow rules[1]'],
    [{ ...binary, from: 'server' }, 'not_allowed'],
  ],
);
table(
  'GraphQL over WebSocket',
  [
    `${WEBSOCKET}, rules: [{ allow: { method: "*", path: "**" } }, { allow: { operation_type: query } }], deny_rules: [{ fields: [secret] }]`,
  ],
  [
    [http('GET /s'), 'allow rules[0]'],
    [operation('query', 'a'), 'allow rules[1]'],
    [operation('mutation', 'a'), 'not_allowed'],
    [operation('query', 'a', 'secret'), 'denied deny_rules[0]'],
    [control, 'allow'],
    [text(), 'not_allowed'],
    [binary, 'not_allowed'],
  ],
);
table(
  'operations that are only denied',
  [`${WEBSOCKET}, access: full, deny_rules: [{ operation_type: mutation }]`],
  [
    [operation('query', 'a'), 'allow access'],
    [operation('mutation', 'a'), 'denied deny_rules[0]'],
    [control, 'allow access'],
    [binary, 'not_allowed'],
  ],
);

const SQL = 'protocol: sql, enforcement: enforce';
table(
  'an SQL preset',
  [`${SQL}, access: read-only`],
  [
    [sqlFacts(['SELECT', 'read', 'public.a']), 'allow access'],
    [sqlFacts(['SELECT', 'read', 'a'], ['INSERT', 'write', 'a']), 'not_allowed'],
    [sqlFacts(['SET', 'other']), 'not_allowed'],
    [sqlFacts(), 'allow'],
    [http('GET /'), 'not_allowed'],
  ],
);
table(
  'the wider SQL preset',
  [`${SQL}, access: read-write`],
  [
    [sqlFacts(['INSERT', 'write', 'a']), 'allow access'],
    [sqlFacts(['DROP TABLE', 'other', 'a']), 'not_allowed'],
  ],
);
table(
  'SQL rules',
  [
    `${SQL}, rules: [{ allow: { command: select, tables: ["public.*", users] } }, { allow: { command: "create  *" } }],
    deny_rules: [{ command: "*", tables: [audit.log, tokens] }]`,
  ],
  [
    [sqlFacts(['SELECT', 'read', 'public.a', 'users']), 'allow rules[0]'],
    [sqlFacts(['SELECT', 'read', 'other.a']), 'not_allowed'],
    [sqlFacts(['SELECT', 'read', 'a']), 'not_allowed'],
    [sqlFacts(['SELECT', 'read', 'public.a', 'other.a']), 'not_allowed'],
    [sqlFacts(['CREATE TABLE', 'other', 'x.y']), 'allow rules[1]'],
    [sqlFacts(['CREATE TABLE', 'other', 'audit.log']), 'denied deny_rules[0]'],
    [sqlFacts(['CREATE TABLE', 'other', 'log']), 'denied deny_rules[0]'],
    [sqlFacts(['CREATE TABLE', 'other', 'x.log']), 'allow rules[1]'],
    [sqlFacts(['SELECT', 'read', 'public.tokens']), 'denied deny_rules[0]'],
    [sqlFacts(['DELETE', 'write', 'users']), 'not_allowed'],
  ],
);
