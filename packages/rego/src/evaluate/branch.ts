import type { Location } from '../ast/location.ts';
import { RegoError } from '../error.ts';
import { equal, type Key, keyOf, RegoObject, RegoSet, type Value } from '../value/index.ts';

type Node =
  | { readonly type: 'branch'; readonly branch: Branch }
  | { readonly type: 'set'; readonly set: RegoSet }
  | { readonly type: 'value'; readonly value: Value };

interface Member {
  readonly key: Value;
  readonly node: Node;
}

/**
 * Two rules that put different things into one object. Who asks for something else in it is not concerned, so the error
 * has what came together without the later ones.
 */
export class ObjectConflict extends RegoError {
  readonly #paths: readonly (readonly Value[])[];
  readonly object: RegoObject;
  /** Whose object it is: the conflict may come out of the middle of another one's evaluation. */
  readonly rules: object;

  constructor(conflicts: readonly Conflict[], object: RegoObject, rules: object) {
    super('eval_conflict_error', 'object keys must be unique', conflicts[0]?.location);
    this.#paths = conflicts.map(({ path }) => path);
    this.object = object;
    this.rules = rules;
  }

  /** Whether what lies below the keys is in dispute. */
  concerns(keys: readonly Value[]): boolean {
    return this.#paths.some((path) => fits(path, keys));
  }
}

interface Conflict {
  readonly path: readonly Value[];
  readonly location: Location;
}

/** The constant parts of a path; `undefined` stands for a variable one. */
export type Pattern = readonly (Value | undefined)[];

/** Whether a path with these keys can meet the pattern. */
export const fits = (pattern: Pattern, keys: Pattern): boolean => {
  const length = Math.min(pattern.length, keys.length);
  for (let index = 0; index < length; index += 1) {
    const part = pattern[index];
    const key = keys[index];
    if (part !== undefined && key !== undefined && !equal(part, key)) return false;
  }
  return true;
};

/** The whole of an object that rules put together. */
export class Assembly {
  readonly #root = new Branch();
  readonly #conflicts: Conflict[] = [];
  readonly #rules: object;

  /** @param rules whose object it is */
  constructor(rules: object) {
    this.#rules = rules;
  }

  /** Puts a value at a path. */
  put(path: readonly Value[], value: Value, location: Location): void {
    if (!this.#root.put(path, value)) this.#conflicts.push({ path, location });
  }

  /** Adds members to the set at a path. */
  add(path: readonly Value[], members: Iterable<Value>, location: Location): void {
    const set = this.#root.setAt(path);
    if (set === undefined) this.#conflicts.push({ path, location });
    else for (const member of members) set.add(member);
  }

  /** Throws an ObjectConflict when rules did not agree. */
  toObject(): RegoObject {
    const object = this.#root.toObject();
    if (this.#conflicts.length > 0) throw new ObjectConflict(this.#conflicts, object, this.#rules);
    return object;
  }
}

/** One level of it. */
class Branch {
  readonly #members = new Map<Key, Member>();

  /** Puts a value at a path; false where there is something else. */
  put(path: readonly Value[], value: Value): boolean {
    const branch = this.#reach(path);
    if (branch === undefined) return false;
    const key = path.at(-1)!;
    const known = branch.#members.get(keyOf(key))?.node;
    if (known !== undefined) return known.type === 'value' && equal(known.value, value);
    branch.#members.set(keyOf(key), { key, node: { type: 'value', value } });
    return true;
  }

  /** The set at a path; nothing where there is something else. */
  setAt(path: readonly Value[]): RegoSet | undefined {
    const branch = this.#reach(path);
    if (branch === undefined) return undefined;
    const key = path.at(-1)!;
    const known = branch.#members.get(keyOf(key))?.node;
    if (known !== undefined) return known.type === 'set' ? known.set : undefined;
    const set = new RegoSet();
    branch.#members.set(keyOf(key), { key, node: { type: 'set', set } });
    return set;
  }

  toObject(): RegoObject {
    const object = new RegoObject();
    for (const { key, node } of this.#members.values()) object.set(key, nodeValue(node));
    return object;
  }

  /** The branch that holds the last key of a path. */
  #reach(path: readonly Value[]): Branch | undefined {
    let branch: Branch | undefined = this;
    for (let index = 0; index < path.length - 1 && branch !== undefined; index += 1) {
      branch = branch.#below(path[index]!);
    }
    return branch;
  }

  #below(key: Value): Branch | undefined {
    const slot = keyOf(key);
    const known = this.#members.get(slot)?.node;
    if (known !== undefined) return known.type === 'branch' ? known.branch : undefined;
    const branch = new Branch();
    this.#members.set(slot, { key, node: { type: 'branch', branch } });
    return branch;
  }
}

const nodeValue = (node: Node): Value => {
  switch (node.type) {
    case 'branch':
      return node.branch.toObject();
    case 'set':
      return node.set;
    case 'value':
      return node.value;
    default:
      return node satisfies never;
  }
};
