import { messageOf } from '@openshell/base';
import { LIMITS } from '../limits.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface PlaceOptions {
  readonly index: number;
  /** Starts a worker and brings it to what is in force. One that fails has been ended. */
  readonly begin: () => Promise<WorkerHandle>;
  /** A worker has ended that nobody had told to. */
  readonly onLost: (worker: WorkerHandle) => void;
  readonly onReplaced: () => void;
  /** It could not be replaced, and is not tried again at once (`again` in ms) or at all (undefined). */
  readonly onFailed: (why: string, again: number | undefined) => void;
}

/** From the first attempt to replace a worker to the next ones, in ms; doubled each time. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
const MINUTE = 60_000;

/** Where one worker after the other serves: the next one begins when the last one has ended. */
export class Place {
  readonly #options: PlaceOptions;
  readonly #stopping = new AbortController();
  #worker: WorkerHandle | undefined;
  #restarts = 0;
  /** `performance.now()` of attempts within the last minute. */
  #attempts: readonly number[] = [];
  #isGivenUp = false;

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  get index(): number {
    return this.#options.index;
  }

  /** The one that serves. */
  get worker(): WorkerHandle | undefined {
    return this.#worker;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** It ended again and again, and nobody tries any longer. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** Begins the first one. Throws why it could not serve. */
  async open(): Promise<void> {
    this.#occupy(await this.#options.begin());
  }

  /** Whoever ends now is not replaced. */
  stop(): void {
    this.#stopping.abort();
  }

  #occupy(worker: WorkerHandle): void {
    this.#worker = worker;
    void worker.ended.then(() => {
      this.#worker = undefined;
      if (this.#stopping.signal.aborted) return;
      this.#options.onLost(worker);
      void this.#replace();
    });
  }

  async #replace(): Promise<void> {
    let pause = FIRST_PAUSE;
    for (;;) {
      const now = performance.now();
      this.#attempts = [...this.#attempts.filter((at) => now - at < MINUTE), now];
      if (this.#attempts.length > LIMITS.workerRestarts.value) {
        this.#isGivenUp = true;
        this.#options.onFailed(`it has ended ${LIMITS.workerRestarts.value} times in a minute`, undefined);
        return;
      }
      try {
        const worker = await this.#options.begin();
        if (this.#stopping.signal.aborted) {
          worker.kill();
          return;
        }
        this.#restarts += 1;
        this.#occupy(worker);
        this.#options.onReplaced();
        return;
      } catch (thrown) {
        if (this.#stopping.signal.aborted) return;
        this.#options.onFailed(messageOf(thrown), pause);
      }
      if (!(await this.#wait(pause))) return;
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** False: it was told to stop meanwhile. */
  async #wait(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const stop = () => resolve();
    const { signal } = this.#stopping;
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) resolve();
    await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    return !signal.aborted;
  }
}
