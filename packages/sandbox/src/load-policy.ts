import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { messageOf, OpenShellError } from '@openshell/base';
import { defaultPolicy, formatFinding, type Policy, parsePolicy, withBaseline } from '@openshell/policy';
import type { PolicySource } from './run-options.ts';

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OpenShellError(`cannot read the policy ${file}: ${messageOf(cause)}`, {
      code: 'policy_unreadable',
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
};

/**
 * Reads a policy as it stands: what its hash is of.
 * @throws OpenShellError `policy_unreadable` or `policy_invalid`
 */
export const readPolicyFile = ({ file }: PolicySource): Policy => {
  const result = parsePolicy(read(file), { file });
  if (result.ok) return result.policy;
  throw new OpenShellError(
    `the policy is not valid:\n${result.problems.map((problem) => `  ${formatFinding(problem)}`).join('\n')}`,
    {
      code: 'policy_invalid',
      remedy: `'openshell policy check ${file}' shows the lines.`,
    },
  );
};

/** The policy with the baseline paths that exist here. */
export const onThisMachine = (policy: Policy): Policy => withBaseline(policy, existsSync);

/**
 * Reads the policy and adds the baseline paths that exist here. Without a source: no network, the default files.
 * @throws OpenShellError `policy_unreadable` or `policy_invalid`
 */
export const loadPolicy = (source: PolicySource | undefined): Policy => {
  if (!source) {
    const { readOnly, readWrite } = defaultPolicy.filesystem;
    const filesystem = {
      ...defaultPolicy.filesystem,
      readOnly: readOnly.filter(existsSync),
      readWrite: readWrite.filter(existsSync),
    };
    return onThisMachine({ ...defaultPolicy, filesystem });
  }
  return onThisMachine(readPolicyFile(source));
};

/** Where a binary's path leads: system directories are the same inside and outside. Undefined where nothing is there. */
export const resolveBinaryPath = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // not there now; it is matched by the name alone
  }
};
