import type { CoreTerm } from '../compile/core.ts';
import { isCovered } from '../compile/outputs.ts';
import type { Linker } from './linker.ts';

/** Gives the variables of a rule their slots. */
export class Layout {
  readonly #slots = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  slot(name: string): number {
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      slot = this.temporary();
      this.#slots.set(name, slot);
    }
    return slot;
  }

  /** The name of a new variable that no rule has written. */
  temporaryName(): string {
    const name = `#t${this.#size}`;
    this.#slots.set(name, this.temporary());
    return name;
  }

  temporary(): number {
    this.#size += 1;
    return this.#size - 1;
  }
}

/** What is known at a place of a body while its closures are made. */
export class Place {
  readonly layout: Layout;
  readonly linker: Linker;
  readonly bound: Set<string>;

  constructor(layout: Layout, linker: Linker, bound: Iterable<string> = []) {
    this.layout = layout;
    this.linker = linker;
    this.bound = new Set(bound);
  }

  /** The inside of a comprehension or the like: knows what is known here, adds nothing to it. */
  inner(): Place {
    return new Place(this.layout, this.linker, this.bound);
  }

  /** Whether a term has just one value here. */
  isGround(term: CoreTerm): boolean {
    return isCovered(term, this.bound);
  }
}
