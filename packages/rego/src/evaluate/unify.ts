import type { CoreTerm } from '../compile/core.ts';
import { sameKey } from '../compile/outputs.ts';
import { equal, isArray, isObject, type Value } from '../value/index.ts';
import type { Place } from './layout.ts';
import { iterateReference } from './references.ts';
import { type Builder, type Getter, NEVER } from './step.ts';
import { compileGround } from './terms.ts';

/** One side of an equation: a term, or a value that is known already. */
type Side = CoreTerm | { readonly type: 'computed'; readonly get: Getter };

/** The statements that make two terms equal and bind their unbound variables. */
export const unify = (left: Side, right: Side, place: Place): readonly Builder[] => {
  const builders: Builder[] = [];
  unifyInto(left, right, place, builders);
  return builders;
};

/** Matches a pattern against the value in a slot. */
export const matchSlot = (pattern: CoreTerm, slot: number, place: Place): readonly Builder[] =>
  unify(pattern, { type: 'computed', get: (_, frame) => frame[slot] }, place);

const unifyInto = (left: Side, right: Side, place: Place, builders: Builder[]): void => {
  const leftKnown = isKnown(left, place);
  const rightKnown = isKnown(right, place);
  if (leftKnown && rightKnown) builders.push(compareSides(left, right, place));
  else if (rightKnown) match(left as CoreTerm, getterOf(right, place), place, builders);
  else if (leftKnown) match(right as CoreTerm, getterOf(left, place), place, builders);
  else unifyUnknown(left as CoreTerm, right as CoreTerm, place, builders);
};

const isKnown = (side: Side, place: Place): boolean => side.type === 'computed' || place.isGround(side);

const getterOf = (side: Side, place: Place): Getter =>
  side.type === 'computed' ? side.get : compileGround(side, place);

const compareSides = (left: Side, right: Side, place: Place): Builder => {
  const scalar = scalarOf(right) ?? scalarOf(left);
  if (scalar !== undefined) {
    const get = getterOf(scalarOf(right) === undefined ? right : left, place);
    return (next) => (evaluation, frame) => get(evaluation, frame) === scalar && next(evaluation, frame);
  }
  const a = getterOf(left, place);
  const b = getterOf(right, place);
  return (next) => (evaluation, frame) => {
    const first = a(evaluation, frame);
    if (first === undefined) return false;
    const second = b(evaluation, frame);
    return second !== undefined && equal(first, second) && next(evaluation, frame);
  };
};

/** A constant that only itself is equal to, so that `===` decides. */
const scalarOf = (side: Side): string | boolean | undefined => {
  if (side.type !== 'const') return undefined;
  return typeof side.value === 'string' || typeof side.value === 'boolean' ? side.value : undefined;
};

/** Matches a term with unbound variables against a value. */
const match = (pattern: CoreTerm, get: Getter, place: Place, builders: Builder[]): void => {
  switch (pattern.type) {
    case 'var':
      place.bound.add(pattern.name);
      builders.push(bind(place.layout.slot(pattern.name), get));
      break;
    case 'array':
      matchArray(pattern.items, get, place, builders);
      break;
    case 'object':
      matchObject(pattern.entries, get, place, builders);
      break;
    case 'ref':
      matchReference(pattern, get, place, builders);
      break;
    default:
      // Sets and comprehensions with unbound variables do not pass the safety check.
      builders.push(NEVER);
  }
};

const bind =
  (slot: number, get: Getter): Builder =>
  (next) =>
  (evaluation, frame) => {
    const value = get(evaluation, frame);
    if (value === undefined) return false;
    frame[slot] = value;
    return next(evaluation, frame);
  };

const matchArray = (items: readonly CoreTerm[], get: Getter, place: Place, builders: Builder[]): void => {
  const slot = place.layout.temporary();
  const { length } = items;
  builders.push((next) => (evaluation, frame) => {
    const value = get(evaluation, frame);
    if (!isArray(value) || value.length !== length) return false;
    frame[slot] = value;
    return next(evaluation, frame);
  });
  const pairs = items.map((item, index): [Side, Side] => [
    item,
    computed(slot, (value) => (value as Value[])[index]),
  ]);
  unifyPairs(pairs, place, builders);
};

const matchObject = (
  entries: readonly (readonly [CoreTerm, CoreTerm])[],
  get: Getter,
  place: Place,
  builders: Builder[],
): void => {
  const slot = place.layout.temporary();
  builders.push((next) => (evaluation, frame) => {
    const value = get(evaluation, frame);
    if (!isObject(value) || value.size !== entries.length) return false;
    frame[slot] = value;
    return next(evaluation, frame);
  });
  const pairs = entries.map(([key, pattern]): [Side, Side] => {
    const keyGetter = compileGround(key, place);
    const member: Getter = (evaluation, frame) => {
      const at = keyGetter(evaluation, frame);
      const object = frame[slot];
      return at === undefined || !isObject(object) ? undefined : object.get(at);
    };
    return [pattern, { type: 'computed', get: member }];
  });
  unifyPairs(pairs, place, builders);
};

const computed = (slot: number, pick: (value: Value) => Value | undefined): Side => ({
  type: 'computed',
  get: (_, frame) => pick(frame[slot]!),
});

const matchReference = (
  term: Extract<CoreTerm, { type: 'ref' }>,
  get: Getter,
  place: Place,
  builders: Builder[],
): void => {
  const slot = place.layout.temporary();
  builders.push(iterateReference(term, place, slot));
  const found: Side = { type: 'computed', get: (_, frame) => frame[slot] };
  builders.push(compareSides(found, { type: 'computed', get }, place));
};

const unifyUnknown = (left: CoreTerm, right: CoreTerm, place: Place, builders: Builder[]): void => {
  if (left.type === 'ref' || right.type === 'ref') {
    const [reference, other] =
      left.type === 'ref' ? [left, right] : [right as typeof left & { type: 'ref' }, left];
    const slot = place.layout.temporary();
    builders.push(iterateReference(reference, place, slot));
    unifyInto(other, { type: 'computed', get: (_, frame) => frame[slot] }, place, builders);
  } else if (left.type === 'array' && right.type === 'array' && left.items.length === right.items.length) {
    unifyPairs(
      left.items.map((item, index) => [item, right.items[index]!]),
      place,
      builders,
    );
  } else if (left.type === 'object' && right.type === 'object') {
    unifyObjects(left, right, place, builders);
  } else {
    builders.push(NEVER);
  }
};

type ObjectTerm = Extract<CoreTerm, { type: 'object' }>;

/** Two literal objects are equal when their constant keys are the same and the values unify. */
const unifyObjects = (left: ObjectTerm, right: ObjectTerm, place: Place, builders: Builder[]): void => {
  const pairs: [Side, Side][] = [];
  for (const [key, value] of left.entries) {
    const other = right.entries.find(([candidate]) => sameKey(key, candidate));
    if (other !== undefined) pairs.push([value, other[1]]);
  }
  if (pairs.length !== left.entries.length || pairs.length !== right.entries.length) builders.push(NEVER);
  else unifyPairs(pairs, place, builders);
};

/** Unifies pairs, those first of which a side is known; each may make others known. */
const unifyPairs = (pairs: readonly [Side, Side][], place: Place, builders: Builder[]): void => {
  const waiting = [...pairs];
  while (waiting.length > 0) {
    const ready = waiting.findIndex(([a, b]) => isKnown(a, place) || isKnown(b, place));
    const [pair] = waiting.splice(Math.max(ready, 0), 1);
    unifyInto(pair![0], pair![1], place, builders);
  }
};
