import { isArray, isObject, keyOf, type Value } from '../value/index.ts';

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

/** `member` for a constant name, whose `stringKey` is given. */
export const namedMember = (value: Value, name: string, key: string): Value | undefined => {
  if (typeof value !== 'object' || value === null || isArray(value)) return undefined;
  if (value.kind === 'object') return value.getNamed(name, key);
  return value.kind === 'set' ? value.get(name) : undefined;
};

/**
 * `member` in the base document. OPA's store has names only, so there a number finds a member of that name, and a
 * numeral an element.
 */
export const baseMember = (value: Value, key: Value): Value | undefined => {
  const found = member(value, key);
  if (found !== undefined) return found;
  if (typeof key === 'number' && isObject(value)) return value.getString(String(key));
  return typeof key === 'string' && isArray(value) && /^\d{1,9}$/.test(key) ? value[Number(key)] : undefined;
};

/** What the base document has at the end of a path. */
export const navigate = (value: Value | undefined, path: readonly Value[]): Value | undefined => {
  let found = value;
  for (const key of path) {
    if (found === undefined) return undefined;
    found = baseMember(found, key);
  }
  return found;
};
