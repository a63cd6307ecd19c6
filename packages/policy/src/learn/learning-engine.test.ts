import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation, sandboxId } from '@openshell/base';
import { defaultPolicy } from '../default-policy.ts';
import type { Evidence, Intent } from '../engine.ts';
import { compilePolicy } from '../evaluate/compile.ts';
import { parsePolicy } from '../parse.ts';
import type { Policy } from '../policy.ts';
import type { RequestContent, RequestFacts } from '../request.ts';
import { mergePolicies } from '../suggest/merge.ts';
import { suggestPolicy } from '../suggest/suggest.ts';
import { LearningEngine } from './learning-engine.ts';
import { LearningRecord } from './learning-record.ts';

const CURL: Evidence = {
  kind: 'process',
  pid: 1,
  executable: { path: '/usr/bin/curl', sha256: '', pinned: true },
  ancestors: [],
  argv: [],
};

const intent = (host: string, port = 443, evidence: Evidence = CURL): Intent => ({
  sandbox: sandboxId('box'),
  adapter: 'connect',
  host,
  port,
  evidence,
});

const facts = (method: string, path: string, content: RequestContent = { kind: 'http' }): RequestFacts => ({
  method,
  path,
  query: [],
  content,
  from: 'client',
});

function policyOf(text: string): Policy {
  const result = parsePolicy(text);
  return result.ok ? result.policy : assert.fail(JSON.stringify(result.problems));
}

const POLICY = policyOf(`version: 1
network_policies:
  api:
    endpoints:
      - host: api.example.com
        port: 443
        protocol: rest
        rules: [{ allow: { method: GET, path: /open } }]
        deny_rules: [{ method: DELETE, path: /** }]
      - { host: raw.example.com, port: 443 }
    binaries: [{ path: /usr/bin/curl }]
network_middlewares:
  redact: { middleware: openshell/regex, endpoints: { include: ["*.example.org"] } }
`);

function learning(policy: Policy = POLICY): { engine: LearningEngine; record: LearningRecord } {
  const record = new LearningRecord();
  return { engine: new LearningEngine(compilePolicy(policy, generation(1)), record), record };
}

describe('a learning engine', () => {
  test('lets a connection through that nothing allows, to read it, and never as if its host were named exactly', () => {
    const { engine, record } = learning();
    const decision = engine.authorizeConnect(intent('new.example.net'));
    assert.ok(decision.action === 'allow');
    assert.deepEqual(decision.destination, { exactHost: false });
    const [treatment] = decision.inspection?.treatments ?? [];
    assert.deepEqual([treatment?.learned, treatment?.endpoint.protocol], [true, 'rest']);
    assert.equal(decision.inspection?.unreadable, 'pass');
    assert.deepEqual(
      record.denials.map(({ stage, host, code, count }) => [stage, host, code, count]),
      [['connect', 'new.example.net', 'endpoint_not_allowed', 1]],
    );
  });

  test('lets the policy’s middlewares see what is learned', () => {
    const decision = learning().engine.authorizeConnect(intent('x.example.org'));
    assert.ok(decision.action === 'allow');
    assert.deepEqual(
      decision.inspection?.middlewares.map(({ key }) => key),
      ['redact'],
    );
  });

  test('decides as the policy does where the policy allows, and records nothing', () => {
    const { engine, record } = learning();
    const base = compilePolicy(POLICY, generation(1));
    for (const host of ['api.example.com', 'raw.example.com'])
      assert.deepEqual(engine.authorizeConnect(intent(host)), base.authorizeConnect(intent(host)));
    const [api, open] = [intent('api.example.com'), facts('GET', '/open')];
    assert.deepEqual(engine.authorizeRequest(api, open), base.authorizeRequest(api, open));
    assert.deepEqual(record.denials, []);
  });

  test('lets a request through that no rule allows', () => {
    const { engine, record } = learning();
    const decision = engine.authorizeRequest(intent('api.example.com'), facts('PUT', '/new'));
    assert.equal(decision.action, 'audit');
    assert.deepEqual(
      record.denials.map(({ stage, protocol, method, path }) => [stage, protocol, method, path]),
      [['request', 'rest', 'PUT', '/new']],
    );
  });

  const malformed: RequestContent = { kind: 'malformed', reason: 'no JSON' };
  const refused: [string, Intent, RequestFacts][] = [
    ['what a deny rule refuses', intent('api.example.com'), facts('DELETE', '/new')],
    ['what could not be understood', intent('api.example.com'), facts('PUT', '/new', malformed)],
    ['what could not be understood at a new place', intent('new.example.net'), facts('PUT', '/', malformed)],
  ];
  for (const [what, where, request] of refused) {
    test(`refuses ${what}, and records nothing of it`, () => {
      const { engine, record } = learning();
      assert.equal(engine.authorizeRequest(where, request).action, 'deny');
      assert.deepEqual(record.denials, []);
    });
  }

  test('refuses a program that nobody knows', () => {
    const { engine, record } = learning();
    const unknown = intent('new.example.net', 443, { kind: 'unknown', reason: 'gone' });
    assert.equal(engine.authorizeConnect(unknown).action, 'deny');
    assert.equal(engine.authorizeRequest(unknown, facts('GET', '/')).action, 'deny');
    assert.deepEqual(record.denials, []);
  });

  test('answers every name, and no address that the policy does not name', () => {
    const { engine } = learning();
    assert.ok(engine.couldAllowName('new.example.net'));
    assert.ok(!engine.couldAllowName('10.0.0.1'));
    assert.ok(!engine.couldAllowAddress('203.0.113.1', 443));
  });

  for (const base of [POLICY, defaultPolicy]) {
    test(`makes a policy of ${base.networkPolicies.length} more that allows what was asked for and nothing near it`, () => {
      const { engine, record } = learning(base);
      const [api, fresh] = [intent('api.example.com'), intent('new.example.net', 8080)];
      for (const where of [api, fresh]) engine.authorizeConnect(where);
      engine.authorizeRequest(api, facts('PUT', '/new'));
      engine.authorizeRequest(fresh, facts('GET', '/a'));
      engine.authorizeConnect(intent('ssh.example.net', 22));
      const { policy, notProposed } = suggestPolicy(base, record.denials);
      assert.deepEqual(notProposed, []);
      const merged = mergePolicies(base, policyOf(policy));
      assert.ok(merged.ok);
      const learned = compilePolicy(merged.policy, generation(2));
      const asked: [Intent, RequestFacts, string][] = [
        [api, facts('PUT', '/new'), 'allow'],
        [api, facts('PUT', '/other'), 'deny'],
        [api, facts('DELETE', '/new'), 'deny'],
        [fresh, facts('GET', '/a'), 'allow'],
        [fresh, facts('POST', '/a'), 'deny'],
      ];
      for (const [where, request, action] of asked)
        assert.equal(
          learned.authorizeRequest(where, request).action,
          action,
          `${request.method} ${request.path}`,
        );
      assert.equal(learned.authorizeConnect(intent('ssh.example.net', 22)).action, 'allow');
      assert.equal(learned.authorizeConnect(intent('new.example.net', 443)).action, 'deny');
    });
  }
});

describe('the record of a learning run', () => {
  const place = { binary: '/usr/bin/curl', host: 'new.example.net', port: 443 };

  test('gives up what turned out to be protected, and takes it back when it is asked for again', () => {
    const record = new LearningRecord();
    record.connection(intent(place.host), 'no_policy');
    record.request(intent(place.host), facts('GET', '/'), { protocol: 'rest', code: 'request_not_allowed' });
    record.connection(intent('other.example.net'), 'no_policy');
    record.withdraw(place);
    record.withdraw({ ...place, host: 'never.asked' });
    assert.deepEqual(
      record.denials.map(({ host }) => host),
      ['other.example.net'],
    );
    assert.deepEqual(record.withdrawn, [place]);
    record.connection(intent(place.host), 'no_policy');
    assert.equal(record.denials.length, 2);
    assert.deepEqual(record.withdrawn, []);
  });

  test('counts what is alike, names operations, and keeps no value', () => {
    const record = new LearningRecord();
    const messages = [
      { kind: 'request', method: 'tools/call', tool: 'find', params: [['q', 'hunter2']] },
    ] as const;
    const content = { kind: 'rpc', messages, receiveStream: false } as const;
    for (let i = 0; i < 3; i++)
      record.request(intent(place.host), facts('POST', '/mcp', content), { protocol: 'mcp', code: 'x' });
    const [denial] = record.denials;
    assert.deepEqual(
      [denial?.count, denial?.operation],
      [3, { kind: 'rpc', method: 'tools/call', tool: 'find' }],
    );
    assert.ok(!JSON.stringify(record.denials).includes('hunter2'));
  });

  test('is bounded, and says how much is beyond its bound', () => {
    const record = new LearningRecord();
    for (let i = 0; i < 20_010; i++) record.connection(intent(`h${i}.example.net`), 'no_policy');
    assert.deepEqual([record.denials.length, record.beyond], [20_000, 10]);
  });
});
