import type { RuleGroup } from '../compile/rule-tree.ts';
import type { Value } from '../value/index.ts';
import { type Evaluation, MISSING } from './evaluation.ts';
import type { Linker } from './linker.ts';
import { ObjectRules } from './objects.ts';
import { SetRules } from './sets.ts';
import { ValueRules } from './values.ts';

/** A document that rules define. Computed once an evaluation, or once at all when it depends on data alone. */
export class DocumentRuntime {
  readonly #group: RuleGroup;
  readonly #compute: (evaluation: Evaluation) => Value | undefined;
  readonly #objects: ObjectRules | undefined;
  readonly #constant: boolean;

  constructor(group: RuleGroup, linker: Linker) {
    this.#group = group;
    this.#constant = linker.isConstant(group);
    switch (group.kind) {
      case 'complete': {
        const rules = new ValueRules(group, linker, 'complete rules must not produce multiple outputs');
        this.#compute = (evaluation) => rules.evaluate(evaluation, []);
        break;
      }
      case 'set': {
        const rules = new SetRules(group, linker);
        this.#compute = (evaluation) => rules.evaluate(evaluation);
        break;
      }
      case 'object': {
        const rules = new ObjectRules(group, linker);
        this.#objects = rules;
        this.#compute = (evaluation) => rules.evaluate(evaluation);
        break;
      }
      case 'function':
        this.#compute = () => undefined;
        break;
      default:
        throw group.kind satisfies never;
    }
  }

  /** The whole document. */
  value(evaluation: Evaluation): Value | undefined {
    const { id } = this.#group;
    const documents = (this.#constant ? evaluation.constants : undefined) ?? evaluation.documents;
    const cached = documents[id];
    if (cached !== undefined) return cached === MISSING ? undefined : (cached as Value);
    const value = this.#compute(evaluation);
    documents[id] = value === undefined ? MISSING : value;
    return value;
  }

  /** As much of the document as lies below the keys, perhaps more: rules that cannot add to it are left out. */
  below(evaluation: Evaluation, keys: readonly Value[]): Value | undefined {
    if (this.#objects === undefined || !this.#objects.isMixed) return this.value(evaluation);
    return this.#objects.below(evaluation, keys);
  }
}
