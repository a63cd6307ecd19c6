import type { CoreComprehension } from '../compile/core.ts';
import { RegoError } from '../error.ts';
import { equal, RegoObject, RegoSet, type Value } from '../value/index.ts';
import { compileBody } from './body.ts';
import type { Place } from './layout.ts';
import { chain, type Getter, type Step } from './step.ts';
import { compileGround } from './terms.ts';

/** A comprehension: a getter that runs its body and collects all solutions. */
export const compileComprehension = (term: CoreComprehension, place: Place): Getter => {
  const inner = place.inner();
  const builders = compileBody(term.body, inner);
  const element = compileGround(term.term, inner);
  const slot = place.layout.temporary();
  switch (term.kind) {
    case 'array':
      return collectArray(chain(builders, addToArray(slot, element)), slot);
    case 'set':
      return collectSet(chain(builders, addToSet(slot, element)), slot);
    case 'object': {
      const key = compileGround(term.key!, inner);
      return collectObject(chain(builders, addToObject(slot, key, element, term)), slot);
    }
    default:
      return term.kind satisfies never;
  }
};

const collectArray =
  (run: Step, slot: number): Getter =>
  (evaluation, frame) => {
    const collected: Value[] = [];
    frame[slot] = collected;
    run(evaluation, frame);
    return collected;
  };

const addToArray =
  (slot: number, element: Getter): Step =>
  (evaluation, frame) => {
    const value = element(evaluation, frame);
    if (value === undefined) return false;
    evaluation.session.grow();
    (frame[slot] as Value[]).push(value);
    return false;
  };

const collectSet =
  (run: Step, slot: number): Getter =>
  (evaluation, frame) => {
    const collected = new RegoSet();
    frame[slot] = collected;
    run(evaluation, frame);
    return collected;
  };

const addToSet =
  (slot: number, element: Getter): Step =>
  (evaluation, frame) => {
    const value = element(evaluation, frame);
    if (value !== undefined && (frame[slot] as RegoSet).add(value)) evaluation.session.grow();
    return false;
  };

const collectObject =
  (run: Step, slot: number): Getter =>
  (evaluation, frame) => {
    const collected = new RegoObject();
    frame[slot] = collected;
    run(evaluation, frame);
    return collected;
  };

const addToObject =
  (slot: number, key: Getter, element: Getter, term: CoreComprehension): Step =>
  (evaluation, frame) => {
    const at = key(evaluation, frame);
    const value = element(evaluation, frame);
    if (at === undefined || value === undefined) return false;
    const collected = frame[slot] as RegoObject;
    const known = collected.get(at);
    if (known === undefined) {
      evaluation.session.grow();
      collected.set(at, value);
    } else if (!equal(known, value)) {
      throw new RegoError('eval_conflict_error', 'object keys must be unique', term.location);
    }
    return false;
  };
