import type { CoreTerm } from '../compile/core.ts';
import { RegoObject, RegoSet, type Value } from '../value/index.ts';
import { compileComprehension } from './comprehensions.ts';
import type { Place } from './layout.ts';
import { compileReference, iterateReference } from './references.ts';
import type { Builder, Getter } from './step.ts';

/** A term that has one value at this place: a getter for it. */
export const compileGround = (term: CoreTerm, place: Place): Getter => {
  switch (term.type) {
    case 'const': {
      const { value } = term;
      return () => value;
    }
    case 'var': {
      const slot = place.layout.slot(term.name);
      return (_, frame) => frame[slot];
    }
    case 'ref':
      return compileReference(term, place);
    case 'array':
      return arrayGetter(term.items.map((item) => compileGround(item, place)));
    case 'set':
      return setGetter(term.items.map((item) => compileGround(item, place)));
    case 'object':
      return objectGetter(
        term.entries.map(([key, value]) => [compileGround(key, place), compileGround(value, place)] as const),
      );
    case 'comprehension':
      return compileComprehension(term, place);
    default:
      return term satisfies never;
  }
};

/**
 * A term that is needed as a value. What has to be iterated over or must be defined first goes to `before`.
 * @param hoist puts references there even when they have one value: then the statement that needs them may be negated
 *   without a negation of their being undefined
 */
export const compileOperand = (term: CoreTerm, place: Place, before: Builder[], hoist: boolean): Getter =>
  compileGround(flatten(term, place, before, hoist), place);

/** A term with the references in it that cannot stay put into temporary variables, in `before`. */
export const flatten = (term: CoreTerm, place: Place, before: Builder[], hoist: boolean): CoreTerm => {
  switch (term.type) {
    case 'const':
    case 'var':
    case 'comprehension':
      return term;
    case 'ref': {
      const path = term.path.map((part) => flattenPath(part, place, before, hoist));
      const flat = { ...term, path };
      return !hoist && place.isGround(flat) ? flat : extract(flat, place, before);
    }
    case 'array':
    case 'set':
      return { ...term, items: term.items.map((item) => flatten(item, place, before, hoist)) };
    case 'object':
      return {
        ...term,
        entries: term.entries.map(
          ([key, value]) =>
            [flatten(key, place, before, hoist), flatten(value, place, before, hoist)] as const,
        ),
      };
    default:
      return term satisfies never;
  }
};

/** The parts of a reference's path: patterns of variables stay, as they are matched while iterating. */
export const flattenPath = (part: CoreTerm, place: Place, before: Builder[], hoist: boolean): CoreTerm =>
  part.type === 'var' || part.type === 'const' ? part : flatten(part, place, before, hoist);

const extract = (term: Extract<CoreTerm, { type: 'ref' }>, place: Place, before: Builder[]): CoreTerm => {
  const name = place.layout.temporaryName();
  const slot = place.layout.slot(name);
  if (place.isGround(term)) {
    before.push(assign(slot, compileReference(term, place)));
  } else {
    before.push(iterateReference(term, place, slot));
  }
  place.bound.add(name);
  return { type: 'var', name };
};

/** Puts a value into a slot; the statement fails when it is undefined. */
export const assign =
  (slot: number, getter: Getter): Builder =>
  (next) =>
  (evaluation, frame) => {
    const value = getter(evaluation, frame);
    if (value === undefined) return false;
    frame[slot] = value;
    return next(evaluation, frame);
  };

const arrayGetter =
  (items: readonly Getter[]): Getter =>
  (evaluation, frame) => {
    const array: Value[] = [];
    for (const item of items) {
      const value = item(evaluation, frame);
      if (value === undefined) return undefined;
      array.push(value);
    }
    return array;
  };

const setGetter =
  (items: readonly Getter[]): Getter =>
  (evaluation, frame) => {
    const set = new RegoSet();
    for (const item of items) {
      const value = item(evaluation, frame);
      if (value === undefined) return undefined;
      set.add(value);
    }
    return set;
  };

const objectGetter =
  (entries: readonly (readonly [Getter, Getter])[]): Getter =>
  (evaluation, frame) => {
    const object = new RegoObject();
    for (const [key, value] of entries) {
      const k = key(evaluation, frame);
      const v = value(evaluation, frame);
      if (k === undefined || v === undefined) return undefined;
      object.set(k, v);
    }
    return object;
  };
