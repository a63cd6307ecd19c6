import type { CoreTerm } from '../compile/core.ts';
import { isArray, type Value } from '../value/index.ts';
import type { Evaluation } from './evaluation.ts';
import type { Place } from './layout.ts';
import { member } from './navigate.ts';
import { type Builder, chain, FOUND, type Frame, type Getter, type Step } from './step.ts';
import { compileGround } from './terms.ts';
import { matchSlot } from './unify.ts';

/** Goes on with a value that was reached. */
export type Visit = (evaluation: Evaluation, frame: Frame, value: Value) => boolean;

/** One part of a path. */
export type Hop =
  /** To the member with this key. */
  | { readonly type: 'get'; readonly key: Getter }
  /** To every member, its key put into a slot. */
  | { readonly type: 'bind'; readonly slot: number }
  /** To every member whose key matches a pattern. */
  | {
      readonly type: 'match';
      readonly keySlot: number;
      readonly valueSlot: number;
      readonly builders: readonly Builder[];
    };

/** The hops of a path, whose unbound variables are bound from left to right. */
export const compileHops = (path: readonly CoreTerm[], place: Place): readonly Hop[] =>
  path.map((part) => {
    if (place.isGround(part)) return { type: 'get', key: compileGround(part, place) };
    if (part.type === 'var') {
      place.bound.add(part.name);
      return { type: 'bind', slot: place.layout.slot(part.name) };
    }
    const keySlot = place.layout.temporary();
    return {
      type: 'match',
      keySlot,
      valueSlot: place.layout.temporary(),
      builders: matchSlot(part, keySlot, place),
    };
  });

/** Walks hops from a value; `visit` is called with each value at the end. */
export const walkValue = (hops: readonly Hop[], visit: Visit): Visit =>
  hops.reduceRight<Visit>((next, hop) => hopFrom(hop, next), visit);

const hopFrom = (hop: Hop, next: Visit): Visit => {
  switch (hop.type) {
    case 'get':
      return getHop(hop.key, next);
    case 'bind':
      return bindHop(hop.slot, next);
    case 'match':
      return matchHop(hop, next);
    default:
      return hop satisfies never;
  }
};

const getHop =
  (key: Getter, next: Visit): Visit =>
  (evaluation, frame, value) => {
    const at = key(evaluation, frame);
    if (at === undefined) return false;
    const found = member(value, at);
    return found === undefined ? false : next(evaluation, frame, found);
  };

const bindHop =
  (slot: number, next: Visit): Visit =>
  (evaluation, frame, value) => {
    if (typeof value !== 'object' || value === null) return false;
    if (isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        evaluation.session.step();
        frame[slot] = index;
        if (next(evaluation, frame, value[index]!)) return true;
      }
      return false;
    }
    if (value.kind === 'number') return false;
    const keys = value.kind === 'object' ? value.sortedKeys : value.sorted;
    for (const key of keys) {
      evaluation.session.step();
      frame[slot] = key;
      if (next(evaluation, frame, value.get(key)!)) return true;
    }
    return false;
  };

const matchHop = (hop: Extract<Hop, { type: 'match' }>, next: Visit): Visit => {
  const { keySlot, valueSlot } = hop;
  const matched: Step = chain(hop.builders, (evaluation, frame) =>
    next(evaluation, frame, frame[valueSlot]!),
  );
  return bindHop(keySlot, (evaluation, frame, value) => {
    frame[valueSlot] = value;
    return matched(evaluation, frame);
  });
};

/** Whether the key in its slot matches, with the variables of the pattern bound. */
export const matchStep = (hop: Extract<Hop, { type: 'match' }>): Step => chain(hop.builders, FOUND);
