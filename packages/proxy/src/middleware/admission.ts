export interface AdmissionOptions {
  readonly running: number;
  readonly waiting: number;
}

/** Lets a number of evaluations run and some more wait, first come first served. What comes beyond both is turned away at once. */
export class Admission {
  readonly #most: AdmissionOptions;
  readonly #queue = new Set<() => void>();
  #running = 0;

  constructor(options: AdmissionOptions) {
    this.#most = options;
  }

  /** Whoever was let in calls what it got, once. Undefined: turned away. Rejects when the signal ends first. */
  async enter(signal: AbortSignal): Promise<(() => void) | undefined> {
    signal.throwIfAborted();
    if (this.#running < this.#most.running) this.#running++;
    else if (this.#queue.size >= this.#most.waiting) return undefined;
    else await this.#turn(signal);
    return () => this.#leave();
  }

  /** Resolves with a place handed over by the one who left. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#queue.delete(go);
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#queue.add(go);
    });
  }

  #leave(): void {
    const [next] = this.#queue;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#queue.delete(next);
    next();
  }
}
