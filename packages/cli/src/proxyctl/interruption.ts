const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Turns Ctrl-C and SIGTERM into an end in good order, as long as it lives. The same signal for a second time ends the program at once. */
export class Interruption implements Disposable {
  readonly #asked = new AbortController();
  readonly #takers: readonly (readonly [keyof typeof SIGNALS, () => void])[];
  #exitCode: number | undefined;

  constructor() {
    this.#takers = (['SIGINT', 'SIGTERM'] as const).map((name) => [name, () => this.#take(SIGNALS[name])]);
    for (const [name, take] of this.#takers) process.once(name, take);
  }

  /** Aborts when the program is asked to end. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** As a shell reports a program that the signal ended; undefined: nobody has asked. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  [Symbol.dispose](): void {
    for (const [name, take] of this.#takers) process.off(name, take);
  }

  #take(signal: number): void {
    this.#exitCode ??= 128 + signal;
    this.#asked.abort();
  }
}
