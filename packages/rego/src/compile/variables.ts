import type { CoreBody, CoreExpr, CoreStatement, CoreTerm, CoreWith } from './core.ts';

export type Names = Set<string>;

/** Adds the variables of a term, without those of bodies within it. */
export const addTermNames = (term: CoreTerm, names: Names): void => {
  switch (term.type) {
    case 'const':
    case 'comprehension':
      break;
    case 'var':
      names.add(term.name);
      break;
    case 'ref':
      if (typeof term.base === 'object') names.add(term.base.name);
      for (const part of term.path) addTermNames(part, names);
      break;
    case 'array':
    case 'set':
      for (const item of term.items) addTermNames(item, names);
      break;
    case 'object':
      for (const [key, value] of term.entries) {
        addTermNames(key, names);
        addTermNames(value, names);
      }
      break;
    default:
      term satisfies never;
  }
};

/** The terms of a statement and of its modifiers, without those in bodies. */
export const exprTerms = (expr: CoreExpr): readonly CoreTerm[] => [
  ...statementTerms(expr.statement),
  ...expr.with.flatMap(withTerms),
];

export const statementTerms = (statement: CoreStatement): readonly CoreTerm[] => {
  switch (statement.type) {
    case 'test':
      return [statement.term];
    case 'unify':
      return [statement.left, statement.right];
    case 'call':
      return statement.output === undefined ? statement.args : [...statement.args, statement.output];
    case 'every':
      return [statement.domain];
    default:
      return statement satisfies never;
  }
};

export const withTerms = (modifier: CoreWith): readonly CoreTerm[] => {
  if (modifier.type !== 'function') return [modifier.value];
  return modifier.replacement.type === 'value' ? [modifier.replacement.value] : [];
};

/** The variables that a statement itself mentions. */
export const exprNames = (expr: CoreExpr): Names => {
  const names: Names = new Set();
  for (const term of exprTerms(expr)) addTermNames(term, names);
  return names;
};

/** All variables of the bodies within a statement, at any depth. */
export const closureNames = (expr: CoreExpr): Names => {
  const names: Names = new Set();
  for (const body of exprBodies(expr)) addAllNames(body, names);
  for (const term of exprTerms(expr)) addHeadNames(term, names);
  return names;
};

const addAllNames = (body: CoreBody, names: Names): void => {
  for (const expr of body) {
    for (const name of exprNames(expr)) names.add(name);
    for (const name of closureNames(expr)) names.add(name);
  }
};

/** The variables in the heads of a term's comprehensions. */
const addHeadNames = (term: CoreTerm, names: Names): void => {
  for (const comprehension of comprehensionsOf(term)) {
    addTermNames(comprehension.term, names);
    if (comprehension.key !== undefined) addTermNames(comprehension.key, names);
  }
};

/** The comprehensions of a term that are not inside another one. */
export const comprehensionsOf = (term: CoreTerm): readonly Extract<CoreTerm, { type: 'comprehension' }>[] => {
  switch (term.type) {
    case 'const':
    case 'var':
      return [];
    case 'comprehension':
      return [term];
    case 'ref':
      return term.path.flatMap(comprehensionsOf);
    case 'array':
    case 'set':
      return term.items.flatMap(comprehensionsOf);
    case 'object':
      return term.entries.flatMap(([key, value]) => [...comprehensionsOf(key), ...comprehensionsOf(value)]);
    default:
      return term satisfies never;
  }
};

/** The bodies directly within a statement: of comprehensions and of `every`. */
export const exprBodies = (expr: CoreExpr): readonly CoreBody[] => {
  const bodies = exprTerms(expr)
    .flatMap(comprehensionsOf)
    .map(({ body }) => body);
  return expr.statement.type === 'every' ? [...bodies, expr.statement.body] : bodies;
};
