/** Something that may be idle for too long. */
export interface Idler {
  /** Called once in a while. Compares what has moved since the last time. */
  tick(now: number): void;
}

/**
 * Looks after many connections with one timer. A timer of its own for each, set anew with every read and write, would be a
 * good part of what a small request costs; how exactly an idle connection's end is kept does not matter.
 */
export class IdleClock {
  readonly #periodMs: number;
  readonly #idlers = new Set<Idler>();
  #timer: NodeJS.Timeout | undefined;

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  add(idler: Idler): void {
    this.#idlers.add(idler);
    this.#timer ??= setInterval(this.#onTick, this.#periodMs).unref();
  }

  remove(idler: Idler): void {
    this.#idlers.delete(idler);
    if (this.#idlers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  readonly #onTick = (): void => {
    const now = performance.now();
    for (const idler of this.#idlers) idler.tick(now);
  };
}
