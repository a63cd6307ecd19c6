import type { CoreRef, CoreTerm } from '../compile/core.ts';
import { stringKey, type Value } from '../value/index.ts';
import { compileDataReference, iterateData } from './data-references.ts';
import { MISSING } from './evaluation.ts';
import type { Place } from './layout.ts';
import { member, namedMember } from './navigate.ts';
import type { Builder, Getter } from './step.ts';
import { compileGround } from './terms.ts';
import { compileHops, type Visit, walkValue } from './walk.ts';

/** A reference without unbound variables: a getter for its one value. */
export const compileReference = (term: CoreRef, place: Place): Getter => {
  if (term.base === 'data') return compileDataReference(term, place);
  if (term.base !== 'input' || term.path.length === 0)
    return follow(baseGetter(term.base, place), term.path, place);
  const variable = term.path.findIndex((part) => part.type !== 'const');
  const constant = variable === -1 ? term.path.length : variable;
  const beginning = inputGetter(term.path.slice(0, constant), place);
  return follow(beginning, term.path.slice(constant), place);
};

/** A constant path into the input: looked up once an evaluation, however many rules and iterations need it. */
const inputGetter = (path: readonly CoreTerm[], place: Place): Getter => {
  const find = follow(baseGetter('input', place), path, place);
  if (path.length === 0) return find;
  const id = place.linker.inputPath(path.map((part) => (part.type === 'const' ? part.value : null)));
  return (evaluation, frame) => {
    const known = evaluation.inputs[id];
    if (known !== undefined) return known === MISSING ? undefined : (known as Value);
    const value = find(evaluation, frame);
    evaluation.inputs[id] = value === undefined ? MISSING : value;
    return value;
  };
};

/** A getter that follows a path of bound terms from a value. */
export const follow = (base: Getter, path: readonly CoreTerm[], place: Place): Getter =>
  path.reduce((getter, part) => followOne(getter, part, place), base);

const followOne = (base: Getter, part: CoreTerm, place: Place): Getter => {
  if (part.type === 'const' && typeof part.value === 'string') {
    const name = part.value;
    const key = stringKey(name);
    return (evaluation, frame) => {
      const value = base(evaluation, frame);
      return value === undefined ? undefined : namedMember(value, name, key);
    };
  }
  const key = compileGround(part, place);
  return (evaluation, frame) => {
    const value = base(evaluation, frame);
    if (value === undefined) return undefined;
    const at = key(evaluation, frame);
    return at === undefined ? undefined : member(value, at);
  };
};

const baseGetter = (base: Exclude<CoreRef['base'], 'data'>, place: Place): Getter => {
  if (base === 'input') return (evaluation) => evaluation.input;
  const slot = place.layout.slot(base.name);
  return (_, frame) => frame[slot];
};

/** A reference with unbound variables: puts each of its values into a slot, with the variables bound. */
export const iterateReference = (term: CoreRef, place: Place, slot: number): Builder => {
  if (term.base === 'data') return iterateData(term, place, slot);
  const base = baseGetter(term.base, place);
  const hops = compileHops(term.path, place);
  return (next) => {
    const visit: Visit = (evaluation, frame, value) => {
      frame[slot] = value;
      return next(evaluation, frame);
    };
    const walk = walkValue(hops, visit);
    return (evaluation, frame) => {
      const value: Value | undefined = base(evaluation, frame);
      return value === undefined ? false : walk(evaluation, frame, value);
    };
  };
};
