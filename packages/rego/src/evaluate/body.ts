import type { Location } from '../ast/location.ts';
import type { CoreBody, CoreEvery, CoreExpr, CoreStatement } from '../compile/core.ts';
import { isArray } from '../value/index.ts';
import { compileCall } from './calls.ts';
import type { Replacements } from './evaluation.ts';
import type { Place } from './layout.ts';
import { type Builder, chain, FOUND, type Getter } from './step.ts';
import { compileOperand, flatten, flattenPath } from './terms.ts';
import { unify } from './unify.ts';
import { compileWith } from './with.ts';

/** The builders of an ordered body; the place knows afterwards what the body binds. */
export const compileBody = (body: CoreBody, place: Place): readonly Builder[] =>
  body.flatMap((expr) => compileExpr(expr, place));

const compileExpr = (expr: CoreExpr, place: Place): readonly Builder[] => {
  const before: Builder[] = [];
  const modifiers = expr.with.map((modifier) => compileWith(modifier, place, before));
  const builders = expr.negated
    ? compileNegated(expr.statement, place, expr.location)
    : compileStatement(expr.statement, place, expr.location);
  if (modifiers.length === 0) return [reach(expr.location), ...builders];
  const scoped: Builder = (next) => {
    const inner = chain(builders, (evaluation, frame) => next(evaluation.outer!, frame));
    return (evaluation, frame) => {
      let seen: Replacements = evaluation;
      for (const modify of modifiers) {
        const changed = modify(seen, evaluation, frame);
        if (changed === undefined) return false;
        seen = changed;
      }
      return inner(evaluation.derive(seen), frame);
    };
  };
  return [reach(expr.location), ...before, scoped];
};

/** Accounts for one statement, or for a rule that holds. */
export const reach =
  (location: Location): Builder =>
  (next) =>
  (evaluation, frame) => {
    const { session } = evaluation;
    session.step();
    if (session.covered !== undefined) session.covered.add(location);
    return next(evaluation, frame);
  };

/** A negated statement holds when no solution is found; its operands are computed outside of the negation. */
const compileNegated = (statement: CoreStatement, place: Place, location: Location): readonly Builder[] => {
  const before: Builder[] = [];
  const prepared = hoistOperands(statement, place, before);
  const found = chain(compileStatement(prepared, place.inner(), location), FOUND);
  const negate: Builder = (next) => (evaluation, frame) =>
    found(evaluation, frame) ? false : next(evaluation, frame);
  return [...before, negate];
};

/** As OPA: operands of calls, and what stands inside of a term, must be defined for the negation to be asked at all. */
const hoistOperands = (statement: CoreStatement, place: Place, before: Builder[]): CoreStatement => {
  const hoist = (term: Parameters<typeof flatten>[0]) => {
    if (term.type !== 'ref') return flatten(term, place, before, true);
    return { ...term, path: term.path.map((part) => flattenPath(part, place, before, true)) };
  };
  switch (statement.type) {
    case 'test':
      return { ...statement, term: hoist(statement.term) };
    case 'unify':
      return { ...statement, left: hoist(statement.left), right: hoist(statement.right) };
    case 'call':
      return { ...statement, args: statement.args.map((arg) => flatten(arg, place, before, true)) };
    case 'every':
      return { ...statement, domain: flatten(statement.domain, place, before, true) };
    default:
      return statement satisfies never;
  }
};

const compileStatement = (statement: CoreStatement, place: Place, location: Location): readonly Builder[] => {
  const before: Builder[] = [];
  switch (statement.type) {
    case 'test': {
      const get = compileOperand(statement.term, place, before, false);
      return [...before, test(get)];
    }
    case 'unify': {
      const left = flattenSide(statement.left, place, before);
      const right = flattenSide(statement.right, place, before);
      return [...before, ...unify(left, right, place)];
    }
    case 'call':
      return compileCall(statement, place, location);
    case 'every':
      return compileEvery(statement, place);
    default:
      return statement satisfies never;
  }
};

/** A reference at the top of an equation is iterated there; those inside of it go before. */
const flattenSide = (term: Parameters<typeof flatten>[0], place: Place, before: Builder[]) => {
  if (term.type !== 'ref') return flatten(term, place, before, false);
  return { ...term, path: term.path.map((part) => flattenPath(part, place, before, false)) };
};

/** Defined and not false. */
export const test =
  (get: Getter): Builder =>
  (next) =>
  (evaluation, frame) => {
    const value = get(evaluation, frame);
    return value !== undefined && value !== false && next(evaluation, frame);
  };

const compileEvery = (statement: CoreEvery, place: Place): readonly Builder[] => {
  const before: Builder[] = [];
  const domain = compileOperand(statement.domain, place, before, false);
  const inner = place.inner();
  const keyName = statement.key ?? '';
  if (statement.key !== undefined) inner.bound.add(statement.key);
  inner.bound.add(statement.value);
  const keySlot = statement.key === undefined ? place.layout.temporary() : place.layout.slot(keyName);
  const valueSlot = place.layout.slot(statement.value);
  const holds = chain(compileBody(statement.body, inner), FOUND);
  const each: Builder = (next) => (evaluation, frame) => {
    const value = domain(evaluation, frame);
    if (typeof value !== 'object' || value === null) return false;
    if (isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        frame[keySlot] = index;
        frame[valueSlot] = value[index]!;
        if (!holds(evaluation, frame)) return false;
      }
      return next(evaluation, frame);
    }
    if (value.kind === 'number') return false;
    for (const key of value.kind === 'object' ? value.sortedKeys : value.sorted) {
      frame[keySlot] = key;
      frame[valueSlot] = value.get(key)!;
      if (!holds(evaluation, frame)) return false;
    }
    return next(evaluation, frame);
  };
  return [...before, each];
};
