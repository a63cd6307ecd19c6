import type { CoreRule } from '../compile/core.ts';
import type { RuleGroup } from '../compile/rule-tree.ts';
import { isSet, type Value } from '../value/index.ts';
import { Assembly, fits, type Pattern } from './branch.ts';
import { type Evaluation, MISSING } from './evaluation.ts';
import type { Linker } from './linker.ts';
import { compileRule, Frames } from './rule.ts';
import { RuleIndex } from './rule-index.ts';
import { lazily } from './sets.ts';
import type { Getter, Step } from './step.ts';
import { compileGround } from './terms.ts';

/** Something that adds to the object. */
interface Contribution {
  readonly pattern: Pattern;
  addTo(assembly: Assembly, evaluation: Evaluation): void;
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
    const assembly = new Assembly(this);
    for (const position of this.#index.candidates(evaluation, []))
      this.#own[position]!.addTo(assembly, evaluation);
    for (const nested of this.#nested) nested.addTo(assembly, evaluation);
    return assembly.toObject();
  }

  below(evaluation: Evaluation, keys: readonly Value[]): Value {
    const chosen = [...this.#own, ...this.#nested].map(({ pattern }) => fits(pattern, keys));
    const name = `${this.#group.id}:${chosen.map(Number).join('')}`;
    const cached = evaluation.extents.get(name);
    if (cached !== undefined && cached !== MISSING) return cached as Value;
    const assembly = new Assembly(this);
    for (const position of this.#index.candidates(evaluation, [])) {
      if (chosen[position] === true) this.#own[position]!.addTo(assembly, evaluation);
    }
    this.#nested.forEach((nested, index) => {
      if (chosen[this.#own.length + index] === true) nested.addTo(assembly, evaluation);
    });
    const value = assembly.toObject();
    evaluation.extents.set(name, value);
    return value;
  }
}

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
    addTo: (assembly, evaluation) => compiled().addTo(assembly, evaluation),
  };
};

const nestedContribution = (group: RuleGroup, nested: RuleGroup, linker: Linker): Contribution => {
  const path = nested.node.path.slice(group.node.path.length);
  const { location } = nested.sources[0]!.rule;
  return {
    pattern: path,
    addTo: (assembly, evaluation) => {
      const value = linker.document(nested).value(evaluation);
      if (value === undefined) return;
      if (nested.kind === 'set' && isSet(value)) assembly.add(path, value.values(), location);
      else assembly.put(path, value, location);
    },
  };
};

class ObjectRule {
  readonly #rule: CoreRule;
  readonly #frames: Frames;
  readonly #run: Step;
  #assembly = new Assembly(this);

  constructor(rule: CoreRule, linker: Linker) {
    this.#rule = rule;
    const compiled = compileRule(rule, linker, (place) => ({
      path: rule.path.map((part) => compileGround(part, place)),
      leaf: compileGround(rule.key ?? rule.value, place),
    }));
    this.#run = compiled.run(this.#last(compiled.head.path, compiled.head.leaf));
    this.#frames = new Frames(compiled.layout);
  }

  addTo(assembly: Assembly, evaluation: Evaluation): void {
    evaluation.session.step();
    const outer = this.#assembly;
    this.#assembly = assembly;
    const frame = this.#frames.take();
    this.#run(evaluation, frame);
    this.#frames.giveBack(frame);
    this.#assembly = outer;
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
      if (key === undefined) this.#assembly.put(keys, value, location);
      else this.#assembly.add(keys, [value], location);
      return false;
    };
  }
}
