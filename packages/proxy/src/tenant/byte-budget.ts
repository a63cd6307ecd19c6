/** Bytes that several owners share. Whoever takes gives back. */
export class ByteBudget {
  readonly #capacity: number;
  readonly #within: ByteBudget | undefined;
  #taken = 0;

  /** What is taken of it is also taken of `within`. */
  constructor(capacity: number, within?: ByteBudget) {
    this.#capacity = capacity;
    this.#within = within;
  }

  get taken(): number {
    return this.#taken;
  }

  /** False, and nothing taken, where so many are not left. */
  take(bytes: number): boolean {
    if (bytes > this.#capacity - this.#taken) return false;
    if (this.#within?.take(bytes) === false) return false;
    this.#taken += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
    this.#within?.give(bytes);
  }
}

/** What one owner holds of a budget, given back all at once. */
export class Holding {
  readonly #budget: ByteBudget;
  #bytes = 0;
  #released = false;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Holds so many more. False: there are not so many left, or the owner is gone. */
  add(bytes: number): boolean {
    return this.holds(this.#bytes + bytes);
  }

  /** Holds so many from now on, more or fewer than before. False, and nothing changed: there are not so many left. */
  holds(bytes: number): boolean {
    if (this.#released) return false;
    const more = bytes - this.#bytes;
    if (more > 0 && !this.#budget.take(more)) return false;
    if (more < 0) this.#budget.give(-more);
    this.#bytes = bytes;
    return true;
  }

  /** The last call that has an effect. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#budget.give(this.#bytes);
  }
}

/** What a client is told whose sandbox holds as much in memory as it may. */
export const NO_MEMORY = {
  status: 503,
  code: 'tenant_memory',
  detail: 'this sandbox holds as many bytes of requests and messages in memory as it may',
  remedy: 'Let other requests end first, send less at once, or raise the limit held_bytes of the tenant.',
} as const;
