import { type BuiltinContext, type BuiltinDeclaration, OperandError, operandError } from '../builtin.ts';
import { ANY, anyOf, arrayOf, objectOf, setOf } from '../types/index.ts';
import {
  equal,
  isArray,
  isObject,
  isSet,
  type RegoArray,
  RegoObject,
  RegoSet,
  type Value,
} from '../value/index.ts';
import { builtin } from './declare.ts';
import { arrayAt, checkSize, objectAt, wrongElement } from './operands.ts';

/** The value at a path through objects, arrays and sets. */
const valueAtPath = (value: Value, path: readonly Value[]): Value | undefined => {
  let found: Value | undefined = value;
  for (const step of path) {
    if (isObject(found)) found = found.get(step);
    else if (isArray(found)) found = typeof step === 'number' ? found[step] : undefined;
    else if (isSet(found)) found = found.get(step);
    else return undefined;
    if (found === undefined) return undefined;
  }
  return found;
};

const get = (args: readonly Value[]): Value => {
  const object = objectAt(args, 0);
  const [, key, otherwise] = args as [Value, Value, Value];
  return (isArray(key) ? valueAtPath(object, key) : object.get(key)) ?? otherwise;
};

/** The second's members win; where both have objects, those are merged in turn. */
const merged = (a: RegoObject, b: RegoObject, context: BuiltinContext): RegoObject => {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  checkSize(a.size + b.size, context);
  const result = new RegoObject(a);
  for (const [key, value] of b) {
    const own = a.get(key);
    result.set(key, isObject(own) && isObject(value) ? merged(own, value, context) : value);
  }
  return result;
};

const unionOfMany = (args: readonly Value[], context: BuiltinContext): Value => {
  const list = arrayAt(args, 0);
  return list.reduce<RegoObject>((result, element) => {
    if (!isObject(element)) throw wrongElement(1, list, element, 'object');
    return merged(result, element, context);
  }, new RegoObject());
};

/** Keys named by a set, an array, or the keys of an object. */
const keysAt = (args: readonly Value[], index: number): RegoSet => {
  const value = args[index]!;
  if (isSet(value)) return value;
  if (isArray(value)) return new RegoSet(value);
  if (isObject(value)) return new RegoSet(value.keys());
  throw operandError(index + 1, value, 'object', 'set', 'array');
};

const restricted =
  (kept: boolean) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const object = objectAt(args, 0);
    const keys = keysAt(args, 1);
    context.spend(object.size + keys.size);
    const result = new RegoObject();
    for (const [key, value] of object) if (keys.has(key) === kept) result.set(key, value);
    return result;
  };

const subset = (args: readonly Value[], context: BuiltinContext): Value => {
  const [whole, part] = args as [Value, Value];
  if (isArray(whole) && isSet(part)) {
    const members = new RegoSet(whole);
    return part.sorted.every((member) => members.has(member));
  }
  const answer = contains(whole, part, context);
  if (answer === undefined) {
    throw new OperandError('both arguments object.subset must be of the same type or array and set');
  }
  return answer;
};

/** Whether one collection is part of another of its kind; nothing when they are not collections of one kind. */
const contains = (whole: Value, part: Value, context: BuiltinContext): boolean | undefined => {
  if (isObject(whole) && isObject(part)) return containsMembers(whole, part, context);
  if (isSet(whole) && isSet(part)) {
    context.spend(part.size);
    return part.sorted.every((member) => whole.has(member));
  }
  if (isArray(whole) && isArray(part)) return containsRun(whole, part, context);
  return undefined;
};

const containsMembers = (whole: RegoObject, part: RegoObject, context: BuiltinContext): boolean => {
  context.spend(part.size);
  for (const [key, value] of part) {
    const own = whole.get(key);
    if (own === undefined || !(contains(own, value, context) ?? equal(own, value))) return false;
  }
  return true;
};

/** Whether the elements of `part` stand next to each other somewhere in `whole`. */
const containsRun = (whole: RegoArray, part: RegoArray, context: BuiltinContext): boolean => {
  for (let start = 0; start + part.length <= whole.length; start++) {
    let length = 0;
    while (length < part.length && equal(whole[start + length]!, part[length]!)) length++;
    context.spend(1 + length);
    if (length === part.length) return true;
  }
  return false;
};

const OBJECT = objectOf(ANY, ANY);
const KEYS = anyOf(arrayOf(ANY), setOf(ANY), OBJECT);
const COLLECTION = anyOf(setOf(ANY), arrayOf(ANY), OBJECT);

export const objectBuiltins: readonly BuiltinDeclaration[] = [
  builtin('object.get', [OBJECT, ANY, ANY], ANY, get),
  builtin('object.keys', [OBJECT], setOf(ANY), (args) => new RegoSet(objectAt(args, 0).keys())),
  builtin('object.union', [OBJECT, OBJECT], ANY, (args, context) =>
    merged(objectAt(args, 0), objectAt(args, 1), context),
  ),
  builtin('object.union_n', [arrayOf(OBJECT)], ANY, unionOfMany),
  builtin('object.filter', [OBJECT, KEYS], OBJECT, restricted(true)),
  builtin('object.remove', [OBJECT, KEYS], OBJECT, restricted(false)),
  builtin('object.subset', [COLLECTION, COLLECTION], ANY, subset),
];
