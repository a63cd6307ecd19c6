import { type Generation, OpenShellError } from '@openshell/base';
import type { Policy, PolicyEngine } from '@openshell/policy';
import { type EngineSpec, loadEngine as loadSpecifiedEngine, policyData } from '@openshell/proxy';
import type { JsonObject } from '@openshell/rego';
import { resolveBinaryPath } from './load-policy.ts';
import type { Rules } from './run-options.ts';

/**
 * Makes what decides about a sandbox's connections and requests: the built-in evaluator, or the user's rules with the policy as their data.
 * @throws OpenShellError `rules_invalid`, `rules_data`, `bad_opa_url` or `wasm_invalid`
 */
export const loadEngine = async (
  policy: Policy,
  rules: Rules | undefined,
  generation: Generation,
): Promise<PolicyEngine> => loadSpecifiedEngine(specOf(policy, rules), generation);

const specOf = (policy: Policy, rules: Rules | undefined): EngineSpec => {
  if (rules === undefined) return { kind: 'builtin', policy, options: { resolveBinaryPath } };
  const { middlewares } = policy;
  switch (rules.kind) {
    case 'rego':
    case 'wasm':
      return { ...rules, data: withPolicy(rules.data, policy), middlewares };
    case 'opa':
      return { ...rules, middlewares };
    default:
      return rules satisfies never;
  }
};

/** Rules must find the policy that the person gave where they look for it, so nothing may take its place. */
const withPolicy = (data: JsonObject, policy: Policy): JsonObject => {
  const ours = policyData(policy, { resolveBinaryPath });
  const taken = Object.keys(data).find((name) => Object.hasOwn(ours, name));
  if (taken === undefined) return { ...data, ...ours };
  throw new OpenShellError(`the rules' data has "${taken}", where the policy's own is`, {
    code: 'rules_data',
    remedy: 'Give it another name; or give the policy as a policy file, with --policy or --policy-data.',
  });
};
