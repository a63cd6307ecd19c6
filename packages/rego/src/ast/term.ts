import type { RegoNumber } from '../value/index.ts';
import type { Body, Expr } from './expr.ts';
import type { Location } from './location.ts';

export type Term =
  | ScalarTerm
  | VarTerm
  | RefTerm
  | CallTerm
  | ArrayTerm
  | SetTerm
  | ObjectTerm
  | ArrayComprehension
  | SetComprehension
  | ObjectComprehension
  | TemplateTerm;

export type Scalar = null | boolean | string | RegoNumber;

export interface ScalarTerm {
  readonly type: 'scalar';
  readonly value: Scalar;
  readonly location: Location;
}

/** A variable. Wildcards have a name of their own each, beginning with `$`, which no source can write. */
export interface VarTerm {
  readonly type: 'var';
  readonly name: string;
  readonly location: Location;
}

/** `head.a[b]`: `a` is a string scalar in the path. */
export interface RefTerm {
  readonly type: 'ref';
  readonly head: Term;
  readonly path: readonly Term[];
  readonly location: Location;
}

/** A call, of an operator as well: `a + b` is `plus(a, b)`. */
export interface CallTerm {
  readonly type: 'call';
  /** A variable (`count`) or a reference (`array.concat`, `data.lib.f`). */
  readonly operator: VarTerm | RefTerm;
  readonly args: readonly Term[];
  readonly location: Location;
  /** As the source has it, e.g. `+`; for the formatter. */
  readonly infix?: string;
}

export interface ArrayTerm {
  readonly type: 'array';
  readonly items: readonly Term[];
  readonly location: Location;
}

export interface SetTerm {
  readonly type: 'set';
  readonly items: readonly Term[];
  readonly location: Location;
}

export interface ObjectTerm {
  readonly type: 'object';
  readonly entries: readonly (readonly [Term, Term])[];
  readonly location: Location;
}

export interface ArrayComprehension {
  readonly type: 'array comprehension';
  readonly term: Term;
  readonly body: Body;
  readonly location: Location;
}

export interface SetComprehension {
  readonly type: 'set comprehension';
  readonly term: Term;
  readonly body: Body;
  readonly location: Location;
}

export interface ObjectComprehension {
  readonly type: 'object comprehension';
  readonly key: Term;
  readonly value: Term;
  readonly body: Body;
  readonly location: Location;
}

/** `$"a {x}"`: literal texts and expressions in turn. */
export interface TemplateTerm {
  readonly type: 'template';
  readonly parts: readonly (string | Expr)[];
  readonly multiline: boolean;
  readonly location: Location;
}

export const scalar = (value: Scalar, location: Location): ScalarTerm => ({
  type: 'scalar',
  value,
  location,
});

export const variable = (name: string, location: Location): VarTerm => ({ type: 'var', name, location });

export const reference = (head: Term, path: readonly Term[], location: Location): RefTerm => ({
  type: 'ref',
  head,
  path,
  location,
});

/** A reference from names: `refOf(['data', 'a'], location)`. */
export const refOf = (names: readonly [string, ...string[]], location: Location): RefTerm =>
  reference(
    variable(names[0], location),
    names.slice(1).map((name) => scalar(name, location)),
    location,
  );

/** A call of a function by its dotted name. */
export const call = (name: string, args: readonly Term[], location: Location, infix?: string): CallTerm => {
  const names = name.split('.') as [string, ...string[]];
  const operator = names.length === 1 ? variable(name, location) : refOf(names, location);
  return infix === undefined
    ? { type: 'call', operator, args, location }
    : { type: 'call', operator, args, location, infix };
};

export const isWildcard = (name: string): boolean => name.startsWith('$');

/** The dotted name of an operator, when every part is a name; `undefined` for anything stranger. */
export const operatorName = (operator: VarTerm | RefTerm): string | undefined => {
  if (operator.type === 'var') return operator.name;
  if (operator.head.type !== 'var') return undefined;
  const names = [operator.head.name];
  for (const part of operator.path) {
    if (part.type !== 'scalar' || typeof part.value !== 'string') return undefined;
    names.push(part.value);
  }
  return names.join('.');
};
