/** Bytes that several connections share. Whoever takes gives back. */
export class ByteBudget {
  readonly #capacity: number;
  #taken = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  /** False, and nothing taken, where so many are not left. */
  take(bytes: number): boolean {
    if (bytes > this.#capacity - this.#taken) return false;
    this.#taken += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}
