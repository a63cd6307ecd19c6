import { type Glob, globRegex } from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';

/** A table by texts that are somebody else's. Without a prototype: `__proto__` is a text like any other. */
export type Table<T> = Record<string, T>;

export const table = <T>(): Table<T> => Object.create(null) as Table<T>;

/**
 * Patterns in the form that rules match fastest: texts, beginnings of texts, and regular expressions for the rest. Rules in Rego have no
 * pattern language that is the one of policies.
 */
export const patternsData = (globs: readonly Glob[]): JsonObject => {
  const exact = table<true>();
  const prefixes: string[] = [];
  const patterns: string[] = [];
  for (const glob of globs) {
    if (glob.literal !== undefined) exact[glob.literal] = true;
    else if (glob.prefix !== undefined) prefixes.push(glob.prefix);
    else patterns.push(globRegex(glob));
  }
  return { exact, prefixes, patterns };
};
