import { equal } from '../value/index.ts';
import type { CoreExpr, CoreTerm } from './core.ts';
import { addTermNames, type Names, statementTerms, withTerms } from './variables.ts';

/** The variables that a statement binds when those in `safe` are bound already. */
export const outputsOf = (expr: CoreExpr, safe: ReadonlySet<string>): Names => {
  if (expr.negated || !expr.with.flatMap(withTerms).every((term) => isCovered(term, safe))) return new Set();
  const { statement } = expr;
  const outputs: Names = new Set();
  for (const term of statementTerms(statement)) addReferenceOutputs(term, safe, outputs);
  const known = new Set([...safe, ...outputs]);
  switch (statement.type) {
    case 'test':
    case 'every':
      return outputs;
    case 'unify':
      unify(statement.left, statement.right, known, outputs);
      return outputs;
    case 'call':
      if (!statement.args.every((arg) => isCovered(arg, known))) return new Set();
      if (statement.output !== undefined) addPattern(statement.output, known, outputs);
      return outputs;
    default:
      return statement satisfies never;
  }
};

/** Whether all variables of a term, apart from bodies within it, are bound. */
export const isCovered = (term: CoreTerm, safe: ReadonlySet<string>): boolean => {
  const names: Names = new Set();
  addTermNames(term, names);
  return names.isSubsetOf(safe as Set<string>);
};

/** Variables in the path of a reference are iterated over, once what it refers to is known. */
const addReferenceOutputs = (term: CoreTerm, safe: ReadonlySet<string>, outputs: Names): void => {
  switch (term.type) {
    case 'const':
    case 'var':
    case 'comprehension':
      break;
    case 'ref':
      if (typeof term.base === 'object' && !safe.has(term.base.name)) break;
      for (const part of term.path) addPathOutputs(part, safe, outputs);
      break;
    case 'array':
    case 'set':
      for (const item of term.items) addReferenceOutputs(item, safe, outputs);
      break;
    case 'object':
      for (const [key, value] of term.entries) {
        addReferenceOutputs(key, safe, outputs);
        addReferenceOutputs(value, safe, outputs);
      }
      break;
    default:
      term satisfies never;
  }
};

const addPathOutputs = (part: CoreTerm, safe: ReadonlySet<string>, outputs: Names): void => {
  if (part.type === 'ref') addReferenceOutputs(part, safe, outputs);
  else addPattern(part, safe, outputs);
};

/** The variables that matching a pattern against a value binds. */
const addPattern = (pattern: CoreTerm, known: ReadonlySet<string>, outputs: Names): void => {
  switch (pattern.type) {
    case 'var':
      if (!known.has(pattern.name)) outputs.add(pattern.name);
      break;
    case 'array':
      for (const item of pattern.items) addPattern(item, known, outputs);
      break;
    case 'object':
      for (const [, value] of pattern.entries) addPattern(value, known, outputs);
      break;
    default:
      break;
  }
};

/** Binds from either side to the other, through arrays and objects, until nothing more becomes known. */
const unify = (left: CoreTerm, right: CoreTerm, known: Names, outputs: Names): void => {
  const pairs: [CoreTerm, CoreTerm][] = [];
  addPairs(left, right, pairs);
  let size: number;
  do {
    size = known.size;
    for (const [a, b] of pairs) {
      const found: Names = new Set();
      if (isCovered(a, known)) addPattern(b, known, found);
      if (isCovered(b, known)) addPattern(a, known, found);
      for (const name of found) {
        known.add(name);
        outputs.add(name);
      }
    }
  } while (known.size > size);
};

const addPairs = (left: CoreTerm, right: CoreTerm, pairs: [CoreTerm, CoreTerm][]): void => {
  if (left.type === 'array' && right.type === 'array' && left.items.length === right.items.length) {
    for (const [index, item] of left.items.entries()) addPairs(item, right.items[index]!, pairs);
  } else if (left.type === 'object' && right.type === 'object') {
    for (const [key, value] of left.entries) {
      const other = right.entries.find(([candidate]) => sameKey(key, candidate));
      if (other !== undefined) addPairs(value, other[1], pairs);
    }
  } else {
    pairs.push([left, right]);
  }
};

/** Whether two keys of literal objects are sure to be the same: keys are not unified. */
export const sameKey = (a: CoreTerm, b: CoreTerm): boolean => {
  if (a.type === 'const' && b.type === 'const') return equal(a.value, b.value);
  return a.type === 'var' && b.type === 'var' && a.name === b.name;
};
