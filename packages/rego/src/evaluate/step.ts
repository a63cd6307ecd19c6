import type { Value } from '../value/index.ts';
import type { Evaluation } from './evaluation.ts';

/** The variables of one rule while it runs; every variable has a slot of its own. */
export type Frame = (Value | undefined)[];

/** Tries all solutions from here on; true when whoever asked has seen enough. */
export type Step = (evaluation: Evaluation, frame: Frame) => boolean;

/** A term's value; `undefined` is Rego's undefined. */
export type Getter = (evaluation: Evaluation, frame: Frame) => Value | undefined;

/** Makes the step of a statement, given what follows it. */
export type Builder = (next: Step) => Step;

/** The last step of a search for any solution. */
export const FOUND: Step = () => true;

/** One step that runs all. */
export const chain = (builders: readonly Builder[], last: Step): Step =>
  builders.reduceRight((next, builder) => builder(next), last);

/** A statement that never holds. */
export const NEVER: Builder = () => () => false;
