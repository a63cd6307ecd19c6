import { compare } from './compare.ts';
import { fromJson, type JsonObject } from './json.ts';
import { embeddedKey, type Key, keyOf, stringKey } from './key.ts';
import { boundedText } from './too-large.ts';
import type { Value } from './value.ts';

/**
 * An object with keys of any type. Iterates in the order of `compare` over its keys. Filled while it is built,
 * never changed once handed out.
 *
 * One made of JSON converts a member when it is first asked for: of a large input only what a policy reads is converted.
 */
export class RegoObject {
  readonly kind = 'object';
  readonly #values = new Map<Key, Value>();
  /** Only the keys that are not their own `Key`. */
  #compositeKeys: Map<Key, Value> | undefined;
  /** Members still to be converted. */
  #json: JsonObject | undefined;
  #sortedKeys: readonly Value[] | undefined;
  #key: string | undefined;

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  /** An object over JSON, which must not change afterwards. */
  static fromJson(json: JsonObject): RegoObject {
    const object = new RegoObject();
    object.#json = json;
    return object;
  }

  get size(): number {
    this.#convertAll();
    return this.#values.size;
  }

  get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.getString(key) : this.#values.get(keyOf(key));
  }

  /** `get` for a key known to be a string. */
  getString(name: string): Value | undefined {
    return this.getNamed(name, stringKey(name));
  }

  /** `getString` for a constant name whose `stringKey` is known: the path that every `input.a.b` takes. */
  getNamed(name: string, key: string): Value | undefined {
    const known = this.#values.get(key);
    if (known !== undefined || this.#json === undefined) return known;
    return this.#convert(name, key);
  }

  has(key: Value): boolean {
    return this.get(key) !== undefined;
  }

  /** For whoever builds the object; the last of equal keys stays. */
  set(key: Value, value: Value): void {
    this.#convertAll();
    const slot = keyOf(key);
    this.#values.set(slot, value);
    if (slot !== key) {
      this.#compositeKeys ??= new Map();
      this.#compositeKeys.set(slot, key);
    }
    this.#sortedKeys = undefined;
    this.#key = undefined;
  }

  /** The keys in order. */
  get sortedKeys(): readonly Value[] {
    this.#sortedKeys ??= [...this.keys()].sort(compare);
    return this.#sortedKeys;
  }

  /** The keys in no particular order. */
  *keys(): IterableIterator<Value> {
    this.#convertAll();
    for (const slot of this.#values.keys()) yield this.#compositeKeys?.get(slot) ?? slot;
  }

  /** The values in no particular order. */
  values(): IterableIterator<Value> {
    this.#convertAll();
    return this.#values.values();
  }

  /** The members in the order of their keys. */
  *[Symbol.iterator](): IterableIterator<[Value, Value]> {
    for (const key of this.sortedKeys) yield [key, this.get(key)!];
  }

  /** As a `Map` key; see `keyOf`. */
  get key(): string {
    if (this.#key === undefined) {
      let text = '\0{';
      for (const key of this.sortedKeys) text += embeddedKey(key) + embeddedKey(this.get(key)!);
      this.#key = boundedText(`${text}}`);
    }
    return this.#key;
  }

  #convert(name: string, key: Key): Value | undefined {
    const json = this.#json!;
    if (!Object.hasOwn(json, name)) return undefined;
    const member = json[name];
    if (member === undefined) return undefined;
    const value = fromJson(member);
    this.#values.set(key, value);
    return value;
  }

  #convertAll(): void {
    const json = this.#json;
    if (json === undefined) return;
    for (const name of Object.keys(json)) {
      const key = stringKey(name);
      if (!this.#values.has(key)) this.#convert(name, key);
      if (key !== name) {
        this.#compositeKeys ??= new Map();
        this.#compositeKeys.set(key, name);
      }
    }
    this.#json = undefined;
  }
}
