import type { CoreRef, CoreTerm } from '../compile/core.ts';
import type { RuleGroup, RuleNode } from '../compile/rule-tree.ts';
import { compare, isObject, type Key, keyOf, type Value } from '../value/index.ts';
import type { Evaluation } from './evaluation.ts';
import { extent } from './extent.ts';
import type { Place } from './layout.ts';
import type { Linker } from './linker.ts';
import { baseMember, navigate } from './navigate.ts';
import { follow } from './references.ts';
import type { Builder, Frame, Getter } from './step.ts';
import { compileGround } from './terms.ts';
import { compileHops, type Hop, matchStep, type Visit, walkValue } from './walk.ts';

/** How far the constant beginning of a reference leads, decided once when it is compiled. */
interface Beginning {
  /** Where it ends in the rule tree; nothing when rules have no part in it. */
  readonly node: RuleNode | undefined;
  readonly path: readonly Value[];
  readonly rest: readonly CoreTerm[];
}

const beginningOf = (term: CoreRef, tree: RuleNode): Beginning => {
  let node: RuleNode | undefined = tree;
  const path: Value[] = [];
  for (const part of term.path) {
    if (part.type !== 'const' || node === undefined || node.group !== undefined) break;
    path.push(part.value);
    node = node.child(part.value);
  }
  return { node, path, rest: term.path.slice(path.length) };
};

/** A reference into data without unbound variables. */
export const compileDataReference = (term: CoreRef, place: Place): Getter => {
  const { linker } = place;
  const { node, path, rest } = beginningOf(term, linker.tree);
  if (node === undefined) return followBase(path, rest, place);
  if (node.group !== undefined) {
    const keys = rest.map((part) => compileGround(part, place));
    return follow(groupGetter(node.group, keys, linker), rest, place);
  }
  if (rest.length === 0)
    return (evaluation) => extent(node, navigate(evaluation.data, path), evaluation, linker);
  return dynamicGetter(
    node,
    path,
    rest.map((part) => compileGround(part, place)),
    linker,
  );
};

const baseGetter =
  (path: readonly Value[]): Getter =>
  (evaluation) =>
    navigate(evaluation.data, path);

const followBase = (path: readonly Value[], rest: readonly CoreTerm[], place: Place): Getter => {
  let beginning = path;
  let index = 0;
  for (; index < rest.length; index += 1) {
    const part = rest[index]!;
    if (part.type !== 'const') break;
    beginning = [...beginning, part.value];
  }
  return rest.slice(index).reduce((base: Getter, part) => {
    const key = compileGround(part, place);
    return (evaluation, frame) => {
      const value = base(evaluation, frame);
      const at = value === undefined ? undefined : key(evaluation, frame);
      return at === undefined ? undefined : baseMember(value!, at);
    };
  }, baseGetter(beginning));
};

/** The document of a group, as far as it is needed for what lies below the keys. */
const groupGetter = (group: RuleGroup, keys: readonly Getter[], linker: Linker): Getter => {
  const { path } = group.node;
  const needsKeys = group.kind === 'object' && keys.length > 0;
  return (evaluation, frame) => {
    if (evaluation.shadows !== undefined && evaluation.isShadowed(path))
      return navigate(evaluation.data, path);
    const document = linker.document(group);
    if (!needsKeys) return document.value(evaluation);
    const known: Value[] = [];
    for (const key of keys) {
      const value = key(evaluation, frame);
      if (value === undefined) return undefined;
      known.push(value);
    }
    return document.below(evaluation, known);
  };
};

/** A bound variable chooses among packages or rules. */
const dynamicGetter =
  (start: RuleNode, path: readonly Value[], keys: readonly Getter[], linker: Linker): Getter =>
  (evaluation, frame) => {
    let node: RuleNode | undefined = start;
    let base = navigate(evaluation.data, path);
    for (const getter of keys) {
      const key = getter(evaluation, frame);
      if (key === undefined) return undefined;
      if (node?.group !== undefined || (node !== undefined && evaluation.isShadowed(node.path))) {
        base = extent(node, base, evaluation, linker);
        node = undefined;
      }
      node = node?.child(key);
      base = base === undefined ? undefined : baseMember(base, key);
    }
    return node === undefined ? base : extent(node, base, evaluation, linker);
  };

/** A reference into data with unbound variables: puts each of its values into a slot. */
export const iterateData = (term: CoreRef, place: Place, slot: number): Builder => {
  const { linker } = place;
  const { node, path, rest } = beginningOf(term, linker.tree);
  const start = startGetter(node, path, rest, place);
  const hops = compileHops(rest, place);
  return (next) => {
    const visit: Visit = (evaluation, frame, value) => {
      frame[slot] = value;
      return next(evaluation, frame);
    };
    if (node !== undefined && node.group === undefined) {
      const walk = walkTree(hops, visit, linker);
      return (evaluation, frame) => walk(evaluation, frame, node, navigate(evaluation.data, path));
    }
    const walk = walkValue(hops, visit);
    return (evaluation, frame) => {
      const value = start(evaluation, frame);
      return value === undefined ? false : walk(evaluation, frame, value);
    };
  };
};

const startGetter = (
  node: RuleNode | undefined,
  path: readonly Value[],
  rest: readonly CoreTerm[],
  place: Place,
): Getter => {
  if (node?.group === undefined) return baseGetter(path);
  const known = rest.findIndex((part) => !place.isGround(part));
  const keys = rest.slice(0, known === -1 ? rest.length : known).map((part) => compileGround(part, place));
  return groupGetter(node.group, keys, place.linker);
};

/** Goes on from a node of the rule tree and what data has there. */
type TreeVisit = (evaluation: Evaluation, frame: Frame, node: RuleNode, base: Value | undefined) => boolean;

/** Walks hops over rules and data together. */
const walkTree = (hops: readonly Hop[], visit: Visit, linker: Linker): TreeVisit => {
  const [hop, ...others] = hops;
  const leave = walkValue(hops, visit);
  if (hop === undefined) {
    return (evaluation, frame, node, base) => {
      const value = extent(node, base, evaluation, linker);
      return value === undefined ? false : visit(evaluation, frame, value);
    };
  }
  const inTree = walkTree(others, visit, linker);
  const outside = walkValue(others, visit);
  const enter = (
    evaluation: Evaluation,
    frame: Frame,
    key: Value,
    node: RuleNode,
    base: Value | undefined,
  ): boolean => {
    const child = node.child(key);
    const below = isObject(base) ? base.get(key) : undefined;
    if (child !== undefined) return inTree(evaluation, frame, child, below);
    return below === undefined ? false : outside(evaluation, frame, below);
  };
  const each = eachKey(hop, enter);
  return (evaluation, frame, node, base) => {
    if (node.group === undefined && !evaluation.isShadowed(node.path))
      return each(evaluation, frame, node, base);
    const value = extent(node, base, evaluation, linker);
    return value === undefined ? false : leave(evaluation, frame, value);
  };
};

type Enter = (
  evaluation: Evaluation,
  frame: Frame,
  key: Value,
  node: RuleNode,
  base: Value | undefined,
) => boolean;

const eachKey = (hop: Hop, enter: Enter): TreeVisit => {
  switch (hop.type) {
    case 'get':
      return (evaluation, frame, node, base) => {
        const key = hop.key(evaluation, frame);
        return key === undefined ? false : enter(evaluation, frame, key, node, base);
      };
    case 'bind':
      return (evaluation, frame, node, base) => {
        for (const key of keysAt(node, base)) {
          evaluation.session.step();
          frame[hop.slot] = key;
          if (enter(evaluation, frame, key, node, base)) return true;
        }
        return false;
      };
    case 'match': {
      const matches = matchStep(hop);
      return (evaluation, frame, node, base) => {
        for (const key of keysAt(node, base)) {
          evaluation.session.step();
          frame[hop.keySlot] = key;
          if (matches(evaluation, frame) && enter(evaluation, frame, key, node, base)) return true;
        }
        return false;
      };
    }
    default:
      return hop satisfies never;
  }
};

/** The names that rules or data have at a node, in order. */
const keysAt = (node: RuleNode, base: Value | undefined): readonly Value[] => {
  const keys = new Map<Key, Value>();
  if (isObject(base)) for (const key of base.keys()) keys.set(keyOf(key), key);
  for (const [slot, child] of node.children) keys.set(slot, child.key);
  return [...keys.values()].sort(compare);
};
