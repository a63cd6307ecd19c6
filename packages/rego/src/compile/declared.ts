import type { Body } from '../ast/expr.ts';
import type { Term } from '../ast/term.ts';

/** The names that a body declares with `:=` or `some`, not counting bodies within it. */
export const declaredNames = (body: Body): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { statement } of body) {
    switch (statement.type) {
      case 'some':
        for (const { name } of statement.names) names.add(name);
        break;
      case 'some in':
        if (statement.key !== undefined) addPatternNames(statement.key, names);
        addPatternNames(statement.value, names);
        break;
      case 'term':
        if (isAssignment(statement.term)) addPatternNames(statement.term.args[0]!, names);
        break;
      case 'every':
        break;
      default:
        statement satisfies never;
    }
  }
  return names;
};

export const isAssignment = (term: Term): term is Extract<Term, { type: 'call' }> =>
  term.type === 'call' &&
  term.operator.type === 'var' &&
  term.operator.name === 'assign' &&
  term.args.length === 2;

/** The variables of a pattern: elements of arrays and values of objects; keys are looked up and bind nothing. */
export const addPatternNames = (term: Term, names: Set<string>): void => {
  switch (term.type) {
    case 'var':
      names.add(term.name);
      break;
    case 'array':
      for (const item of term.items) addPatternNames(item, names);
      break;
    case 'object':
      for (const [, value] of term.entries) addPatternNames(value, names);
      break;
    default:
      break;
  }
};
