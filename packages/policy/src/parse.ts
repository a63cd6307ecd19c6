import { deepFreeze } from './freeze.ts';
import type { Policy } from './policy.ts';
import type { Findings, Notice, PolicySource, Problem } from './problem.ts';
import { POLICY_SCHEMA, type RawPolicy } from './schema/policy-schema.ts';
import { readTree } from './schema/read.ts';
import { parseYaml } from './schema/yaml.ts';
import { checkAmbiguity } from './validate/ambiguity.ts';
import { readMiddlewares } from './validate/middleware.ts';
import { readNetworkPolicies } from './validate/network.ts';
import { Scope } from './validate/scope.ts';
import { readStaticPart } from './validate/static.ts';

export interface ParseOptions {
  /** Shown in problems and notices. */
  readonly file?: string;
}

/** A policy with what its author should know, or everything that is wrong with the text. */
export type PolicyResult =
  | {
      readonly ok: true;
      readonly policy: Policy;
      readonly notices: readonly Notice[];
      readonly source: PolicySource;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads, checks and normalises a policy file. Never throws: whatever the text is, the answer is a policy or its problems, each
 * with the line and column of the key or value that is wrong. What this project treats more strictly than the system that the
 * file may come from is said in notices.
 */
export function parsePolicy(text: string, options: ParseOptions = {}): PolicyResult {
  const { root, source, findings } = parseYaml(text, options.file);
  const yamlProblems = findings.problems.length;
  if (!root) return { ok: false, problems: findings.problems };
  const { value, isBroken } = readTree(root, POLICY_SCHEMA, findings);
  const policy = value && normalise(value, isBroken, findings);
  if (!policy || findings.problems.length > 0)
    return { ok: false, problems: inOrder(withoutEchoes(findings.problems, yamlProblems)) };
  return { ok: true, policy: deepFreeze(policy), notices: inOrder(findings.notices), source };
}

function normalise(raw: RawPolicy, isBroken: (value: object) => boolean, findings: Findings): Policy {
  const scope = new Scope(findings);
  const { policies, sound } = readNetworkPolicies(
    raw.network_policies ?? new Map(),
    isBroken,
    scope.at('network_policies'),
  );
  checkAmbiguity(sound);
  const unbroken = new Map([...(raw.network_middlewares ?? [])].filter(([, entry]) => !isBroken(entry)));
  return {
    version: 1,
    ...readStaticPart(raw, scope),
    networkPolicies: policies,
    middlewares: readMiddlewares(unbroken, sound, scope.at('network_middlewares')),
  };
}

/** A value that YAML itself made unusable is not also reported as being of the wrong type. */
function withoutEchoes(problems: readonly Problem[], yamlProblems: number): Problem[] {
  const places = new Set(problems.slice(0, yamlProblems).map((problem) => problem.path));
  return problems.filter((problem, index) => index < yamlProblems || !places.has(problem.path));
}

/** By place in the file, as people work through them. */
const inOrder = <T extends Problem | Notice>(findings: readonly T[]): T[] =>
  [...findings].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
