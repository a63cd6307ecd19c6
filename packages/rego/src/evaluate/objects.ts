import type { CoreRule } from '../compile/core.ts';
import type { RuleGroup } from '../compile/rule-tree.ts';
import { equal, isSet, type Value } from '../value/index.ts';
import { Branch } from './branch.ts';
import { type Evaluation, MISSING } from './evaluation.ts';
import type { Linker } from './linker.ts';
import { compileRule, Frames } from './rule.ts';
import { RuleIndex } from './rule-index.ts';
import { lazily } from './sets.ts';
import type { Getter, Step } from './step.ts';
import { compileGround } from './terms.ts';

/** The constant parts of a path; `undefined` stands for a variable one. */
type Pattern = readonly (Value | undefined)[];

/** Something that adds to the object. */
interface Contribution {
  readonly pattern: Pattern;
  addTo(branch: Branch, evaluation: Evaluation): void;
}

/**
 * The rules of a document whose paths have variables: `p[x] := y`, `p[x].q contains z`, and all rules with constant
 * paths below the same name.
 */
export class ObjectRules {
  readonly #group: RuleGroup;
  readonly #index: RuleIndex;
  readonly #own: readonly Contribution[];
  readonly #nested: readonly Contribution[];
  /** Whether a path can rule out some of the contributions. */
  readonly isMixed: boolean;

  constructor(group: RuleGroup, linker: Linker) {
    this.#group = group;
    this.#index = new RuleIndex(group.rules);
    this.#own = group.rules.map((rule) => ownContribution(rule, linker));
    this.#nested = nestedGroups(group).map((nested) => nestedContribution(group, nested, linker));
    this.isMixed =
      this.#nested.length > 0 || this.#own.some(({ pattern }) => pattern.some((part) => part !== undefined));
  }

  evaluate(evaluation: Evaluation): Value {
    const branch = new Branch();
    for (const position of this.#index.candidates(evaluation, []))
      this.#own[position]!.addTo(branch, evaluation);
    for (const nested of this.#nested) nested.addTo(branch, evaluation);
    return branch.toObject();
  }

  below(evaluation: Evaluation, keys: readonly Value[]): Value {
    const chosen = [...this.#own, ...this.#nested].map(({ pattern }) => fits(pattern, keys));
    const name = `${this.#group.id}:${chosen.map(Number).join('')}`;
    const cached = evaluation.extents.get(name);
    if (cached !== undefined && cached !== MISSING) return cached as Value;
    const branch = new Branch();
    for (const position of this.#index.candidates(evaluation, [])) {
      if (chosen[position] === true) this.#own[position]!.addTo(branch, evaluation);
    }
    this.#nested.forEach((nested, index) => {
      if (chosen[this.#own.length + index] === true) nested.addTo(branch, evaluation);
    });
    const value = branch.toObject();
    evaluation.extents.set(name, value);
    return value;
  }
}

/** Whether a path with these keys can meet the pattern. */
export const fits = (pattern: Pattern, keys: Pattern): boolean => {
  const length = Math.min(pattern.length, keys.length);
  for (let index = 0; index < length; index += 1) {
    const part = pattern[index];
    const key = keys[index];
    if (part !== undefined && key !== undefined && !equal(part, key)) return false;
  }
  return true;
};

/** What is constant in the path of a rule. */
export const rulePattern = (rule: CoreRule): Pattern =>
  rule.path.map((part) => (part.type === 'const' ? part.value : undefined));

/** The groups below a group's own path. */
export const nestedGroups = (group: RuleGroup): readonly RuleGroup[] =>
  [...group.node.groups()].filter((other) => other !== group);

const ownContribution = (rule: CoreRule, linker: Linker): Contribution => {
  const compiled = lazily(() => new ObjectRule(rule, linker));
  return {
    pattern: rulePattern(rule),
    addTo: (branch, evaluation) => compiled().addTo(branch, evaluation),
  };
};

const nestedContribution = (group: RuleGroup, nested: RuleGroup, linker: Linker): Contribution => {
  const path = nested.node.path.slice(group.node.path.length);
  const { location } = nested.sources[0]!.rule;
  return {
    pattern: path,
    addTo: (branch, evaluation) => {
      const value = linker.document(nested).value(evaluation);
      if (value === undefined) return;
      if (nested.kind !== 'set' || !isSet(value)) {
        branch.put(path, value, location);
        return;
      }
      const set = branch.setAt(path, location);
      for (const member of value.values()) set.add(member);
    },
  };
};

class ObjectRule {
  readonly #rule: CoreRule;
  readonly #frames: Frames;
  readonly #run: Step;
  #branch = new Branch();

  constructor(rule: CoreRule, linker: Linker) {
    this.#rule = rule;
    const compiled = compileRule(rule, linker, (place) => ({
      path: rule.path.map((part) => compileGround(part, place)),
      leaf: compileGround(rule.key ?? rule.value, place),
    }));
    this.#run = compiled.run(this.#last(compiled.head.path, compiled.head.leaf));
    this.#frames = new Frames(compiled.layout);
  }

  addTo(branch: Branch, evaluation: Evaluation): void {
    evaluation.session.step();
    const outer = this.#branch;
    this.#branch = branch;
    const frame = this.#frames.take();
    this.#run(evaluation, frame);
    this.#frames.giveBack(frame);
    this.#branch = outer;
  }

  #last(path: readonly Getter[], leaf: Getter): Step {
    const { key, location } = this.#rule;
    return (evaluation, frame) => {
      const keys: Value[] = [];
      for (const part of path) {
        const value = part(evaluation, frame);
        if (value === undefined) return false;
        keys.push(value);
      }
      const value = leaf(evaluation, frame);
      if (value === undefined) return false;
      evaluation.session.grow();
      if (key === undefined) this.#branch.put(keys, value, location);
      else this.#branch.setAt(keys, location).add(value);
      return false;
    };
  }
}
