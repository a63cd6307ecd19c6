import type { CoreRule } from '../compile/core.ts';
import type { RuleGroup } from '../compile/rule-tree.ts';
import { RegoSet, type Value } from '../value/index.ts';
import type { Evaluation } from './evaluation.ts';
import type { Linker } from './linker.ts';
import { compileRule, Frames } from './rule.ts';
import { RuleIndex } from './rule-index.ts';
import type { Step } from './step.ts';
import { compileGround } from './terms.ts';

/** The rules of a partial set: `p contains x`. */
export class SetRules {
  readonly #index: RuleIndex;
  readonly #rules: readonly (() => SetRule)[];

  constructor(group: RuleGroup, linker: Linker) {
    this.#index = new RuleIndex(group.rules);
    this.#rules = group.rules.map((rule) => lazily(() => new SetRule(rule, linker)));
  }

  evaluate(evaluation: Evaluation): Value {
    const set = new RegoSet();
    for (const position of this.#index.candidates(evaluation, []))
      this.#rules[position]!().addTo(set, evaluation);
    return set;
  }
}

/** Makes something when it is first asked for. */
export const lazily = <T extends object>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

class SetRule {
  readonly #frames: Frames;
  readonly #run: Step;
  readonly #slot: number;

  constructor(rule: CoreRule, linker: Linker) {
    const compiled = compileRule(rule, linker, (place) => compileGround(rule.key!, place));
    const slot = compiled.layout.temporary();
    this.#slot = slot;
    this.#run = compiled.run((evaluation, frame) => {
      const member = compiled.head(evaluation, frame);
      if (member !== undefined && (frame[slot] as RegoSet).add(member)) evaluation.session.grow();
      return false;
    });
    this.#frames = new Frames(compiled.layout);
  }

  addTo(set: RegoSet, evaluation: Evaluation): void {
    evaluation.session.step();
    const frame = this.#frames.take();
    frame[this.#slot] = set;
    this.#run(evaluation, frame);
    this.#frames.giveBack(frame);
  }
}
