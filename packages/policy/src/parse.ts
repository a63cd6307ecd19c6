import { readDocument } from './document.ts';
import { deepFreeze } from './freeze.ts';
import type { Policy } from './policy.ts';
import type { Notice, PolicySource, Problem } from './problem.ts';
import { POLICY_SCHEMA, type RawPolicy } from './schema/policy-schema.ts';
import { checkAmbiguity } from './validate/ambiguity.ts';
import { readMiddlewares } from './validate/middleware.ts';
import { readNetworkPolicies } from './validate/network.ts';
import type { Scope } from './validate/scope.ts';
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
  const document = readDocument(text, POLICY_SCHEMA, { file: options.file, start: 'version: 1' });
  const policy = document.value && normalise(document.value, document.isBroken, document.scope);
  const problems = document.problems();
  if (!policy || problems.length > 0) return { ok: false, problems };
  return { ok: true, policy: deepFreeze(policy), notices: document.notices(), source: document.source };
}

function normalise(raw: RawPolicy, isBroken: (value: object) => boolean, scope: Scope): Policy {
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
