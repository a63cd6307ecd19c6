import type { RuleGroup } from '../compile/rule-tree.ts';
import { embeddedKey, type Value } from '../value/index.ts';
import { type Cached, type Evaluation, MISSING } from './evaluation.ts';
import type { Linker } from './linker.ts';
import { ValueRules } from './values.ts';

/**
 * From this many calls in one evaluation on, results are remembered. Below, looking them up costs more than most
 * functions do; without it, functions that call others twice, and those again, would double their work each time.
 */
const REMEMBER_AFTER = 64;

/** A function defined by rules. */
export class FunctionRuntime {
  readonly #rules: ValueRules;
  readonly #id: number;

  constructor(group: RuleGroup, linker: Linker) {
    this.#id = group.id;
    this.#rules = new ValueRules(
      group,
      linker,
      'functions must not produce multiple outputs for same inputs',
    );
  }

  /** Throws a RegoError when two rules hold with different results. */
  call(evaluation: Evaluation, args: readonly Value[]): Value | undefined {
    const calls = evaluation.callsOf(this.#id);
    if (calls.count < REMEMBER_AFTER) {
      calls.count += 1;
      return this.#rules.evaluate(evaluation, args);
    }
    const key = argumentsKey(args);
    if (key === undefined) return this.#rules.evaluate(evaluation, args);
    const known = calls.results.get(key);
    if (known !== undefined) return known === MISSING ? undefined : (known as Value);
    const value = this.#rules.evaluate(evaluation, args);
    evaluation.session.grow();
    calls.results.set(key, value === undefined ? (MISSING as Cached) : value);
    return value;
  }
}

/** A key for arguments that are all scalars; those of others would take longer than the call. */
const argumentsKey = (args: readonly Value[]): string | undefined => {
  let key = '';
  for (const arg of args) {
    if (typeof arg === 'object' && arg !== null) return undefined;
    key += embeddedKey(arg);
  }
  return key;
};
