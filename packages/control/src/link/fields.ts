import { canonicalAddress, canonicalHost } from '@openshell/policy';
import { linkFault } from './frame.ts';

/** Reads the fields of one JSON object that came from elsewhere. What is not as it must be throws `link_protocol`; what is unknown is passed over. */
export class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw linkFault(`${where} is no object`);
    this.#fields = value as Record<string, unknown>;
    this.#where = where;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name) && this.#fields[name] !== undefined;
  }

  text(name: string, maxChars: number): string {
    const value = this.#own(name);
    if (typeof value !== 'string' || value.length > maxChars) throw this.#wrong(name);
    return value;
  }

  matching(name: string, pattern: RegExp): string {
    const value = this.#own(name);
    if (typeof value !== 'string' || !pattern.test(value)) throw this.#wrong(name);
    return value;
  }

  oneOf<T extends string | number>(name: string, known: readonly T[]): T {
    const found = known.find((one) => one === this.#own(name));
    if (found === undefined) throw this.#wrong(name);
    return found;
  }

  integer(name: string, min: number, max: number): number {
    const value = this.#own(name);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw this.#wrong(name);
    return value;
  }

  flag(name: string): boolean {
    const value = this.#own(name);
    if (typeof value !== 'boolean') throw this.#wrong(name);
    return value;
  }

  /** A canonical host name, no address. */
  hostName(name: string): string {
    const value = this.#own(name);
    if (typeof value !== 'string' || canonicalHost(value) !== value || canonicalAddress(value) !== undefined)
      throw this.#wrong(name);
    return value;
  }

  /** A canonical address of the family. */
  address(name: string, family: 4 | 6): string {
    const value = this.#own(name);
    const fits =
      typeof value === 'string' &&
      canonicalAddress(value) === value &&
      value.includes(':') === (family === 6);
    if (!fits) throw this.#wrong(name);
    return value;
  }

  object(name: string): Fields {
    return new Fields(this.#own(name), `${this.#where}.${name}`);
  }

  list<T>(name: string, max: number, read: (item: unknown, where: string) => T): T[] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length > max) throw this.#wrong(name);
    return value.map((item, index) => read(item, `${this.#where}.${name}[${index}]`));
  }

  /** Texts by name. */
  texts(name: string, max: number): Record<string, string> {
    const value = this.#own(name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#wrong(name);
    const entries = Object.entries(value);
    if (entries.length > max || entries.some(([, text]) => typeof text !== 'string')) throw this.#wrong(name);
    return Object.fromEntries(entries) as Record<string, string>;
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  #wrong(name: string): Error {
    return linkFault(`${this.#where} has no proper ${name}`);
  }
}
