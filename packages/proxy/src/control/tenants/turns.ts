import { ControlRefusal } from '@openshell/control';

/** Lets one piece of work run at a time, in the order in which they came; a bounded number wait. */
export class Turns {
  readonly #maxWaiting: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Throws `request_invalid` where too many wait already, and what the work throws. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#maxWaiting)
      throw new ControlRefusal(`${this.#waiting} changes are under way already`, {
        code: 'request_invalid',
        remedy: 'Wait for the answer of one before ordering the next.',
      });
    this.#waiting += 1;
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Resolves when all that was begun or waits now has ended, well or not. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
