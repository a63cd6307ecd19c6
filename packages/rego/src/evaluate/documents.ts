import type { RuleGroup } from '../compile/rule-tree.ts';
import type { Value } from '../value/index.ts';
import { ObjectConflict } from './branch.ts';
import { type Cached, type Evaluation, MISSING } from './evaluation.ts';
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
    if (this.#constant && evaluation.constants !== undefined)
      return this.#shared(evaluation, evaluation.constants);
    const { id } = this.#group;
    const cached = evaluation.documents[id];
    if (cached !== undefined) return cached === MISSING ? undefined : (cached as Value);
    const value = this.#compute(evaluation);
    evaluation.documents[id] = value === undefined ? MISSING : value;
    return value;
  }

  /**
   * A document that depends on data alone as far as the rules tell. A built-in may still have asked for the time or for
   * random numbers: then it is of this evaluation only, and so is what is computed from it.
   */
  #shared(evaluation: Evaluation, constants: (Cached | undefined)[]): Value | undefined {
    const { id } = this.#group;
    const { session } = evaluation;
    const cached = constants[id];
    if (cached !== undefined) return cached === MISSING ? undefined : (cached as Value);
    const own = evaluation.documents[id];
    if (own !== undefined) {
      session.vary();
      return own === MISSING ? undefined : (own as Value);
    }
    const before = session.variations;
    const value = this.#compute(evaluation);
    const documents = session.variations === before ? constants : evaluation.documents;
    documents[id] = value === undefined ? MISSING : value;
    return value;
  }

  /** As much of the document as lies below the keys, perhaps more: rules that cannot add to it are left out. */
  below(evaluation: Evaluation, keys: readonly Value[]): Value | undefined {
    const objects = this.#objects;
    if (objects === undefined) return this.value(evaluation);
    try {
      return objects.isMixed ? objects.below(evaluation, keys) : this.value(evaluation);
    } catch (error) {
      if (!(error instanceof ObjectConflict) || error.rules !== objects || error.concerns(keys)) throw error;
      return error.object;
    }
  }
}
