import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generation } from '@openshell/base';
import { type ConnectDecision, compilePolicy, type IdentityMode } from '@openshell/policy';
import fc from 'fast-check';
import { addresses, intents, policies } from '../test-support/policies.ts';
import { policyData } from './policy-data.ts';
import { RegoEngine } from './rego-engine.ts';

const POLICIES = 240;
const identityModes = fc.constantFrom<IdentityMode>('required', 'not-required');
/** Many of each policy, since making an engine costs more than asking it; a list can shrink to one. */
const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 100, size: 'max' });

/** Everything but the remedy, which each engine words in its own way. */
const compared = (decision: ConnectDecision) =>
  decision.action === 'allow' ? decision : { ...decision, remedy: decision.remedy !== '' };

test('our Rego module decides 10,000 connections as the built-in evaluator does, and says the same about it', () => {
  let decided = 0;
  const property = fc.property(
    policies,
    identityModes,
    many(intents),
    many(addresses),
    (policy, identity, attempts, literals) => {
      const builtin = compilePolicy(policy, generation(3), { identity });
      const rego = new RegoEngine({
        generation: generation(3),
        modules: {},
        data: policyData(policy, { identity }),
      });
      for (const intent of attempts) {
        assert.deepEqual(compared(rego.authorizeConnect(intent)), compared(builtin.authorizeConnect(intent)));
        assert.equal(rego.couldAllowName(intent.host), builtin.couldAllowName(intent.host), intent.host);
        decided++;
      }
      for (const address of literals) {
        assert.equal(rego.couldAllowAddress(address, 80), builtin.couldAllowAddress(address, 80), address);
      }
    },
  );
  fc.assert(property, { numRuns: POLICIES });
  assert.ok(decided > 10_000, `${decided} connections`);
});
