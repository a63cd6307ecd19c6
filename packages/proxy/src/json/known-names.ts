/**
 * The names that mean something in one kind of object. Some readers match names without regard to case, with `ſ` (U+017F) for `s` and the
 * Kelvin sign (U+212A) for `k`: to them `Method` next to `method` is the same member, and the last one counts.
 */
export class KnownNames {
  readonly #exact: ReadonlySet<string>;
  readonly #byFolded: ReadonlyMap<string, string>;

  constructor(names: readonly string[]) {
    this.#exact = new Set(names);
    this.#byFolded = new Map(names.map((name) => [foldName(name), name]));
  }

  has(name: string): boolean {
    return this.#exact.has(name);
  }

  /** The known name that some name could be taken for without being it; undefined where there is none. */
  mistakable(names: Iterable<string>): string | undefined {
    for (const name of names) {
      if (this.#exact.has(name)) continue;
      const known = this.#byFolded.get(foldName(name));
      if (known !== undefined) return known;
    }
    return undefined;
  }
}

/** Equal for names that a reader without regard to case takes for the same. */
export const foldName = (name: string): string => name.toUpperCase().toLowerCase();
