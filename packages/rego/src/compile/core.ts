import type { Location } from '../ast/location.ts';
import type { BuiltinDeclaration } from '../builtin.ts';
import type { Value } from '../value/index.ts';
import type { RuleGroup } from './rule-tree.ts';

/**
 * The language that is left after names are resolved and calls are taken apart: what safety, recursion and types are
 * checked on, and what is turned into closures.
 */
export type CoreTerm =
  | { readonly type: 'const'; readonly value: Value }
  | CoreVar
  | CoreRef
  | { readonly type: 'array'; readonly items: readonly CoreTerm[] }
  | { readonly type: 'set'; readonly items: readonly CoreTerm[] }
  | { readonly type: 'object'; readonly entries: readonly (readonly [CoreTerm, CoreTerm])[] }
  | CoreComprehension;

export interface CoreVar {
  readonly type: 'var';
  readonly name: string;
}

export interface CoreRef {
  readonly type: 'ref';
  readonly base: 'input' | 'data' | CoreVar;
  readonly path: readonly CoreTerm[];
  readonly location: Location;
}

export interface CoreComprehension {
  readonly type: 'comprehension';
  readonly kind: 'array' | 'set' | 'object';
  readonly key?: CoreTerm;
  readonly term: CoreTerm;
  readonly body: CoreBody;
  readonly location: Location;
}

export type CoreBody = readonly CoreExpr[];

export interface CoreExpr {
  readonly statement: CoreStatement;
  readonly negated: boolean;
  readonly with: readonly CoreWith[];
  readonly location: Location;
}

export type CoreStatement =
  /** Defined and not false. */
  | { readonly type: 'test'; readonly term: CoreTerm }
  | { readonly type: 'unify'; readonly left: CoreTerm; readonly right: CoreTerm }
  | CoreCall
  | CoreEvery;

export interface CoreCall {
  readonly type: 'call';
  readonly callee: Callee;
  readonly args: readonly CoreTerm[];
  /** What the result is unified with; without it the result must not be false. */
  readonly output?: CoreTerm;
}

export interface CoreEvery {
  readonly type: 'every';
  readonly key?: string;
  readonly value: string;
  readonly domain: CoreTerm;
  readonly body: CoreBody;
}

export type Callee =
  | { readonly type: 'builtin'; readonly declaration: BuiltinDeclaration }
  | { readonly type: 'function'; readonly group: RuleGroup };

/** The name of what is called, as `with` knows it: `count`, `data.lib.f`. */
export const calleeName = (callee: Callee): string =>
  callee.type === 'builtin' ? callee.declaration.name : callee.group.node.name;

export type CoreWith =
  | {
      readonly type: 'input';
      readonly path: readonly string[];
      readonly value: CoreTerm;
      readonly location: Location;
    }
  | {
      readonly type: 'data';
      readonly path: readonly string[];
      readonly value: CoreTerm;
      readonly location: Location;
    }
  | {
      readonly type: 'function';
      readonly name: string;
      readonly replacement: Replacement;
      readonly location: Location;
    };

/** What stands in for a function: another one, called with the same arguments, or a value. */
export type Replacement =
  | { readonly type: 'callee'; readonly callee: Callee }
  | { readonly type: 'value'; readonly value: CoreTerm };

/** A rule after all passes; its `else` is the next of the chain. */
export interface CoreRule {
  /** Variables of the arguments, in order. */
  readonly params: readonly string[];
  readonly body: CoreBody;
  /** What follows the group's own path in the head: `[x, 'b']` of `p[x].b`. */
  readonly path: readonly CoreTerm[];
  /** Of `contains`. */
  readonly key?: CoreTerm;
  readonly value: CoreTerm;
  readonly else?: CoreRule;
  readonly location: Location;
}
