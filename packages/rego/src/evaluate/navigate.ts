import { isArray, keyOf, type Value } from '../value/index.ts';

/** The member of a value: an object's by key, an array's by index, a set's member itself. */
export const member = (value: Value, key: Value): Value | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  if (isArray(value)) {
    const index = typeof key === 'number' ? key : keyOf(key);
    return typeof index === 'number' ? value[index] : undefined;
  }
  if (value.kind === 'number') return undefined;
  return value.get(key);
};

/** `member` for a constant name. */
export const namedMember = (value: Value, name: string): Value | undefined => {
  if (typeof value !== 'object' || value === null || isArray(value)) return undefined;
  if (value.kind === 'object') return value.getString(name);
  return value.kind === 'set' ? value.get(name) : undefined;
};

/** What stands at the end of a path. */
export const navigate = (value: Value | undefined, path: readonly Value[]): Value | undefined => {
  let found = value;
  for (const key of path) {
    if (found === undefined) return undefined;
    found = member(found, key);
  }
  return found;
};
