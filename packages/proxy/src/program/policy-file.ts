import { readFile } from 'node:fs/promises';
import { messageOf, OpenShellError } from '@openshell/base';
import { formatFinding, type Policy, parsePolicy } from '@openshell/policy';

/** Reads a policy. Throws `policy_unreadable` or `policy_invalid`, with every place named. */
export async function loadPolicy(file: string): Promise<Policy> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new OpenShellError(`the policy cannot be read: ${messageOf(cause)}`, {
      code: 'policy_unreadable',
      cause,
    });
  });
  const result = parsePolicy(text, { file });
  if (result.ok) return result.policy;
  throw new OpenShellError(result.problems.map(formatFinding).join('\n'), { code: 'policy_invalid' });
}
