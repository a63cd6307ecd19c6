import { keyOf, type Value } from '../value/index.ts';

/** A static type, as OPA's built-in declarations use them. `any` without alternatives accepts everything. */
export type Type =
  | { readonly type: 'null' | 'boolean' | 'number' | 'string' }
  | { readonly type: 'array'; readonly static: readonly Type[]; readonly dynamic?: Type }
  | { readonly type: 'object'; readonly static: readonly Property[]; readonly dynamic?: DynamicProperty }
  | { readonly type: 'set'; readonly of?: Type }
  | { readonly type: 'any'; readonly of: readonly Type[] }
  | { readonly type: 'function'; readonly args: readonly Type[]; readonly result: Type };

/** One known member of an object. */
export interface Property {
  readonly key: Value;
  readonly value: Type;
}

/** The type of all members that are not known by name. */
export interface DynamicProperty {
  readonly key: Type;
  readonly value: Type;
}

export const NULL: Type = { type: 'null' };
export const BOOLEAN: Type = { type: 'boolean' };
export const NUMBER: Type = { type: 'number' };
export const STRING: Type = { type: 'string' };

/** Anything at all. */
export const ANY: Type = { type: 'any', of: [] };

/** Any of some types: `anyOf(STRING, setOf(STRING))`. */
export const anyOf = (...of: readonly Type[]): Type => ({ type: 'any', of });

/** An array of any length whose elements have one type. */
export const arrayOf = (dynamic: Type): Type => ({ type: 'array', static: [], dynamic });

/** An array of exactly these elements. */
export const tuple = (...elements: readonly Type[]): Type => ({ type: 'array', static: elements });

export const setOf = (of: Type): Type => ({ type: 'set', of });

/** An object of any keys of one type to values of one type. */
export const objectOf = (key: Type, value: Type): Type => ({
  type: 'object',
  static: [],
  dynamic: { key, value },
});

/** An object with known string keys, and others only when `dynamic` says so. */
export const record = (members: Readonly<Record<string, Type>>, dynamic?: DynamicProperty): Type => {
  const known = Object.entries(members).map(([key, value]) => ({ key, value }));
  return dynamic === undefined
    ? { type: 'object', static: known }
    : { type: 'object', static: known, dynamic };
};

/** Whether two property keys are the same. */
export const sameKey = (a: Value, b: Value): boolean => keyOf(a) === keyOf(b);
