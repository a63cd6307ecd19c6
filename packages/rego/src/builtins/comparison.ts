import type { BuiltinDeclaration } from '../builtin.ts';
import { ANY, BOOLEAN } from '../types/index.ts';
import { compare, equal, isArray, isObject, isSet, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';

const ordered =
  (holds: (order: number) => boolean) =>
  (args: readonly Value[]): Value =>
    holds(compare(args[0]!, args[1]!));

const isEqual = (args: readonly Value[]): Value => equal(args[0]!, args[1]!);

/** `x in xs`: a member of a set, an element of an array, a value of an object; nothing is in anything else. */
const isMember = (args: readonly Value[]): Value => {
  const [wanted, collection] = args as [Value, Value];
  if (isSet(collection)) return collection.has(wanted);
  if (isArray(collection)) return collection.some((element) => equal(element, wanted));
  if (!isObject(collection)) return false;
  for (const value of collection.values()) if (equal(value, wanted)) return true;
  return false;
};

/** `k, v in xs`: the value at a key or an index. */
const isMemberWithKey = (args: readonly Value[]): Value => {
  const [key, wanted, collection] = args as [Value, Value, Value];
  let found: Value | undefined;
  if (isArray(collection)) found = typeof key === 'number' ? collection[key] : undefined;
  else if (isObject(collection)) found = collection.get(key);
  return found !== undefined && equal(found, wanted);
};

const TWO = [ANY, ANY];

/** Comparison operators and membership. `eq` and `assign` are here for their declarations: unification is the core's. */
export const comparisonBuiltins: readonly BuiltinDeclaration[] = [
  builtin('eq', TWO, BOOLEAN, isEqual, { infix: '=' }),
  builtin('assign', TWO, BOOLEAN, isEqual, { infix: ':=' }),
  builtin('equal', TWO, BOOLEAN, isEqual, { infix: '==' }),
  builtin('neq', TWO, BOOLEAN, (args) => !equal(args[0]!, args[1]!), { infix: '!=' }),
  builtin(
    'lt',
    TWO,
    BOOLEAN,
    ordered((order) => order < 0),
    { infix: '<' },
  ),
  builtin(
    'lte',
    TWO,
    BOOLEAN,
    ordered((order) => order <= 0),
    { infix: '<=' },
  ),
  builtin(
    'gt',
    TWO,
    BOOLEAN,
    ordered((order) => order > 0),
    { infix: '>' },
  ),
  builtin(
    'gte',
    TWO,
    BOOLEAN,
    ordered((order) => order >= 0),
    { infix: '>=' },
  ),
  builtin('internal.member_2', TWO, BOOLEAN, isMember, { infix: 'in' }),
  builtin('internal.member_3', [ANY, ANY, ANY], BOOLEAN, isMemberWithKey, { infix: 'in' }),
];
