import type { Location } from './location.ts';
import type { Term, VarTerm } from './term.ts';

export type Body = readonly Expr[];

/** One statement of a body. */
export interface Expr {
  readonly negated: boolean;
  readonly statement: Statement;
  readonly with: readonly With[];
  readonly location: Location;
  /** Made by the compiler. */
  readonly generated?: boolean;
}

export type Statement =
  | { readonly type: 'term'; readonly term: Term }
  /** `some x, y` */
  | { readonly type: 'some'; readonly names: readonly VarTerm[] }
  /** `some k, v in xs` */
  | { readonly type: 'some in'; readonly key?: Term; readonly value: Term; readonly domain: Term }
  | EveryStatement;

/** `every k, v in xs { body }` */
export interface EveryStatement {
  readonly type: 'every';
  readonly key?: VarTerm;
  readonly value: VarTerm;
  readonly domain: Term;
  readonly body: Body;
}

/** `with target as value` */
export interface With {
  readonly target: Term;
  readonly value: Term;
  readonly location: Location;
}

/** A statement that is nothing but a term. */
export const termExpr = (term: Term, generated = false): Expr => ({
  negated: false,
  statement: { type: 'term', term },
  with: [],
  location: term.location,
  ...(generated ? { generated } : {}),
});
