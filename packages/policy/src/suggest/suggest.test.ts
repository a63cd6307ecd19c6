import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import { compilePolicy } from '../evaluate/compile.ts';
import { policyHash } from '../hash.ts';
import { parsePolicy } from '../parse.ts';
import type { Policy } from '../policy.ts';
import { EVERY_CONSTRUCT } from '../testing/every-construct.ts';
import { clientFacts, graphqlFacts, rpcFacts, sqlFacts } from '../testing/facts.ts';
import { intentFor, policyFrom } from '../testing/policies.ts';
import { policyToFile } from '../unparse.ts';
import { type Denial, factsOf } from './denial.ts';
import { mergePolicies, mergePolicyText } from './merge.ts';
import { suggestPolicy } from './suggest.ts';

const BASE = policyFrom(`
version: 1
network_policies:
  forge:
    endpoints:
      - { host: "*.forge.example", port: 443, protocol: rest, enforcement: enforce, allow_encoded_slash: true,
          rules: [{ allow: { method: GET, path: "/read/**" } }], deny_rules: [{ method: "*", path: "/never/**" }] }
      - { host: api.forge.example, port: 443, path: /graphql, protocol: graphql, enforcement: enforce,
          graphql_max_body_bytes: 1024, access: read-only }
      - { host: api.forge.example, port: 443, path: /mcp, protocol: mcp, enforcement: enforce,
          mcp: { allow_all_known_mcp_methods: true }, rules: [{ allow: { tool: search } }] }
    binaries: [{ path: /usr/bin/forge }]
  database:
    endpoints:
      - { host: db.example, port: 5432, protocol: sql, enforcement: enforce, access: read-only, allowed_ips: [10.0.0.0/8] }
    binaries: [{ path: /usr/bin/psql }]
`);

const denial = (fields: Partial<Denial>): Denial => ({
  sandbox: 's',
  binary: '/usr/bin/forge',
  host: 'api.forge.example',
  port: 443,
  stage: 'request',
  protocol: 'rest',
  count: 1,
  code: 'request_not_allowed',
  ...fields,
});
const connect = (host: string, port: number, binary = '/usr/bin/curl') =>
  denial({ host, port, binary, stage: 'connect', protocol: '', code: 'endpoint_not_allowed' });

const engineWith = (base: Policy, suggested: string) => {
  const merged = mergePolicies(base, policyFrom(suggested));
  assert.ok(merged.ok, suggested);
  return compilePolicy(merged.policy, generation(1));
};

describe('what was refused is allowed afterwards, and its neighbours are not', () => {
  const REFUSED: readonly Denial[] = [
    connect('pypi.example', 443, '/opt/a b/{pip}'),
    connect('2606:4700::1', 8443),
    connect('db.example', 5432),
    denial({ method: 'PUT', path: '/repos/x*', count: 3 }),
    denial({ method: 'POST', path: '/repos/x*' }),
    denial({
      protocol: 'graphql',
      path: '/graphql',
      method: 'POST',
      operation: { kind: 'graphql', type: 'mutation', name: 'Open', fields: ['openIssue'] },
    }),
    denial({
      protocol: 'mcp',
      path: '/mcp',
      method: 'POST',
      operation: { kind: 'rpc', method: 'tools/call', tool: 'read' },
    }),
    denial({
      protocol: 'mcp',
      path: '/mcp',
      method: 'POST',
      operation: { kind: 'rpc', method: 'tools/call', tool: 'write' },
    }),
    denial({ protocol: 'mcp', path: '/mcp', method: 'POST', operation: { kind: 'rpc', method: 'vendor/x' } }),
    denial({
      host: 'db.example',
      port: 5432,
      binary: '/usr/bin/psql',
      stage: 'statement',
      protocol: 'sql',
      operation: { kind: 'sql', command: 'INSERT', effect: 'write', tables: ['public.log'] },
    }),
  ];
  const suggestion = suggestPolicy(BASE, REFUSED);
  const engine = engineWith(BASE, suggestion.policy);

  test('everything is proposed', () => assert.deepEqual(suggestion.notProposed, []));
  for (const each of REFUSED) {
    test(JSON.stringify(each), () => {
      const intent = intentFor(each.host, each.port, each.binary!);
      assert.equal(engine.authorizeConnect(intent).action, 'allow');
      assert.equal(engine.authorizeRequest(intent, factsOf(each)).action, 'allow');
    });
  }

  const CONNECTIONS: readonly (readonly [host: string, port: number, binary: string])[] = [
    ['pypi.example', 80, '/opt/a b/{pip}'],
    ['x.pypi.example', 443, '/opt/a b/{pip}'],
    ['pypi.example', 443, '/opt/a b/pip'],
    ['pypi.example', 443, '/usr/bin/forge'],
    ['api.forge.example', 443, '/usr/bin/curl'],
    ['db.example', 5432, '/usr/bin/forge'],
  ];
  for (const [host, port, binary] of CONNECTIONS) {
    test(`still refused: ${binary} to ${host}:${port}`, () =>
      assert.equal(engine.authorizeConnect(intentFor(host, port, binary)).action, 'deny'));
  }

  const forge = intentFor('api.forge.example', 443, '/usr/bin/forge');
  const psql = intentFor('db.example', 5432, '/usr/bin/psql');
  const REQUESTS = [
    [forge, clientFacts('PUT /repos/x')],
    [forge, clientFacts('PUT /repos/xy')],
    [forge, clientFacts('DELETE /repos/x*')],
    [forge, clientFacts('PUT /never/x')],
    [intentFor('b.forge.example', 443, '/usr/bin/forge'), clientFacts('PUT /repos/x*')],
    [forge, graphqlFacts('POST', ['mutation', 'Open', ['openIssue', 'closeIssue']])],
    [forge, graphqlFacts('POST', ['mutation', 'Close', ['openIssue']])],
    [forge, rpcFacts({ method: 'tools/call', tool: 'run' })],
    [forge, rpcFacts({ method: 'vendor/y' })],
    [psql, sqlFacts(['INSERT', 'write', 'public.users'])],
    [psql, sqlFacts(['DELETE', 'write', 'public.log'])],
  ] as const;
  for (const [intent, facts] of REQUESTS) {
    test(`still refused: ${JSON.stringify(facts)}`, () =>
      assert.equal(engine.authorizeRequest(intent, facts).action, 'deny'));
  }

  test('comments say how often', () => {
    assert.match(suggestion.policy, /method: PUT, path: "\/repos\/x\\\\\*" \} # refused 3 times/);
    assert.match(suggestion.policy, /tool: \{ any: \[read, write\] \} \} # refused 2 times/);
  });
  test('the order of denials does not matter', () =>
    assert.equal(suggestPolicy(BASE, REFUSED.toReversed()).policy, suggestion.policy));
});

describe('what is not proposed', () => {
  const CASES: readonly (readonly [fields: Partial<Denial>, reason: RegExp])[] = [
    [{ code: 'ssrf_denied' }, /only the operator/],
    [{ code: 'request_denied', method: 'PUT', path: '/never/x' }, /on purpose/],
    [{ method: 'PUT', path: '/never/x' }, /would still be refused.*deny_rules\[0\]/],
    [{ code: 'request_malformed' }, /understood/],
    [{ code: 'request_authority_mismatch' }, /not the one/],
    [{ code: 'something_else' }, /not something that a policy allows/],
    [{ method: 'FROBNICATE', path: '/x' }, /would still be refused/],
    [{ method: '*', path: '/x' }, /would still be refused/],
    [{ method: 'GET', path: '/bot[CREDENTIAL]/x' }, /credential/],
    [
      { protocol: 'mcp', path: '/mcp', operation: { kind: 'rpc', method: 'tools/*' } },
      /would still be refused/,
    ],
    [
      { stage: 'connect', protocol: '', host: 'bad host', code: 'endpoint_not_allowed' },
      /no policy can say it/,
    ],
  ];
  for (const [fields, reason] of CASES) {
    test(`${JSON.stringify(fields)}: ${reason}`, () => {
      const good = connect('pypi.example', 443);
      const { policy, notProposed } = suggestPolicy(BASE, [denial(fields), good]);
      assert.equal(notProposed.length, 1);
      assert.match(notProposed[0]!.reason, reason);
      const engine = engineWith(BASE, policy);
      assert.equal(engine.authorizeConnect(intentFor(good.host, good.port, good.binary!)).action, 'allow');
    });
  }
  test('nothing for nobody', () => {
    const { binary: _, ...nobody } = denial({});
    assert.match(suggestPolicy(BASE, [nobody]).notProposed[0]!.reason, /program is not known/);
  });
  test('no denials make a policy without networks', () =>
    assert.deepEqual(policyFrom(suggestPolicy(undefined, []).policy).networkPolicies, []));
});

describe('paths that are alike', () => {
  const paths = (count: number) =>
    Array.from({ length: count }, (_, index) => denial({ method: 'PUT', path: `/repos/${index}/issues` }));
  test('stay apart up to eight', () =>
    assert.equal(suggestPolicy(BASE, paths(8)).policy.match(/method: PUT/g)?.length, 8));
  test('become one pattern beyond', () => {
    const { policy } = suggestPolicy(BASE, [...paths(9), denial({ method: 'PUT', path: '/repos' })]);
    assert.match(policy, /method: PUT, path: "\/repos\/\*\/issues" \} # refused 9 times/);
    assert.equal(policy.match(/method: PUT/g)?.length, 2);
  });
});

describe('merging', () => {
  const ADDITION = `version: 1
network_policies:
  forge: { endpoints: [{ host: new.example, port: 443 }], binaries: [{ path: /x }] }
`;
  test('keeps what is there and gives keys that are taken a number', () => {
    const merged = mergePolicies(BASE, policyFrom(ADDITION));
    assert.ok(merged.ok);
    assert.deepEqual(
      merged.policy.networkPolicies.map(({ key }) => key),
      ['database', 'forge', 'forge_2'],
    );
  });
  test('keeps comments of a text', () => {
    const base =
      'version: 1\n# why\nnetwork_policies:\n  forge: {} # first\nlandlock: { compatibility: best_effort }\n';
    const text = mergePolicyText(base, ADDITION);
    assert.match(text, /# why[\s\S]*# first[\s\S]*forge_2:/);
    const policy = policyFrom(text);
    assert.deepEqual([policy.networkPolicies.length, policy.landlock.compatibility], [2, 'best_effort']);
  });
  for (const base of ['version: 1\n', 'version: 1\nnetwork_policies: {}\n']) {
    test(`begins where ${JSON.stringify(base)} has none`, () =>
      assert.equal(policyFrom(mergePolicyText(base, ADDITION)).networkPolicies.length, 1));
  }
  test('refuses texts that are no policies', () =>
    assert.throws(() => mergePolicyText('version: 2', ADDITION), { code: 'policy_invalid' }));
  test('a policy written back to a file means the same', () => {
    const rest = policyFrom(`version: 1
network_policies:
  a:
    endpoints:
      - { host: a.example, port: 443, protocol: mcp, enforcement: audit, rules: [{ allow: { method: ping, from: server } }],
          deny_rules: [{ method: tools/call, params: { name: x, arguments: { path: { any: [a, b] } } } }] }
      - { host: b.example, port: 5432, protocol: sql, rules: [{ allow: { command: select, tables: [users] } }] }
    binaries: []`);
    for (const policy of [BASE, rest, policyFrom(EVERY_CONSTRUCT)]) {
      const again = parsePolicy(JSON.stringify(policyToFile(policy)));
      assert.ok(again.ok);
      assert.equal(policyHash(again.policy), policyHash(policy));
    }
  });
});
