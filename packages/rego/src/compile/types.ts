import { RegoError } from '../error.ts';
import type { Type } from '../types/index.ts';
import { type TypeName, typeName } from '../value/index.ts';
import type { CoreBody, CoreCall, CoreExpr, CoreRule, CoreTerm } from './core.ts';
import type { RuleGroup } from './rule-tree.ts';
import { exprBodies } from './variables.ts';

/** The types that a term may have; nothing when any. */
type Kinds = ReadonlySet<TypeName> | undefined;

/**
 * Refuses calls of built-ins with operands that can never be of a type that they take. Judged by the outermost type
 * alone, from literals and from results of other built-ins: what comes from data or input may be anything.
 */
export const checkTypes = (groups: readonly RuleGroup[], errors: RegoError[]): void => {
  for (const group of groups) {
    for (const rule of group.rules) {
      for (let link: CoreRule | undefined = rule; link !== undefined; link = link.else) {
        checkBody(link.body, new Map(), errors);
      }
    }
  }
};

type Environment = Map<string, Kinds>;

const checkBody = (body: CoreBody, known: Environment, errors: RegoError[]): void => {
  for (const expr of body) {
    for (const inner of exprBodies(expr)) checkBody(inner, new Map(known), errors);
    // What a `with` replaces may have any type.
    if (expr.with.length === 0) checkExpr(expr, known, errors);
  }
};

const checkExpr = (expr: CoreExpr, known: Environment, errors: RegoError[]): void => {
  const { statement } = expr;
  if (statement.type === 'unify') {
    learn(statement.left, kindsOf(statement.right, known), known);
    learn(statement.right, kindsOf(statement.left, known), known);
  }
  if (statement.type !== 'call' || statement.callee.type !== 'builtin') return;
  const { declaration } = statement.callee;
  const have = statement.args.map((arg) => kindsOf(arg, known));
  const wrong = have.some(
    (kinds, index) => !overlap(kinds, typeKinds(declaration.args[index] ?? declaration.variadic)),
  );
  if (wrong) errors.push(mismatch(statement, have, expr));
  if (statement.output !== undefined && declaration.relation !== true) {
    learn(statement.output, typeKinds(declaration.result), known);
  }
};

const learn = (term: CoreTerm, kinds: Kinds, known: Environment): void => {
  if (term.type === 'var' && kinds !== undefined && !known.has(term.name)) known.set(term.name, kinds);
};

const kindsOf = (term: CoreTerm, known: Environment): Kinds => {
  switch (term.type) {
    case 'const':
      return new Set([typeName(term.value)]);
    case 'var':
      return known.get(term.name);
    case 'ref':
      return undefined;
    case 'array':
    case 'set':
    case 'object':
      return new Set([term.type]);
    case 'comprehension':
      return new Set([term.kind]);
    default:
      return term satisfies never;
  }
};

const typeKinds = (type: Type | undefined): Kinds => {
  if (type === undefined || type.type === 'function') return undefined;
  if (type.type !== 'any') return new Set([type.type]);
  if (type.of.length === 0) return undefined;
  const kinds = new Set<TypeName>();
  for (const alternative of type.of) {
    const inner = typeKinds(alternative);
    if (inner === undefined) return undefined;
    for (const kind of inner) kinds.add(kind);
  }
  return kinds;
};

const overlap = (a: Kinds, b: Kinds): boolean =>
  a === undefined || b === undefined || !a.isDisjointFrom(b as Set<TypeName>);

const mismatch = (call: CoreCall, have: readonly Kinds[], expr: CoreExpr): RegoError => {
  if (call.callee.type !== 'builtin') throw new TypeError('only built-ins have types');
  const { name, args } = call.callee.declaration;
  const given = have.map(showKinds).join(', ');
  const wanted = args.map((arg) => showKinds(typeKinds(arg))).join(', ');
  const message = `${name}: invalid argument(s): have: (${given}), want: (${wanted})`;
  return new RegoError('rego_type_error', message, expr.location);
};

const showKinds = (kinds: Kinds): string => {
  if (kinds === undefined) return 'any';
  const names = [...kinds].sort();
  return names.length === 1 ? names[0]! : `any<${names.join(', ')}>`;
};
