import { createRequire } from 'node:module';
import { OpenShellError } from '@openshell/base';
import type * as Yaml from 'yaml';
import { type PolicyResult, parsePolicy } from '../parse.ts';
import type { NetworkPolicy, Policy } from '../policy.ts';
import { policyToFile } from '../unparse.ts';

/** Adds the network policies of one policy to another, which keeps everything else, and checks the whole. Keys that are taken get a number. */
export function mergePolicies(base: Policy, addition: Policy): PolicyResult {
  const taken = new Set(base.networkPolicies.map(({ key }) => key));
  const added = addition.networkPolicies.map(
    (network): NetworkPolicy => ({ ...network, key: free(network.key, taken) }),
  );
  const networkPolicies = [...base.networkPolicies, ...added];
  return parsePolicy(JSON.stringify(policyToFile({ ...base, networkPolicies })));
}

/**
 * The same on texts: what the base says stays as it is written, comments included.
 * @throws OpenShellError `policy_invalid` when a text is no policy, or the two contradict each other.
 */
export function mergePolicyText(base: string, addition: string): string {
  const { parseDocument, isMap } = createRequire(import.meta.url)('yaml') as typeof Yaml;
  for (const text of [base, addition]) demandPolicy(text);
  const whole = parseDocument(base);
  const networks = parseDocument(addition).get('network_policies');
  if (!isMap(networks) || networks.items.length === 0) return base;
  const present = whole.get('network_policies');
  if (!isMap(present)) whole.set('network_policies', networks);
  else {
    present.flow = false;
    const taken = new Set(present.items.map(({ key }) => String(key)));
    for (const pair of networks.items) {
      pair.key = whole.createNode(free(String(pair.key), taken));
      present.items.push(pair as Yaml.Pair<Yaml.Node, Yaml.Node>);
    }
  }
  const merged = whole.toString({ lineWidth: 0 });
  demandPolicy(merged);
  return merged;
}

function demandPolicy(text: string): void {
  const result = parsePolicy(text);
  if (result.ok) return;
  const [problem] = result.problems;
  throw new OpenShellError(problem?.message ?? 'The text is no policy.', {
    code: 'policy_invalid',
    ...(problem ? { remedy: problem.fix } : {}),
  });
}

function free(key: string, taken: Set<string>): string {
  let name = key;
  for (let number = 2; taken.has(name); number++) name = `${key}_${number}`;
  taken.add(name);
  return name;
}
