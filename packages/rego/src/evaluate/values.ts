import type { RuleGroup } from '../compile/rule-tree.ts';
import { RegoError } from '../error.ts';
import { equal, type Value } from '../value/index.ts';
import type { Evaluation } from './evaluation.ts';
import type { Linker } from './linker.ts';
import { ValueRule } from './rule.ts';
import { RuleIndex } from './rule-index.ts';

/** The rules of a complete document or of a function: all that hold must agree. */
export class ValueRules {
  readonly #group: RuleGroup;
  readonly #linker: Linker;
  readonly #conflict: string;
  readonly #index: RuleIndex;
  readonly #rules: (ValueRule | undefined)[] = [];
  #default: ValueRule | undefined;
  /** Whether all rules have the same value, so that one that holds is enough. */
  readonly #uniform: boolean;

  constructor(group: RuleGroup, linker: Linker, conflict: string) {
    this.#group = group;
    this.#linker = linker;
    this.#conflict = conflict;
    this.#index = new RuleIndex(group.rules);
    this.#uniform = isUniform(group);
  }

  evaluate(evaluation: Evaluation, args: readonly Value[]): Value | undefined {
    let found: Value | undefined;
    for (const position of this.#index.candidates(evaluation, args)) {
      const value = this.#rule(position).evaluate(evaluation, args);
      if (value === undefined) continue;
      if (this.#uniform) return value;
      if (found !== undefined && !equal(found, value)) {
        const { location } = this.#group.rules[position]!;
        throw new RegoError('eval_conflict_error', this.#conflict, location);
      }
      found = value;
    }
    return found === undefined ? this.#fallback(evaluation, args) : found;
  }

  #fallback(evaluation: Evaluation, args: readonly Value[]): Value | undefined {
    const { default: rule } = this.#group;
    if (rule === undefined) return undefined;
    this.#default ??= new ValueRule(rule, this.#linker, this.#conflict);
    return this.#default.evaluate(evaluation, args);
  }

  #rule(position: number): ValueRule {
    let rule = this.#rules[position];
    if (rule === undefined) {
      rule = new ValueRule(this.#group.rules[position]!, this.#linker, this.#conflict);
      this.#rules[position] = rule;
    }
    return rule;
  }
}

const isUniform = ({ rules }: RuleGroup): boolean => {
  const first = rules[0];
  if (first === undefined || first.value.type !== 'const') return false;
  const { value } = first.value;
  return rules.every(
    (rule) => rule.else === undefined && rule.value.type === 'const' && equal(rule.value.value, value),
  );
};
