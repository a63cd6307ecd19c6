import type { Entry } from './entry.ts';
import { Mask } from './mask.ts';
import type { SecretValue } from './secret.ts';

/** What one host and port have to do with credentials; found once and kept. */
export interface HostScope {
  /** That are bound to it, whatever the path. */
  readonly entries: readonly Entry[];
  /** Over all values of its credentials that are known by now. */
  readonly mask: () => Mask;
}

/** Hosts that scopes are kept for. */
const KEPT = 1024;

export class HostScopes {
  readonly #entries: readonly Entry[];
  readonly #scopes = new Map<string, HostScope>();

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  of(host: string, port: number): HostScope {
    const key = `${host}:${port}`;
    let scope = this.#scopes.get(key);
    if (!scope) {
      // The oldest goes: whoever visits more hosts than this pays for looking again.
      if (this.#scopes.size >= KEPT) this.#scopes.delete(this.#scopes.keys().next().value!);
      const entries = this.#entries.filter(({ bindings }) =>
        bindings.some((binding) => binding.covers(host, port)),
      );
      scope = { entries, mask: cachedMask(entries) };
      this.#scopes.set(key, scope);
    }
    return scope;
  }
}

/** Values change seldom and masks are dear: one is made again only when some source has a new value. */
function cachedMask(entries: readonly Entry[]): () => Mask {
  let values: readonly SecretValue[] = [];
  let mask = new Mask([]);
  return () => {
    const known = entries.flatMap(({ source }) => source.known);
    if (known.length !== values.length || known.some((value, index) => value !== values[index])) {
      values = known;
      mask = new Mask(
        entries.flatMap(({ source, placeholder }) => source.known.map((value) => ({ value, placeholder }))),
      );
    }
    return mask;
  };
}
