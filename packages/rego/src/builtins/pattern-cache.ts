import type { BuiltinContext } from '../builtin.ts';

/** The patterns of one kind that are kept with a compiled policy. */
const MAX_ENTRIES = 500;

/** The longest pattern that is kept. */
const MAX_KEY_LENGTH = 10_000;

/**
 * Something compiled from text, kept as long as the policy is. When there are too many, the oldest goes.
 * @param kind a name that no other kind of entry has
 */
export const compiledOnce = <Compiled>(
  context: BuiltinContext,
  kind: string,
  text: string,
  compile: () => Compiled,
): Compiled => {
  let entries = context.sharedCache.get(kind) as Map<string, Compiled> | undefined;
  if (entries === undefined) {
    entries = new Map();
    context.sharedCache.set(kind, entries);
  }
  const known = entries.get(text);
  if (known !== undefined) return known;
  context.spend(1 + text.length);
  const compiled = compile();
  if (text.length > MAX_KEY_LENGTH) return compiled;
  if (entries.size >= MAX_ENTRIES) entries.delete(entries.keys().next().value!);
  entries.set(text, compiled);
  return compiled;
};
