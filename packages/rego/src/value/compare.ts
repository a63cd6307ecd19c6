import { compareNumbers } from './decimal.ts';
import type { RegoObject } from './object.ts';
import { Visits } from './too-large.ts';
import { isArray, type TypeName, typeName, type Value } from './value.ts';

/** OPA sorts values of different types in this order. */
const RANK: Readonly<Record<TypeName, number>> = {
  null: 0,
  boolean: 1,
  number: 2,
  string: 3,
  array: 4,
  object: 5,
  set: 6,
};

/** OPA's total order of values: negative, zero or positive, zero exactly for equal values. */
export const compare = (a: Value, b: Value): number => {
  if (a === b) return 0;
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return compareDeep(a, b, new Visits());
};

const compareDeep = (a: Value, b: Value, visits: Visits): number => {
  if (a === b) return 0;
  visits.visit();
  const kind = typeName(a);
  const other = typeName(b);
  if (kind !== other) return RANK[kind] - RANK[other];
  return compareSameType(a, b, visits);
};

/** Whether two values are the same to Rego: `1` and `1.0` are. */
export const equal = (a: Value, b: Value): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' && typeof b !== 'object') return false;
  if (a === null || b === null) return false;
  if (isArray(a)) return isArray(b) && a.length === b.length && compare(a, b) === 0;
  if (isArray(b)) return false;
  if (typeof a === 'object' && typeof b === 'object') {
    if (a.kind !== b.kind) return false;
    if (a.kind !== 'number' && b.kind !== 'number' && a.size !== b.size) return false;
  }
  return compare(a, b) === 0;
};

/** Code point order, which is the byte order of UTF-8 and so Go's order of strings. */
export const compareStrings = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
};

/** Surrogates stand for code points above all other units, though their numbers are below U+E000. */
const codePointRank = (unit: number): number => {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
};

const compareSameType = (a: Value, b: Value, visits: Visits): number => {
  if (typeof a === 'string') return compareStrings(a, b as string);
  if (typeof a === 'boolean') return a ? 1 : -1;
  if (typeof a === 'number') return compareNumbers(a, b as number);
  if (a === null) return 0;
  if (isArray(a)) return compareArrays(a, b as readonly Value[], visits);
  const other = b as typeof a;
  if (a.kind === 'number') return compareNumbers(a, other as typeof a);
  if (a.kind === 'set') return compareArrays(a.sorted, (other as typeof a).sorted, visits);
  return compareObjects(a, other as typeof a, visits);
};

const compareArrays = (a: readonly Value[], b: readonly Value[], visits: Visits): number => {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const order = compareDeep(a[index]!, b[index]!, visits);
    if (order !== 0) return order;
  }
  return a.length - b.length;
};

const compareObjects = (a: RegoObject, b: RegoObject, visits: Visits): number => {
  const left = a.sortedKeys;
  const right = b.sortedKeys;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const keys = compareDeep(left[index]!, right[index]!, visits);
    if (keys !== 0) return keys;
    const values = compareDeep(a.get(left[index]!)!, b.get(right[index]!)!, visits);
    if (values !== 0) return values;
  }
  return left.length - right.length;
};
