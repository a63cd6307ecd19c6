import type { BuiltinContext } from '../builtin.ts';
import { RegoError } from '../error.ts';
import { fromJson, type Json, parseJson, RegoObject, toJson, type Value } from '../value/index.ts';
import { builtins } from './index.ts';

/** For tests: calls built-ins with JSON, in a context that is the same each time. */

/** The budget of a test call: enough for anything reasonable. */
const TEST_STEPS = 2_000_000;

/** What a test may change of the context. */
export type ContextChanges = Partial<BuiltinContext>;

/** A context whose clock stands at 1 January 2024 and whose random numbers repeat. */
export const testContext = (changes: ContextChanges = {}): BuiltinContext => {
  let steps = TEST_STEPS;
  let seed = 1;
  return {
    nowNs: 1_704_067_200_000_000_000n,
    random: () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    },
    cache: new Map(),
    sharedCache: new Map(),
    limits: { maxStringLength: 100_000, maxCollectionSize: 10_000 },
    spend: (taken) => {
      steps -= taken;
      if (steps < 0) throw new BudgetSpent();
    },
    runtime: new RegoObject(),
    granted: {},
    print: () => {},
    trace: () => {},
    parseModule: () => null,
    ...changes,
  };
};

/** The end of a test's budget, which no built-in may take for a mistake in its operands. */
export class BudgetSpent extends RegoError {
  constructor() {
    super('eval_limit_error', 'budget spent');
  }
}

/** Calls a built-in with values. */
export const callWith = (
  context: BuiltinContext,
  name: string,
  args: readonly Value[],
): Value | undefined => {
  const declaration = builtins.get(name);
  if (declaration === undefined) throw new Error(`no built-in named ${name}`);
  if (declaration.relation === true) return [...declaration.call(args, context)];
  return declaration.call(args, context);
};

/** Calls a built-in with JSON and gives back JSON; undefined when the call is undefined. */
export const call = (name: string, ...args: readonly Json[]): Json | undefined => {
  const result = callWith(testContext(), name, args.map(fromJson));
  return result === undefined ? undefined : toJson(result);
};

/** As `call` with operands as JSON text, for numbers that JavaScript would round. */
export const callText = (name: string, ...args: readonly string[]): Value | undefined =>
  callWith(testContext(), name, args.map(parseJson));
