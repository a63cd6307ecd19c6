import { stableJson } from './hash.ts';
import type { NetworkPolicy, Policy } from './policy.ts';

/** What changed from one policy to another, by when it can take effect. */
export interface PolicyDiff {
  /** Parts that are fixed while a sandbox runs. */
  readonly static: readonly ('filesystem' | 'landlock' | 'process')[];
  /** Keys of network policies. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly middlewares: boolean;
}

/** Compares two policies. A reload may apply the result when `static` is empty. */
export function diffPolicy(before: Policy, after: Policy): PolicyDiff {
  const old = new Map(before.networkPolicies.map((policy) => [policy.key, policy]));
  const now = new Map(after.networkPolicies.map((policy) => [policy.key, policy]));
  const differs = (a: NetworkPolicy | undefined, b: NetworkPolicy) =>
    a !== undefined && stableJson(a) !== stableJson(b);
  return {
    static: (['filesystem', 'landlock', 'process'] as const).filter(
      (part) => stableJson(before[part]) !== stableJson(after[part]),
    ),
    added: [...now.keys()].filter((key) => !old.has(key)),
    removed: [...old.keys()].filter((key) => !now.has(key)),
    changed: [...now].filter(([key, policy]) => differs(old.get(key), policy)).map(([key]) => key),
    middlewares: stableJson(before.middlewares) !== stableJson(after.middlewares),
  };
}
