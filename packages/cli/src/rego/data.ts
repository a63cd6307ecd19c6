import { OpenShellError } from '@openshell/base';
import { formatFinding, parsePolicy } from '@openshell/policy';
import type { Handler } from '../handlers.ts';
import { readPolicyText } from '../policy/read-policy.ts';

/** `openshell rego data`: a policy as rules see it. */
export const printPolicyData: Handler = async (args, io) => {
  const { file, text } = readPolicyText(args.operands[0]!);
  const result = parsePolicy(text, { file });
  if (!result.ok) {
    const problems = result.problems.map((problem) => `  ${formatFinding(problem)}`);
    throw new OpenShellError(`the policy is not valid:\n${problems.join('\n')}`, { code: 'policy_invalid' });
  }
  const { policyData } = await import('@openshell/sandbox');
  io.out(`${JSON.stringify(policyData(result.policy), null, 2)}\n`);
  return 0;
};
