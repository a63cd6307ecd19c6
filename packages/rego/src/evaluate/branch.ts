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

/** An object that several rules put together, level by level. */
export class Branch {
  readonly #members = new Map<Key, Member>();

  /** Puts a value at a path. Throws a RegoError where another rule put something else. */
  put(path: readonly Value[], value: Value, location: Location): void {
    const { branch, key } = this.#reach(path, location);
    const known = branch.#members.get(keyOf(key))?.node;
    if (known === undefined) branch.#members.set(keyOf(key), { key, node: { type: 'value', value } });
    else if (known.type !== 'value' || !equal(known.value, value)) throw conflict(location);
  }

  /** The set at a path, to add to. Throws a RegoError where another rule put something else. */
  setAt(path: readonly Value[], location: Location): RegoSet {
    const { branch, key } = this.#reach(path, location);
    const known = branch.#members.get(keyOf(key))?.node;
    if (known?.type === 'set') return known.set;
    if (known !== undefined) throw conflict(location);
    const set = new RegoSet();
    branch.#members.set(keyOf(key), { key, node: { type: 'set', set } });
    return set;
  }

  toObject(): RegoObject {
    const object = new RegoObject();
    for (const { key, node } of this.#members.values()) object.set(key, nodeValue(node));
    return object;
  }

  #reach(path: readonly Value[], location: Location): { branch: Branch; key: Value } {
    let branch: Branch = this;
    for (let index = 0; index < path.length - 1; index += 1) branch = branch.#below(path[index]!, location);
    return { branch, key: path.at(-1)! };
  }

  #below(key: Value, location: Location): Branch {
    const slot = keyOf(key);
    const known = this.#members.get(slot)?.node;
    if (known?.type === 'branch') return known.branch;
    if (known !== undefined) throw conflict(location);
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

const conflict = (location: Location): RegoError =>
  new RegoError('eval_conflict_error', 'object keys must be unique', location);
