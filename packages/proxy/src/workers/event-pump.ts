import type { ControlEvent } from '@openshell/control';

export interface EventPumpOptions {
  /** Ends with the source. */
  readonly events: AsyncIterable<ControlEvent>;
  /** In one go. */
  readonly most: number;
  readonly send: (events: readonly ControlEvent[]) => Promise<void>;
}

/** Sends events on as they come: all that are there at once, and the next ones when those were taken. Whatever waits does so in their log. */
export class EventPump {
  readonly #options: EventPumpOptions;
  #sent = 0;
  #wake = Promise.withResolvers<void>();

  constructor(options: EventPumpOptions) {
    this.#options = options;
    // Nobody is there who could take any: the process is about to end.
    this.#run().catch(() => this.#reach(Number.POSITIVE_INFINITY));
  }

  /** Resolves when the events up to this number were taken. */
  async sent(sequence: number): Promise<void> {
    while (this.#sent < sequence) await this.#wake.promise;
  }

  async #run(): Promise<void> {
    const { events, most, send } = this.#options;
    const reader = events[Symbol.asyncIterator]();
    let next = reader.next();
    for (;;) {
      const first = await next;
      if (first.done) return;
      const batch = [first.value];
      next = reader.next();
      while (batch.length < most) {
        const more = await Promise.race([next, atOnce()]);
        if (more === undefined || more.done) break;
        batch.push(more.value);
        next = reader.next();
      }
      await send(batch);
      this.#reach(batch.at(-1)!.cursor.sequence);
    }
  }

  #reach(sequence: number): void {
    this.#sent = sequence;
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

const atOnce = (): Promise<undefined> => new Promise((resolve) => setImmediate(resolve, undefined));
