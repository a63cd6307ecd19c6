import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generation } from '@openshell/base';
import { type ConnectDecision, compilePolicy, type RequestDecision } from '@openshell/policy';
import fc from 'fast-check';
import { intentFor } from '../test-support/policies.ts';
import { inspectedWorlds } from '../test-support/requests.ts';
import { policyData } from './policy-data.ts';
import { RegoEngine } from './rego-engine.ts';

const POLICIES = 70;
const WEB = [intentFor('a.example.com', 443, '/bin/a'), intentFor('a.example.com', 443, '/bin/b')];
const DATABASE = [intentFor('a.example.com', 5432, '/bin/a'), intentFor('b.example.com', 5432, '/bin/b')];

/** Everything but what is worded for people. */
const compared = (decision: RequestDecision) => {
  const { reason, ...rest } = decision;
  return decision.action === 'deny' ? { ...rest, remedy: decision.remedy !== '' } : rest;
};

const inspection = (decision: ConnectDecision) =>
  decision.action === 'allow' && decision.inspection
    ? {
        treatments: decision.inspection.treatments.map(({ ref, policy, endpoint }) => ({
          ref,
          policy,
          endpoint,
        })),
        middlewares: decision.inspection.middlewares,
      }
    : undefined;

/** Each outcome that must have come up, so that agreement about it means something. */
const counts = new Map<string, number>();

test('our Rego modules decide requests as the built-in evaluator does, and look into the same connections', () => {
  const property = fc.property(inspectedWorlds, ({ policy, requests }) => {
    const builtin = compilePolicy(policy, generation(3));
    const rego = new RegoEngine({
      generation: generation(3),
      modules: {},
      data: policyData(policy),
      middlewares: policy.middlewares,
    });
    for (const intent of [...WEB, ...DATABASE]) {
      const [right, answer] = [builtin.authorizeConnect(intent), rego.authorizeConnect(intent)];
      assert.deepEqual(inspection(answer), inspection(right));
    }
    for (const facts of requests) {
      for (const intent of facts.content.kind === 'sql' ? DATABASE : WEB) {
        const right = builtin.authorizeRequest(intent, facts);
        const answer = rego.authorizeRequest(intent, facts);
        assert.deepEqual(compared(answer), compared(right), `${answer.reason} / ${right.reason}`);
        const outcome = right.action === 'deny' ? right.code : right.action;
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      }
    }
  });
  fc.assert(property, { numRuns: POLICIES });
  for (const outcome of ['allow', 'audit', 'request_not_allowed', 'request_denied', 'request_malformed'])
    assert.ok((counts.get(outcome) ?? 0) > 100, `${outcome}: ${JSON.stringify([...counts])}`);
});
