import type { BuiltinDeclaration } from '../builtin.ts';
import type { Value } from '../value/index.ts';
import type { Callee, CoreBody, CoreExpr, CoreRef, CoreRule, CoreTerm } from './core.ts';
import type { RuleGroup, RuleNode } from './rule-tree.ts';
import { comprehensionsOf, exprTerms } from './variables.ts';

/** The parts of a reference into data; `undefined` stands for one that is not constant. */
export type Path = readonly (Value | undefined)[];

/** Something that a rule's value may depend on. */
export type Use =
  | { readonly type: 'data'; readonly path: Path }
  | { readonly type: 'input' }
  | { readonly type: 'function'; readonly group: RuleGroup }
  | { readonly type: 'builtin'; readonly declaration: BuiltinDeclaration }
  /** Documents are other ones within a statement. */
  | { readonly type: 'with' };

/** All that a rule uses, its `else` included. */
export const usesOf = function* (rule: CoreRule): Generator<Use> {
  for (let link: CoreRule | undefined = rule; link !== undefined; link = link.else) {
    const heads = [...link.path, link.value, ...(link.key === undefined ? [] : [link.key])];
    for (const term of heads) yield* ofTerm(term);
    yield* ofBody(link.body);
  }
};

const ofBody = function* (body: CoreBody): Generator<Use> {
  for (const expr of body) yield* ofExpr(expr);
};

const ofExpr = function* (expr: CoreExpr): Generator<Use> {
  const { statement } = expr;
  if (statement.type === 'call') yield ofCallee(statement.callee);
  if (statement.type === 'every') yield* ofBody(statement.body);
  if (expr.with.length > 0) yield { type: 'with' };
  for (const modifier of expr.with) {
    if (modifier.type === 'function' && modifier.replacement.type === 'callee') {
      yield ofCallee(modifier.replacement.callee);
    }
  }
  for (const term of exprTerms(expr)) yield* ofTerm(term);
};

const ofCallee = (callee: Callee): Use =>
  callee.type === 'function'
    ? { type: 'function', group: callee.group }
    : { type: 'builtin', declaration: callee.declaration };

const ofTerm = function* (term: CoreTerm): Generator<Use> {
  for (const { body, key, term: head } of comprehensionsOf(term)) {
    yield* ofBody(body);
    yield* ofTerm(head);
    if (key !== undefined) yield* ofTerm(key);
  }
  for (const { base, path } of referencesOf(term)) {
    if (base === 'input') yield { type: 'input' };
    if (base === 'data') {
      yield { type: 'data', path: path.map((part) => (part.type === 'const' ? part.value : undefined)) };
    }
  }
};

/** The references in a term, those in paths of others included. */
const referencesOf = (term: CoreTerm): readonly CoreRef[] => {
  switch (term.type) {
    case 'const':
    case 'var':
    case 'comprehension':
      return [];
    case 'ref':
      return [term, ...term.path.flatMap(referencesOf)];
    case 'array':
    case 'set':
      return term.items.flatMap(referencesOf);
    case 'object':
      return term.entries.flatMap(([key, value]) => [...referencesOf(key), ...referencesOf(value)]);
    default:
      return term satisfies never;
  }
};

/** The groups on the way of a path, and all below its end. Functions are documents to nobody. */
export const groupsAt = function* (node: RuleNode, path: Path, from = 0): Generator<RuleGroup> {
  if (node.group !== undefined && node.group.kind !== 'function') yield node.group;
  const part = path[from];
  if (from < path.length && part !== undefined) {
    const child = node.child(part);
    if (child !== undefined) yield* groupsAt(child, path, from + 1);
    return;
  }
  for (const child of node.children.values()) yield* groupsAt(child, path, from + 1);
};
