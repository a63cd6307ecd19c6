import type { Location } from '../ast/location.ts';
import { RegoError } from '../error.ts';
import type { CoreBody, CoreCall, CoreExpr, CoreStatement, CoreTerm, CoreWith } from './core.ts';
import { outputsOf } from './outputs.ts';
import { writtenName } from './scope.ts';
import { addTermNames, closureNames, exprNames, type Names } from './variables.ts';

/**
 * A body whose statements stand in an order in which every variable is bound before it is needed, bodies within it
 * included. Statements move only as far as they must. What cannot be ordered is added to `errors`.
 * @param bound the variables that are known from outside
 */
export const orderBody = (body: CoreBody, bound: ReadonlySet<string>, errors: RegoError[]): CoreBody => {
  const waiting = new Set(body);
  const ordered: CoreExpr[] = [];
  const safe = new Set(bound);
  const own = ownNames(body);
  let placed: number;
  do {
    placed = ordered.length;
    for (const expr of waiting) {
      const outputs = outputsOf(expr, safe);
      if (!isReady(expr, safe, outputs, own)) continue;
      waiting.delete(expr);
      ordered.push(expr);
      for (const name of outputs) safe.add(name);
    }
  } while (ordered.length > placed && waiting.size > 0);
  for (const expr of waiting) reportUnsafe(expr, safe, own, errors);
  return waiting.size > 0 ? body : orderInner(ordered, bound, errors);
};

/** Reports the variables of a head that its body does not bind. */
export const checkHead = (
  terms: readonly CoreTerm[],
  body: CoreBody,
  bound: ReadonlySet<string>,
  location: Location,
  errors: RegoError[],
): void => {
  const known = new Set([...bound, ...ownNames(body)]);
  const names: Names = new Set();
  for (const term of terms) addTermNames(term, names);
  report(names.difference(known), location, errors);
};

const ownNames = (body: CoreBody): Names => {
  const names: Names = new Set();
  for (const expr of body) for (const name of exprNames(expr)) names.add(name);
  return names;
};

const isReady = (expr: CoreExpr, safe: Names, outputs: Names, own: Names): boolean => {
  for (const name of exprNames(expr)) if (!safe.has(name) && !outputs.has(name)) return false;
  // A body within sees the variables of this one, so those must have their values before it runs.
  for (const name of closureNames(expr)) if (own.has(name) && !safe.has(name)) return false;
  return true;
};

const reportUnsafe = (expr: CoreExpr, safe: Names, own: Names, errors: RegoError[]): void => {
  const needed = new Set([...exprNames(expr), ...closureNames(expr).intersection(own)]);
  report(needed.difference(safe), expr.location, errors);
};

const report = (unsafe: ReadonlySet<string>, location: Location, errors: RegoError[]): void => {
  const written = [...unsafe].map(writtenName).map((name) => (name.startsWith('$') ? '_' : name));
  const named = written.filter((name) => name !== '');
  for (const name of named)
    errors.push(new RegoError('rego_unsafe_var_error', `var ${name} is unsafe`, location));
  if (named.length === 0 && unsafe.size > 0) {
    errors.push(new RegoError('rego_unsafe_var_error', 'expression is unsafe', location));
  }
};

/** Orders the bodies within an ordered body; each knows the variables of the statements before its own. */
const orderInner = (body: CoreBody, bound: ReadonlySet<string>, errors: RegoError[]): CoreBody => {
  const known = new Set(bound);
  return body.map((expr) => {
    const inner = orderExpr(expr, known, errors);
    for (const name of exprNames(expr)) known.add(name);
    return inner;
  });
};

const orderExpr = (expr: CoreExpr, known: Names, errors: RegoError[]): CoreExpr => {
  const order = (term: CoreTerm): CoreTerm => orderTerm(term, known, errors);
  return {
    ...expr,
    statement: orderStatement(expr.statement, known, errors, order),
    with: expr.with.map((modifier) => orderWith(modifier, order)),
  };
};

const orderStatement = (
  statement: CoreStatement,
  known: Names,
  errors: RegoError[],
  order: (term: CoreTerm) => CoreTerm,
): CoreStatement => {
  switch (statement.type) {
    case 'test':
      return { ...statement, term: order(statement.term) };
    case 'unify':
      return { ...statement, left: order(statement.left), right: order(statement.right) };
    case 'call':
      return orderCall(statement, order);
    case 'every': {
      const inner = new Set([...known, statement.value]);
      if (statement.key !== undefined) inner.add(statement.key);
      const names: Names = new Set();
      addTermNames(statement.domain, names);
      for (const name of names) inner.add(name);
      return {
        ...statement,
        domain: order(statement.domain),
        body: orderBody(statement.body, inner, errors),
      };
    }
    default:
      return statement satisfies never;
  }
};

/**
 * `a == b` as a statement becomes `a = b`, now that it can bind nothing any more. So `not input.x == 1` holds without an
 * `x`, as it does in OPA, where operands of other calls must be defined even inside of `not`.
 */
const orderCall = (call: CoreCall, order: (term: CoreTerm) => CoreTerm): CoreStatement => {
  const [left, right] = call.args.map(order);
  if (call.output === undefined && isEqual(call) && left !== undefined && right !== undefined) {
    return { type: 'unify', left, right };
  }
  const output = call.output === undefined ? {} : { output: order(call.output) };
  return { ...call, args: call.args.map(order), ...output };
};

const isEqual = ({ callee }: CoreCall): boolean =>
  callee.type === 'builtin' && callee.declaration.name === 'equal';

const orderWith = (modifier: CoreWith, order: (term: CoreTerm) => CoreTerm): CoreWith => {
  if (modifier.type !== 'function') return { ...modifier, value: order(modifier.value) };
  if (modifier.replacement.type === 'callee') return modifier;
  return { ...modifier, replacement: { type: 'value', value: order(modifier.replacement.value) } };
};

const orderTerm = (term: CoreTerm, known: Names, errors: RegoError[]): CoreTerm => {
  const order = (inner: CoreTerm): CoreTerm => orderTerm(inner, known, errors);
  switch (term.type) {
    case 'const':
    case 'var':
      return term;
    case 'ref':
      return { ...term, path: term.path.map(order) };
    case 'array':
    case 'set':
      return { ...term, items: term.items.map(order) };
    case 'object':
      return { ...term, entries: term.entries.map(([key, value]) => [order(key), order(value)] as const) };
    case 'comprehension': {
      const heads = term.key === undefined ? [term.term] : [term.key, term.term];
      checkHead(heads, term.body, known, term.location, errors);
      return { ...term, body: orderBody(term.body, known, errors) };
    }
    default:
      return term satisfies never;
  }
};
