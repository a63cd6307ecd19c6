import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { messageOf, OpenShellError } from '@openshell/base';
import {
  defaultPolicy,
  formatFinding,
  inspectedParts,
  type Policy,
  parsePolicy,
  type PolicySource as Source,
  withBaseline,
} from '@openshell/policy';
import type { PolicySource, Rules } from './run-options.ts';

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
 * Reads the policy and adds the baseline paths that exist here. Without a source: no network, the default files. Rules of the user's decide about
 * connections only, so with them a policy must ask for no more.
 * @throws OpenShellError `policy_unreadable`, `policy_invalid`, `inspection_needed` (never run with a rule ignored).
 */
export const loadPolicy = (source: PolicySource | undefined, rules?: Rules): Policy => {
  if (!source) {
    const { readOnly, readWrite } = defaultPolicy.filesystem;
    const filesystem = {
      ...defaultPolicy.filesystem,
      readOnly: readOnly.filter(existsSync),
      readWrite: readWrite.filter(existsSync),
    };
    return withBaseline({ ...defaultPolicy, filesystem }, existsSync);
  }
  const { file } = source;
  const result = parsePolicy(read(file), { file });
  if (!result.ok) {
    throw new OpenShellError(
      `the policy is not valid:\n${result.problems.map((problem) => `  ${formatFinding(problem)}`).join('\n')}`,
      {
        code: 'policy_invalid',
        remedy: `'openshell policy check ${file}' shows the lines.`,
      },
    );
  }
  if (rules !== undefined) requireConnectionsOnly(result.policy, result.source, file);
  return withBaseline(result.policy, existsSync);
};

const requireConnectionsOnly = (policy: Policy, source: Source, file: string): void => {
  const parts = inspectedParts(policy, source);
  if (parts.length > 0) {
    const lines = parts.map(
      ({ path, reason, line, column }) =>
        `  ${[file, line, column].filter(Boolean).join(':')}: ${path}: ${reason}`,
    );
    throw new OpenShellError(
      `rules decide about connections and not about requests, which the policy asks to be looked into:\n${lines.join('\n')}`,
      {
        code: 'inspection_needed',
        remedy:
          'Nothing was started: a rule that cannot be enforced is not ignored. Leave the rules out, or these fields.',
      },
    );
  }
};

/** Where a binary's path leads: system directories are the same inside and outside. Undefined where nothing is there. */
export const resolveBinaryPath = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // not there now; it is matched by the name alone
  }
};
