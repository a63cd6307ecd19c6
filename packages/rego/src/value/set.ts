import { compare } from './compare.ts';
import { embeddedKey, type Key, keyOf } from './key.ts';
import { boundedText } from './too-large.ts';
import type { Value } from './value.ts';

/** A set of values. Iterates in the order of `compare`. Filled while it is built, never changed once handed out. */
export class RegoSet {
  readonly kind = 'set';
  #members: Map<Key, Value>;
  #sorted: readonly Value[] | undefined;
  #key: string | undefined;

  constructor(members: Iterable<Value> = []) {
    this.#members = new Map();
    for (const member of members) this.#members.set(keyOf(member), member);
  }

  get size(): number {
    return this.#members.size;
  }

  has(value: Value): boolean {
    return this.#members.has(keyOf(value));
  }

  /** For whoever builds the set. Returns whether the value was new; of equal values the first stays. */
  add(value: Value): boolean {
    const key = keyOf(value);
    if (this.#members.has(key)) return false;
    this.#members.set(key, value);
    this.#sorted = undefined;
    this.#key = undefined;
    return true;
  }

  /** The member that equals a value, as it was added; `undefined` when there is none. */
  get(value: Value): Value | undefined {
    return this.#members.get(keyOf(value));
  }

  /** The members in order. */
  get sorted(): readonly Value[] {
    this.#sorted ??= [...this.#members.values()].sort(compare);
    return this.#sorted;
  }

  /** The members in the order they were added, for work in which order does not show. */
  values(): IterableIterator<Value> {
    return this.#members.values();
  }

  [Symbol.iterator](): IterableIterator<Value> {
    return this.sorted[Symbol.iterator]() as IterableIterator<Value>;
  }

  /** As a `Map` key; see `keyOf`. */
  get key(): string {
    if (this.#key === undefined) {
      let key = '\0<';
      for (const member of this.sorted) key += embeddedKey(member);
      this.#key = boundedText(`${key}>`);
    }
    return this.#key;
  }
}
