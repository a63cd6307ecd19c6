import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generation } from '@openshell/base';
import fc from 'fast-check';
import { parsePolicy } from '../../parse.ts';
import type { RequestDecision, RequestFacts } from '../../request.ts';
import { clientFacts } from '../../testing/facts.ts';
import { intentFor } from '../../testing/policies.ts';
import { compilePolicy } from '../compile.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', '*'];
const PATHS = ['/a', '/a/b', '/a/*', '/a/**', '/b', '**'];
const rule = fc.record({ method: fc.constantFrom(...METHODS), path: fc.constantFrom(...PATHS) });
const endpoint = fc.record({
  path: fc.constantFrom('', '/a/**', '/a/b', '**'),
  enforcement: fc.constantFrom('enforce', 'audit'),
  rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
  denied: fc.array(rule, { maxLength: 2 }),
});
type Drawn = typeof endpoint extends fc.Arbitrary<infer T> ? T : never;
const endpoints = fc.array(endpoint, { minLength: 1, maxLength: 4 });
const requests = fc
  .tuple(fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'), fc.constantFrom('/a', '/a/b', '/a/c', '/b', '/c'))
  .map(([method, path]) => clientFacts(`${method} ${path}`));

/** Undefined: the endpoints contradict each other, so there is no such policy. */
function engineOf(drawn: readonly Drawn[]) {
  const list = drawn.map(({ path, enforcement, rules, denied }) => ({
    host: 'a.example.com',
    port: 443,
    protocol: 'rest',
    path,
    enforcement,
    rules: rules.map((allow) => ({ allow })),
    ...(denied.length > 0 ? { deny_rules: denied } : {}),
  }));
  const text = JSON.stringify({
    version: 1,
    network_policies: { p: { endpoints: list, binaries: [{ path: '/x' }] } },
  });
  const result = parsePolicy(text);
  return result.ok ? compilePolicy(result.policy, generation(1)) : undefined;
}

const INTENT = intentFor('a.example.com', 443, '/x');
function actionOf(drawn: readonly Drawn[], facts: RequestFacts): RequestDecision['action'] {
  const engine = engineOf(drawn);
  fc.pre(engine !== undefined);
  return engine!.authorizeRequest(INTENT, facts).action;
}

/** Each run reads and compiles a policy or two. */
const RUNS = { numRuns: 50 };

test('the order of endpoints does not matter', () =>
  fc.assert(
    fc.property(endpoints, requests, (drawn, facts) =>
      assert.equal(actionOf(drawn.toReversed(), facts), actionOf(drawn, facts)),
    ),
    RUNS,
  ));

test('a deny rule that is enforced beats whatever allows', () =>
  fc.assert(
    fc.property(endpoints, requests, (drawn, facts) => {
      const [first, ...others] = drawn;
      const denied = [{ method: '*', path: '**' }];
      const strict: Drawn = { ...first!, path: '**', enforcement: 'enforce', denied };
      assert.equal(actionOf([strict, ...others], facts), 'deny');
    }),
    RUNS,
  ));

test('one more allow rule never makes a denial of what was allowed', () =>
  fc.assert(
    fc.property(endpoints, rule, requests, (drawn, more, facts) => {
      const before = actionOf(drawn, facts);
      fc.pre(before === 'allow');
      const wider = drawn.map((one) => ({ ...one, rules: [...one.rules, more] }));
      assert.equal(actionOf(wider, facts), 'allow');
    }),
    RUNS,
  ));

test('HEAD may do what GET may, where no rule is about HEAD', () =>
  fc.assert(
    fc.property(endpoints, requests, (drawn, facts) => {
      const silent = (rules: Drawn['rules']) => rules.filter(({ method }) => method !== 'HEAD');
      const plain = drawn.map((one) => ({ ...one, rules: silent(one.rules), denied: silent(one.denied) }));
      fc.pre(plain.every(({ rules }) => rules.length > 0));
      assert.equal(
        actionOf(plain, { ...facts, method: 'HEAD' }),
        actionOf(plain, { ...facts, method: 'GET' }),
      );
    }),
    RUNS,
  ));
