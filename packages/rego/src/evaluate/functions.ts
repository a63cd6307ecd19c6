import type { RuleGroup } from '../compile/rule-tree.ts';
import type { Value } from '../value/index.ts';
import type { Evaluation } from './evaluation.ts';
import type { Linker } from './linker.ts';
import { ValueRules } from './values.ts';

/** A function defined by rules. */
export class FunctionRuntime {
  readonly #rules: ValueRules;

  constructor(group: RuleGroup, linker: Linker) {
    this.#rules = new ValueRules(
      group,
      linker,
      'functions must not produce multiple outputs for same inputs',
    );
  }

  /** Throws a RegoError when two rules hold with different results. */
  call(evaluation: Evaluation, args: readonly Value[]): Value | undefined {
    return this.#rules.evaluate(evaluation, args);
  }
}
