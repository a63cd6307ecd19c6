import { POLICY_LIMITS } from '../limits.ts';
import type { Scope } from './scope.ts';

/** Patterns by the dotted name of a parameter. */
export type ParameterPatterns = ReadonlyMap<string, readonly string[]>;

/**
 * Reads `params`: what stands inside a mapping belongs to the dotted name. A mapping whose only key is `any`, with a list, holds patterns,
 * one of which will do.
 */
export function readParams(
  raw: ReadonlyMap<string, unknown> | undefined,
  scope: Scope,
): ParameterPatterns | undefined {
  if (!raw) return undefined;
  const patterns = new Map<string, readonly string[]>();
  for (const [name, value] of raw) flatten(name, value, scope.at(name), patterns);
  if (patterns.size > POLICY_LIMITS.ruleValues) {
    scope.problem(
      'too_many',
      `${patterns.size} parameters; at most ${POLICY_LIMITS.ruleValues} are accepted.`,
      'Match fewer.',
    );
  }
  return patterns;
}

function flatten(name: string, value: unknown, scope: Scope, into: Map<string, readonly string[]>): void {
  const inner = entriesOf(value);
  const list = inner?.length === 1 && inner[0]![0] === 'any' ? inner[0]![1] : undefined;
  if (inner && !Array.isArray(list)) {
    if (inner.length === 0) notPatterns(scope);
    for (const [key, entry] of inner) flatten(`${name}.${key}`, entry, scope.at(key), into);
    return;
  }
  const texts = Array.isArray(list) ? list : [value];
  if (texts.length === 0 || texts.length > POLICY_LIMITS.ruleValues || !texts.every(isText)) {
    notPatterns(scope);
    return;
  }
  if (into.has(name)) {
    scope.problem('duplicate_parameter', `"${name}" is given twice.`, 'Keep one of them.', 'key');
    return;
  }
  into.set(name, texts);
}

const isText = (value: unknown): value is string => typeof value === 'string';

function notPatterns(scope: Scope): void {
  scope.problem(
    'wrong_type',
    'A parameter is matched by a text or by { any: [...] } with texts.',
    `Write a pattern (numbers and true or false in quotes), or up to ${POLICY_LIMITS.ruleValues} of them under "any".`,
  );
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : undefined;
}
