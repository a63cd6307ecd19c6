import { compareNumbers } from './decimal.ts';
import type { RegoObject } from './object.ts';
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
  const kind = typeName(a);
  const other = typeName(b);
  if (kind !== other) return RANK[kind] - RANK[other];
  return compareSameType(a, b);
};

/** Whether two values are the same to Rego: `1` and `1.0` are. */
export const equal = (a: Value, b: Value): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' && typeof b !== 'object') return false;
  if (a === null || b === null) return false;
  if (isArray(a)) return isArray(b) && equalArrays(a, b);
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

const equalArrays = (a: readonly Value[], b: readonly Value[]): boolean => {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) {
    if (!equal(a[index]!, b[index]!)) return false;
  }
  return true;
};

const compareSameType = (a: Value, b: Value): number => {
  if (typeof a === 'boolean') return a ? 1 : -1;
  if (typeof a === 'number') return compareNumbers(a, b as number);
  if (typeof a !== 'object' || a === null) return 0;
  if (isArray(a)) return compareArrays(a, b as readonly Value[]);
  const other = b as typeof a;
  if (a.kind === 'number') return compareNumbers(a, other as typeof a);
  if (a.kind === 'set') return compareArrays(a.sorted, (other as typeof a).sorted);
  return compareObjects(a, other as typeof a);
};

const compareArrays = (a: readonly Value[], b: readonly Value[]): number => {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const order = compare(a[index]!, b[index]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
};

const compareObjects = (a: RegoObject, b: RegoObject): number => {
  const left = a.sortedKeys;
  const right = b.sortedKeys;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const keys = compare(left[index]!, right[index]!);
    if (keys !== 0) return keys;
    const values = compare(a.get(left[index]!)!, b.get(right[index]!)!);
    if (values !== 0) return values;
  }
  return left.length - right.length;
};
