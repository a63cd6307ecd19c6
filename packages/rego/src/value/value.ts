import type { Decimal } from './decimal.ts';
import type { RegoObject } from './object.ts';
import type { RegoSet } from './set.ts';

/** A double when it is exact (see `numberFromText`), otherwise the decimal text it was written as. */
export type RegoNumber = number | Decimal;

export type RegoArray = readonly Value[];

/** Anything a Rego expression can yield. Undefined is `undefined` and not a `Value`. */
export type Value = null | boolean | string | RegoNumber | RegoArray | RegoObject | RegoSet;

/** OPA's names of the types, as `type_name` returns them. */
export type TypeName = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' | 'set';

/** The name of a value's type. */
export const typeName = (value: Value): TypeName => {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    default:
      if (value === null) return 'null';
      return isArray(value) ? 'array' : value.kind;
  }
};

/** `Array.isArray` that narrows a readonly array. */
export const isArray = (value: Value | undefined): value is RegoArray => Array.isArray(value);

export const isNumber = (value: Value | undefined): value is RegoNumber =>
  typeof value === 'number' || kindOf(value) === 'number';

export const isObject = (value: Value | undefined): value is RegoObject => kindOf(value) === 'object';

export const isSet = (value: Value | undefined): value is RegoSet => kindOf(value) === 'set';

/** The kind of a value that has a class; nothing for the plain ones. */
const kindOf = (value: Value | undefined): 'number' | 'object' | 'set' | undefined =>
  typeof value === 'object' && value !== null && !isArray(value) ? value.kind : undefined;
