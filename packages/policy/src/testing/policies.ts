import assert from 'node:assert/strict';
import { sandboxId } from '@openshell/base';
import type { Evidence, Intent } from '../engine.ts';
import { parsePolicy } from '../parse.ts';
import type { Policy } from '../policy.ts';
import { formatFinding } from '../problem.ts';

/** The policy of a text that must be valid. */
export function policyFrom(text: string): Policy {
  const result = parsePolicy(text);
  assert.ok(result.ok, result.ok ? '' : result.problems.map(formatFinding).join('\n'));
  return result.policy;
}

/** Evidence of a program and those that started it. */
export function processEvidence(
  path: string,
  ancestors: readonly string[] = [],
  argv: readonly string[] = [],
): Evidence {
  const identity = (program: string) => ({ path: program, sha256: '0'.repeat(64), pinned: true });
  return { kind: 'process', pid: 7, executable: identity(path), ancestors: ancestors.map(identity), argv };
}

export function intentFor(host: string, port: number, evidence: Evidence | string): Intent {
  const who = typeof evidence === 'string' ? processEvidence(evidence) : evidence;
  return { sandbox: sandboxId('test'), adapter: 'connect', host, port, evidence: who };
}
