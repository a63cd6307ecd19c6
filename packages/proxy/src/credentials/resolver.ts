import { bindingRefusal, type Entry } from './entry.ts';
import type { Values } from './fill.ts';
import {
  after,
  type Destination,
  type Eventually,
  isRefusal,
  type Refusal,
  unavailable,
} from './injection.ts';
import type { SecretValue } from './secret.ts';

/** Values by the last part of their placeholders. */
export type Secrets = ReadonlyMap<string, SecretValue>;

/** Turns placeholders into values, for one destination at a time. */
export class Resolver {
  readonly #byKey: ReadonlyMap<string, Entry>;
  #revoked = false;

  constructor(entries: readonly Entry[]) {
    this.#byKey = new Map(entries.map((entry) => [entry.key, entry]));
  }

  get revoked(): boolean {
    return this.#revoked;
  }

  revoke(): void {
    this.#revoked = true;
  }

  readonly prefixOf = (key: string): string | undefined => this.#byKey.get(key)?.prefix;

  nameOf(key: string): string {
    return this.#byKey.get(key)?.name ?? key;
  }

  /**
   * Runs a rewriting with the values that it asks for. It is run twice: first with a stand-in that fits everywhere, to see which it
   * asks for.
   */
  fill<T extends object | string>(
    to: Destination,
    rewrite: (values: Values) => T | Refusal,
  ): Eventually<{ readonly result: T; readonly keys: readonly string[] } | Refusal> {
    const keys = new Set<string>();
    rewrite({
      prefixOf: this.prefixOf,
      of: (key) => {
        keys.add(key);
        return 'x';
      },
    });
    return after(this.resolve([...keys], to), (secrets) => {
      const result = rewrite({ prefixOf: this.prefixOf, of: (key) => secrets.get(key)!.reveal() });
      return isRefusal(result) ? result : { result, keys: [...keys] };
    });
  }

  /** The values of these keys: each has to exist, to be bound to the destination and to be had. */
  resolve(keys: readonly string[], to: Destination): Eventually<Secrets | Refusal> {
    const sources: Entry[] = [];
    for (const key of keys) {
      const entry = this.#byKey.get(key);
      const refusal = this.#revoked ? REVOKED : entry ? bindingRefusal(entry, to) : unknownKey(key);
      if (refusal) return refusal;
      sources.push(entry!);
    }
    const values = sources.map(({ source }) => source.get());
    if (!values.some((value) => value instanceof Promise))
      return together(keys, values as (SecretValue | Refusal)[]);
    return Promise.all(values).then((late) => (this.#revoked ? REVOKED : together(keys, late)));
  }
}

function together(keys: readonly string[], values: readonly (SecretValue | Refusal)[]): Secrets | Refusal {
  const secrets = new Map<string, SecretValue>();
  for (const [index, value] of values.entries()) {
    if (isRefusal(value)) return value;
    secrets.set(keys[index]!, value);
  }
  return secrets;
}

const unknownKey = (key: string): Refusal =>
  unavailable(
    `there is no credential ${key.slice(0, 128)}`,
    'Use a placeholder of the environment of this sandbox; those of another one, or of an earlier revision, have no value here.',
  );

export const REVOKED = unavailable(
  'the credentials have been revoked',
  'Send the request again: it is then served with those that are in force.',
);
