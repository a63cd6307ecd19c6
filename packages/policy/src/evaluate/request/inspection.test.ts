import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import { treatmentOf } from '../../request.ts';
import { clientFacts, rpcFacts } from '../../testing/facts.ts';
import { intentFor, policyFrom } from '../../testing/policies.ts';
import { compilePolicy } from '../compile.ts';
import { explain } from '../explain.ts';
import { readsGraphqlMessages, wantsServerMessages } from './endpoint.ts';

const POLICY = `
version: 1
network_policies:
  api:
    endpoints:
      - { host: api.example.com, port: 443, protocol: rest, enforcement: enforce, access: read-only }
      - { host: api.example.com, port: 443, path: "/v1/**", protocol: rest, enforcement: enforce, access: read-write }
      - { host: api.example.com, port: 443, path: /v1/live, protocol: websocket, enforcement: enforce,
          rules: [{ allow: { method: GET, path: /v1/live } }, { allow: { operation_type: query } }] }
      - { host: api.example.com, port: 443, path: /mcp, protocol: mcp, enforcement: enforce,
          rules: [{ allow: { method: initialize } }], deny_rules: [{ method: roots/list, from: server }] }
      - { host: plain.example.com, port: 443 }
      - { host: closed.example.org, port: 443, tls: skip }
    binaries: [{ path: /usr/bin/agent }]
  wild:
    endpoints:
      - { host: "*.example.com", port: 443, path: "/wild/**", protocol: rest, enforcement: enforce, access: full }
    binaries: [{ path: /usr/bin/curl }, { path: /usr/bin/both }]
  raw:
    endpoints: [{ host: api.example.com, port: 443 }]
    binaries: [{ path: /usr/bin/raw }, { path: /usr/bin/both }]
network_middlewares:
  second: { middleware: openshell/regex, order: 2, endpoints: { include: ["*.example.com", "*.example.org"], exclude: [plain.example.com, api.example.com] }, on_error: fail_open }
  first: { middleware: openshell/regex, order: 1, endpoints: { include: [plain.example.com] } }
`;
const engine = compilePolicy(policyFrom(POLICY), generation(2));
const connect = (host: string, binary: string) => {
  const decision = engine.authorizeConnect(intentFor(host, 443, binary));
  assert.ok(decision.action === 'allow');
  return decision;
};
const inspection = (host: string, binary: string) => connect(host, binary).inspection;
const places = (host: string, binary: string) =>
  inspection(host, binary)?.treatments.map(({ ref }) => `${ref.policy}[${ref.index}]`);

describe('why a connection is looked into', () => {
  test('the most specific path comes first', () =>
    assert.deepEqual(places('api.example.com', '/usr/bin/agent'), ['api[2]', 'api[1]', 'api[3]', 'api[0]']));
  test('only endpoints for the program count', () => {
    assert.deepEqual(places('api.example.com', '/usr/bin/curl'), ['wild[0]']);
    assert.equal(inspection('api.example.com', '/usr/bin/raw'), undefined);
  });
  test('an endpoint without a protocol widens nothing', () => {
    assert.deepEqual(places('api.example.com', '/usr/bin/both'), ['wild[0]']);
    const intent = intentFor('api.example.com', 443, '/usr/bin/both');
    assert.equal(engine.authorizeRequest(intent, clientFacts('GET /wild/x')).action, 'allow');
    assert.equal(engine.authorizeRequest(intent, clientFacts('GET /other')).action, 'deny');
  });
  test('a middleware alone is enough, and exclusion wins', () => {
    const keys = (host: string) => inspection(host, '/usr/bin/agent')?.middlewares.map(({ key }) => key);
    assert.deepEqual(keys('plain.example.com'), ['first']);
    assert.deepEqual(keys('api.example.com'), []);
    assert.deepEqual(
      inspection('b.example.com', '/usr/bin/curl')?.middlewares.map(({ key }) => key),
      ['second'],
    );
  });
  test('TLS that is never opened is not looked into', () =>
    assert.equal(inspection('closed.example.org', '/usr/bin/agent'), undefined));

  test('a path is treated as its most specific endpoint says', () => {
    const at = (path: string) =>
      treatmentOf(inspection('api.example.com', '/usr/bin/agent')!, path)?.ref.index;
    assert.deepEqual(['/v1/live', '/v1/x', '/mcp', '/'].map(at), [2, 1, 3, 0]);
  });
  test('treatments say what else must be read', () => {
    const { treatments } = inspection('api.example.com', '/usr/bin/agent')!;
    assert.deepEqual(treatments.map(wantsServerMessages), [false, false, true, false]);
    assert.deepEqual(treatments.map(readsGraphqlMessages), [true, false, false, false]);
  });
  test('the same question has the same treatments', () =>
    assert.equal(
      inspection('api.example.com', '/usr/bin/agent')?.treatments,
      inspection('api.example.com', '/usr/bin/agent')?.treatments,
    ));
});

describe('requests on connections without inspected endpoints', () => {
  const ask = (host: string, binary: string, line: string) =>
    engine.authorizeRequest(intentFor(host, 443, binary), clientFacts(line));
  test('are as free as the connection', () => {
    const decision = ask('plain.example.com', '/usr/bin/agent', 'DELETE /x');
    assert.ok(decision.action === 'allow');
    assert.equal(decision.rule, 'network_policies.api.endpoints[4]');
  });
  test('and as little', () => {
    const decision = ask('other.example.org', '/usr/bin/agent', 'GET /');
    assert.ok(decision.action === 'deny' && decision.code === 'request_not_allowed');
  });
});

describe('explanations of requests', () => {
  const steps = (line: string, content?: Parameters<typeof clientFacts>[1]) => {
    const request = clientFacts(line, content);
    const options = { request };
    const intent = intentFor('api.example.com', 443, '/usr/bin/agent');
    return explain(engine, intent, options).request!.considered.map(
      ({ step, endpoint }) => `${step} ${endpoint.index}`,
    );
  };
  test('name every inspected endpoint', () => {
    assert.deepEqual(steps('POST /v1/x'), ['other_path 2', 'allows 1', 'other_path 3', 'silent 0']);
    assert.deepEqual(steps('POST /mcp', rpcFacts({ method: 'initialize' }).content), [
      'other_path 2',
      'other_path 1',
      'allows 3',
      'other_protocol 0',
    ]);
  });
  test('carry the decision', () => {
    const intent = intentFor('api.example.com', 443, '/usr/bin/agent');
    const { request } = explain(engine, intent, { request: clientFacts('POST /') });
    assert.equal(request?.decision.action, 'deny');
  });
  test('are absent when nobody asked', () =>
    assert.equal(explain(engine, intentFor('api.example.com', 443, '/usr/bin/agent')).request, undefined));
});
