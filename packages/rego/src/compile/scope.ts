/** How a name came to be known in a scope. */
export type Occurrence = 'argument' | 'assigned' | 'declared' | 'seen';

interface Entry {
  readonly unique: string;
  readonly occurrence: Occurrence;
  uses: number;
}

/** Gives local variables names of their own across a whole rule. */
export class NameSource {
  #next = 0;

  /** A name for a variable that was declared: the written one stays readable in it. */
  unique(name: string): string {
    this.#next += 1;
    return `${name}#${this.#next}`;
  }

  /** A name for something that the compiler itself stores. */
  generated(): string {
    return this.unique('');
  }
}

/** The name as it was written; empty for one that the compiler made. */
export const writtenName = (unique: string): string => unique.split('#', 1)[0]!;

/** Scopes within each other: a rule, its comprehensions and `every` bodies. */
export class Scope {
  readonly #entries = new Map<string, Entry>();
  /** Names that are declared somewhere in this body, perhaps only further down. */
  readonly #pending: ReadonlySet<string>;
  readonly #parent: Scope | undefined;
  readonly names: NameSource;

  constructor(names: NameSource, pending: ReadonlySet<string>, parent?: Scope) {
    this.names = names;
    this.#pending = pending;
    this.#parent = parent;
  }

  inner(pending: ReadonlySet<string>): Scope {
    return new Scope(this.names, pending, this);
  }

  /** The unique name of a declared variable; counts as a use. */
  lookup(name: string): string | undefined {
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.occurrence !== 'seen') {
      entry.uses += 1;
      return entry.unique;
    }
    return this.#parent?.lookup(name);
  }

  /** Whether the name is declared here or further out, now or later: then it is not a rule's or an import's. */
  shadows(name: string): boolean {
    return this.#pending.has(name) || this.#declares(name) || (this.#parent?.shadows(name) ?? false);
  }

  /** Notes that a name was used before any declaration. */
  see(name: string): void {
    if (!this.#entries.has(name)) this.#entries.set(name, { unique: name, occurrence: 'seen', uses: 1 });
  }

  /** What forbids to declare a name in this very scope. */
  conflict(name: string): Occurrence | undefined {
    return this.#entries.get(name)?.occurrence;
  }

  declare(name: string, occurrence: Exclude<Occurrence, 'seen'>): string {
    const unique = this.names.unique(name);
    this.#entries.set(name, { unique, occurrence, uses: 0 });
    return unique;
  }

  /** Names that were declared here and never used. */
  unused(occurrence: Occurrence): readonly string[] {
    const found: string[] = [];
    for (const [name, entry] of this.#entries) {
      if (entry.occurrence === occurrence && entry.uses === 0) found.push(name);
    }
    return found;
  }

  #declares(name: string): boolean {
    const entry = this.#entries.get(name);
    return entry !== undefined && entry.occurrence !== 'seen';
  }
}
