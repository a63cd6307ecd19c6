import { boundedText } from './too-large.ts';
import { isArray, type Value } from './value.ts';

/** What stands for a value in a `Map` or `Set`: the same for equal values, different for all others. */
export type Key = string | number | boolean | null;

/**
 * The key of a value. Scalars are their own keys, so looking up `input.host` allocates nothing; everything else
 * begins with a NUL, which strings that begin with one are escaped from.
 */
export const keyOf = (value: Value): Key => {
  switch (typeof value) {
    case 'string':
      return stringKey(value);
    case 'number':
    case 'boolean':
      return value;
    default:
      if (value === null) return null;
      return isArray(value) ? arrayKey(value) : value.key;
  }
};

/** The key of a string. */
export const stringKey = (text: string): string => (text.charCodeAt(0) === 0 ? `\0s${text}` : text);

const arrayKey = (array: readonly Value[]): string => {
  let key = '\0[';
  for (const element of array) key += embeddedKey(element);
  return boundedText(`${key}]`);
};

/** A key that can stand in a row with others: no two rows of values have the same text. */
export const embeddedKey = (value: Value): string => {
  const key = keyOf(value);
  switch (typeof key) {
    case 'string':
      return `${key.length}:${key}`;
    case 'number':
      return `#${key},`;
    case 'boolean':
      return key ? 't' : 'f';
    default:
      return 'n';
  }
};
