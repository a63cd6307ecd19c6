import { compare, equal, type Value } from '../value/index.ts';

/** A result without calling the built-in; `undefined` where only the built-in knows. */
type Fast = (a: Value, b: Value) => Value | undefined;

/** Sums and the like of doubles that are exact: integers whose result is one, too. */
const exact =
  (operate: (a: number, b: number) => number): Fast =>
  (a, b) => {
    if (typeof a !== 'number' || typeof b !== 'number' || !Number.isInteger(a) || !Number.isInteger(b))
      return undefined;
    const result = operate(a, b);
    return Number.isSafeInteger(result) ? result + 0 : undefined;
  };

const OPERATORS: ReadonlyMap<string, Fast> = new Map<string, Fast>([
  ['equal', (a, b) => equal(a, b)],
  ['neq', (a, b) => !equal(a, b)],
  ['lt', (a, b) => compare(a, b) < 0],
  ['lte', (a, b) => compare(a, b) <= 0],
  ['gt', (a, b) => compare(a, b) > 0],
  ['gte', (a, b) => compare(a, b) >= 0],
  ['plus', exact((a, b) => a + b)],
  ['minus', exact((a, b) => a - b)],
  ['mul', exact((a, b) => a * b)],
]);

/** The short way of an operator that policies use all the time. */
export const fastOperator = (name: string): Fast | undefined => OPERATORS.get(name);
