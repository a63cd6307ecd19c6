import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import type { RequestFacts } from '../../request.ts';
import { clientFacts, graphqlFacts, rpcFacts, sqlFacts } from '../../testing/facts.ts';
import { intentFor, policyFrom } from '../../testing/policies.ts';
import { compilePolicy } from '../compile.ts';

const INTENT = intentFor('a.example.com', 443, '/x');
const policyWith = (fields: string, more = '') =>
  `version: 1\nnetwork_policies: { p: { endpoints: [{ host: a.example.com, port: 443, enforcement: enforce, ${fields} }${more}], binaries: [{ path: /x }] } }`;
const engineOf = (text: string) => compilePolicy(policyFrom(text), generation(1));

function refusal(fields: string, facts: RequestFacts) {
  const decision = engineOf(policyWith(fields)).authorizeRequest(INTENT, facts);
  assert.ok(decision.action === 'deny', JSON.stringify(decision));
  return decision;
}

describe('the line that a refusal proposes loads and allows exactly this', () => {
  const CASES: readonly (readonly [fields: string, facts: RequestFacts, rule: string])[] = [
    [
      'protocol: rest, rules: [{ allow: { method: GET, path: / } }]',
      clientFacts('PUT /repos/x?q=1'),
      '{ method: PUT, path: /repos/x }',
    ],
    [
      'protocol: rest, rules: [{ allow: { method: GET, path: / } }]',
      clientFacts('PUT /a*[CREDENTIAL]'),
      '{ method: PUT, path: "/a\\\\*\\\\[CREDENTIAL\\\\]" }',
    ],
    [
      'protocol: graphql, rules: [{ allow: { operation_type: query } }]',
      graphqlFacts('POST', ['mutation', 'Open', ['openIssue']]),
      '{ operation_type: mutation, operation_name: Open, fields: [openIssue] }',
    ],
    [
      'protocol: mcp, rules: [{ allow: { method: initialize } }]',
      rpcFacts({ method: 'tools/call', tool: 'search' }),
      '{ method: tools/call, tool: search }',
    ],
    [
      'protocol: json-rpc, rules: [{ allow: { method: a, from: server } }]',
      { ...rpcFacts({ method: 'b.c' }), from: 'server' },
      '{ from: server, method: b.c }',
    ],
    [
      'protocol: websocket, rules: [{ allow: { method: GET, path: /s } }]',
      clientFacts('WEBSOCKET_TEXT /s', { kind: 'message' }),
      '{ method: WEBSOCKET_TEXT, path: /s }',
    ],
    [
      'protocol: sql, rules: [{ allow: { command: SELECT } }]',
      sqlFacts(['INSERT', 'write', 'public.a']),
      '{ command: INSERT, tables: [public.a] }',
    ],
  ];
  for (const [fields, facts, rule] of CASES) {
    test(rule, () => {
      const { remedy } = refusal(fields, facts);
      assert.equal(remedy, `Add to network_policies.p.endpoints[0].rules: - allow: ${rule}`);
      const wider = fields.replace('rules: [', `rules: [{ allow: ${rule} }, `);
      assert.equal(engineOf(policyWith(wider)).authorizeRequest(INTENT, facts).action, 'allow');
    });
  }

  test('a preset that would do is named', () => {
    const remedy = (access: string, line: string) =>
      refusal(`protocol: rest, access: ${access}`, clientFacts(line)).remedy;
    assert.match(remedy('read-only', 'POST /x'), /endpoints\[0\]\.access to read-write/);
    assert.match(remedy('read-only', 'DELETE /x'), /endpoints\[0\]\.access to full/);
    assert.match(remedy('read-write', 'FROB /x'), /endpoints\[0\]\.access to full/);
  });

  test('a path that no endpoint has gets an endpoint', () => {
    const fields = 'path: "/v1/**", protocol: rest, access: full';
    const facts = clientFacts('PUT /v2/x');
    const { remedy, reason } = refusal(fields, facts);
    assert.match(reason, /PUT \/v2\/x is for no path/);
    const endpoint = remedy.replace('Add to network_policies.p.endpoints: - ', '');
    const wider = engineOf(policyWith(fields, `, ${endpoint}`));
    assert.equal(wider.authorizeRequest(INTENT, facts).action, 'allow');
    assert.equal(wider.authorizeRequest(INTENT, clientFacts('GET /v2/x')).action, 'deny');
  });

  test('a method that looks like a pattern is never proposed', () => {
    const wild = [clientFacts('* /x'), rpcFacts({ method: 'tools/*' }), rpcFacts({ method: '*' })];
    const fields = [
      'protocol: rest, rules: [{ allow: { method: GET, path: / } }]',
      ...['mcp', 'json-rpc'].map((protocol) => `protocol: ${protocol}, rules: [{ allow: { method: a } }]`),
    ];
    for (const [index, facts] of wild.entries())
      assert.match(refusal(fields[index]!, facts).remedy, /not possible/);
  });
});

test('reasons hold no query, no control characters and no endless names', () => {
  const fields = 'protocol: mcp, rules: [{ allow: { method: a } }]';
  const { reason } = refusal(fields, rpcFacts({ method: `x\n${'y'.repeat(5000)}` }));
  assert.ok(reason.length < 300 && !reason.includes('\n'));
  assert.ok(
    !refusal('protocol: rest, access: read-only', clientFacts('PUT /x?k=secret')).reason.includes('secret'),
  );
});
