import type { CoreRule } from '../compile/core.ts';
import { RegoError } from '../error.ts';
import { equal, type Value } from '../value/index.ts';
import { compileBody, reach } from './body.ts';
import type { Evaluation } from './evaluation.ts';
import { Layout, Place } from './layout.ts';
import type { Linker } from './linker.ts';
import { chain, type Frame, type Getter, type Step } from './step.ts';
import { compileGround } from './terms.ts';

/** A rule's frames: one that is kept, and new ones while it is in use. */
export class Frames {
  readonly #layout: Layout;
  #kept: Frame | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  take(): Frame {
    const kept = this.#kept;
    if (kept === undefined) return new Array<Value | undefined>(this.#layout.size).fill(undefined);
    this.#kept = undefined;
    return kept;
  }

  giveBack(frame: Frame): void {
    this.#kept = frame;
  }
}

/** What is common to all kinds of rules: a layout and a body that leads to a last step. */
export const compileRule = <T>(
  rule: CoreRule,
  linker: Linker,
  head: (place: Place) => T,
): { readonly layout: Layout; readonly place: Place; readonly head: T; run(last: Step): Step } => {
  const layout = new Layout();
  for (const param of rule.params) layout.slot(param);
  const place = new Place(layout, linker, rule.params);
  const builders = compileBody(rule.body, place);
  return {
    layout,
    place,
    head: head(place),
    run: (last) => chain([...builders, reach(rule.location)], last),
  };
};

/** A rule with one value, and its `else`. */
export class ValueRule {
  readonly #frames: Frames;
  readonly #run: Step;
  readonly #result: number;
  readonly #else: ValueRule | undefined;
  /** The value when it is always the same. */
  readonly constant: Value | undefined;

  constructor(rule: CoreRule, linker: Linker, conflict: string) {
    const compiled = compileRule(rule, linker, (place) => compileGround(rule.value, place));
    this.#result = compiled.layout.temporary();
    this.constant = rule.value.type === 'const' ? rule.value.value : undefined;
    this.#run = compiled.run(
      this.#last(compiled.head, () => new RegoError('eval_conflict_error', conflict, rule.location)),
    );
    this.#frames = new Frames(compiled.layout);
    this.#else = rule.else === undefined ? undefined : new ValueRule(rule.else, linker, conflict);
    if (this.#else !== undefined) this.constant = undefined;
  }

  evaluate(evaluation: Evaluation, args: readonly Value[]): Value | undefined {
    evaluation.session.step();
    const frame = this.#frames.take();
    for (let index = 0; index < args.length; index += 1) frame[index] = args[index]!;
    frame[this.#result] = undefined;
    this.#run(evaluation, frame);
    const value = frame[this.#result];
    this.#frames.giveBack(frame);
    if (value === undefined && this.#else !== undefined) return this.#else.evaluate(evaluation, args);
    return value;
  }

  /** Keeps the value; another one is a conflict. When it cannot be another one, the first solution is enough. */
  #last(value: Getter, conflict: () => RegoError): Step {
    const slot = this.#result;
    const enough = this.constant !== undefined;
    return (evaluation, frame) => {
      const found = value(evaluation, frame);
      if (found === undefined) return false;
      const known = frame[slot];
      if (known !== undefined && !equal(known, found)) throw conflict();
      frame[slot] = found;
      return enough;
    };
  }
}
