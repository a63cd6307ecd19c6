import {
  isArray,
  isObject,
  isSet,
  type Key,
  keyOf,
  RegoObject,
  RegoSet,
  type Value,
} from '../../value/index.ts';
import type { Path } from './path.ts';

/** Paths as a tree: a leaf names all that is below it. */
export type PathTree = Map<Key, PathTree> | 'leaf';

/** Joins paths; the shorter of two that begin alike wins. */
export const treeOf = (paths: readonly Path[]): PathTree => {
  const root: PathTree = new Map();
  for (const path of paths) addPath(root, path);
  return root;
};

const addPath = (root: Map<Key, PathTree>, path: Path): void => {
  let node = root;
  for (const [index, step] of path.entries()) {
    const key = keyOf(step);
    const child = node.get(key);
    if (child === 'leaf') return;
    if (index === path.length - 1) {
      node.set(key, 'leaf');
      return;
    }
    const next = child ?? new Map<Key, PathTree>();
    node.set(key, next);
    node = next;
  }
};

/** What the tree names, in its place; scalars on the way stay. */
export const keep = (value: Value, tree: PathTree): Value => {
  if (tree === 'leaf') return value;
  return mapChildren(value, (step, child) => {
    const below = tree.get(step);
    return below === undefined ? undefined : keep(child, below);
  });
};

/** All but what the tree names. */
export const drop = (value: Value, tree: PathTree): Value | undefined => {
  if (tree === 'leaf') return undefined;
  return mapChildren(value, (step, child) => {
    const below = tree.get(step);
    return below === undefined ? child : drop(child, below);
  });
};

/** Rebuilds a collection of what a function makes of its members. Array indices are steps in the form of strings. */
const mapChildren = (value: Value, make: (step: Key, child: Value) => Value | undefined): Value => {
  if (isArray(value)) {
    const made = value.map((element, index) => make(String(index), element));
    return made.filter((element) => element !== undefined);
  }
  if (isSet(value)) {
    const made = Array.from(value.values(), (member) => make(keyOf(member), member));
    return new RegoSet(made.filter((member) => member !== undefined));
  }
  if (!isObject(value)) return value;
  const result = new RegoObject();
  for (const [key, member] of value) {
    const made = make(keyOf(key), member);
    if (made !== undefined) result.set(key, made);
  }
  return result;
};
