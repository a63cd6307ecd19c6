/** Counts by key, with room for so many each. What is at zero is not kept. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** False where there is no room for one more. */
  take(key: string, max: number): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= max) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  giveBack(key: string): void {
    const count = (this.#counts.get(key) ?? 0) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
