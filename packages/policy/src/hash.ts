import type { Policy } from './policy.ts';

/**
 * Identifies what a policy means: SHA-256 over its normalised form with sorted keys, in lower-case hex. Formatting, comments, the order of
 * keys and defaults that are written out make no difference; the order of endpoints does, since events count by it.
 */
export function policyHash(policy: Policy): string {
  // Loaded here: node:crypto takes longer to load than a small policy to read, and many commands hash nothing.
  const { hash } = process.getBuiltinModule('node:crypto');
  return hash('sha256', stableJson(policy), 'hex');
}

/** JSON whose keys are in order, so that equal data has equal text. */
export function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${stableJson(inner)}`).join(',')}}`;
}
