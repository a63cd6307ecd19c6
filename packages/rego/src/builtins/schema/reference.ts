import { isArray, isObject, type RegoObject, type Value } from '../../value/index.ts';
import { unescapePercent } from '../encoding/urlquery.ts';

/** A schema: an object, or true and false from draft 6 on. */
export type Schema = RegoObject | boolean;

export const isSchema = (value: Value | undefined): value is Schema =>
  typeof value === 'boolean' || isObject(value);

/** Finds schemas by reference within one document. */
export class ReferenceResolver {
  readonly #root: Schema;
  readonly #byId = new Map<string, Schema>();

  constructor(root: Schema) {
    this.#root = root;
    if (isObject(root)) this.#collect(root, '');
  }

  /** The schema that a reference points to. Throws when it is not within the document. */
  resolve(reference: string): Schema {
    const known = this.#byId.get(reference) ?? this.#byId.get(reference.replace(/#$/, ''));
    if (known !== undefined) return known;
    const hash = reference.indexOf('#');
    const base = hash < 0 ? reference : reference.slice(0, hash);
    const start = base === '' ? this.#root : this.#byId.get(base);
    const pointer = hash < 0 ? '' : unescapePercent(reference.slice(hash + 1));
    const found = start === undefined ? undefined : followPointer(start, pointer);
    if (!isSchema(found))
      throw new Error(`reference ${JSON.stringify(reference)} cannot be resolved within the schema`);
    return found;
  }

  /** Remembers every schema under its own id, and under that of the schemas around it. */
  #collect(value: Value, base: string): void {
    if (isArray(value)) for (const element of value) this.#collect(element, base);
    if (!isObject(value)) return;
    const id = value.getString('$id') ?? value.getString('id');
    let inner = base;
    if (typeof id === 'string') {
      inner = resolveId(id, base);
      this.#byId.set(id, value);
      this.#byId.set(inner, value);
      inner = inner.replace(/#.*$/, '');
    }
    for (const member of value.values()) this.#collect(member, inner);
  }
}

const resolveId = (id: string, base: string): string => {
  if (base === '' || URL.canParse(id)) return id;
  return URL.canParse(id, base) ? new URL(id, base).href : id;
};

/** A JSON pointer (RFC 6901). */
const followPointer = (start: Value, pointer: string): Value | undefined => {
  if (pointer === '') return start;
  if (!pointer.startsWith('/')) return undefined;
  let value: Value | undefined = start;
  for (const part of pointer.slice(1).split('/')) {
    const step = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (isObject(value)) value = value.getString(step);
    else if (isArray(value)) value = /^\d+$/.test(step) ? value[Number(step)] : undefined;
    else return undefined;
  }
  return value;
};
