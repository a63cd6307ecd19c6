import { readFile } from 'node:fs/promises';
import { type Generation, messageOf, OpenShellError } from '@openshell/base';
import {
  compilePolicy,
  formatFinding,
  inspectionNeeded,
  type PolicyEngine,
  parsePolicy,
} from '@openshell/policy';

/** Reads a policy and makes it an engine. Throws `policy_unreadable`, `policy_invalid` or `inspection_needed`, with every place named. */
export async function loadEngine(file: string, generation: Generation): Promise<PolicyEngine> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new OpenShellError(`the policy cannot be read: ${messageOf(cause)}`, {
      code: 'policy_unreadable',
      cause,
    });
  });
  const result = parsePolicy(text, { file });
  if (!result.ok) {
    throw new OpenShellError(result.problems.map(formatFinding).join('\n'), { code: 'policy_invalid' });
  }
  const needs = inspectionNeeded(result.policy, result.source);
  if (needs.length > 0) {
    const lines = needs.map(
      ({ path, reason, line, column }) => `${file}:${line ?? 1}:${column ?? 1}: ${path}: ${reason}`,
    );
    throw new OpenShellError(
      `the policy needs requests to be inspected, which this proxy cannot do:\n${lines.join('\n')}`,
      {
        code: 'inspection_needed',
        remedy: 'Leave these fields out to allow the connection as a whole.',
      },
    );
  }
  return compilePolicy(result.policy, generation, { identity: 'not-required' });
}
