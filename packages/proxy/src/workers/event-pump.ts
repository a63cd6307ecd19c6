import type { ControlEvent } from '@openshell/control';

export interface EventPumpOptions {
  /** Those behind this number: as they come, or those that are there. */
  readonly read: (after: number, follow: boolean) => AsyncIterable<ControlEvent>;
  /** In one go. */
  readonly most: number;
  readonly send: (events: readonly ControlEvent[]) => Promise<void>;
}

/** From an event to sending it, in ms: by then there are more, and to send many takes hardly longer than to send one. */
const GATHER_MS = 10;

/** Sends events on: those that came within a moment in one go, and the next ones when those were taken. What waits does so in its log. */
export class EventPump {
  readonly #options: EventPumpOptions;
  #sent = 0;
  #wake = Promise.withResolvers<void>();
  #hurry = Promise.withResolvers<void>();

  constructor(options: EventPumpOptions) {
    this.#options = options;
    // Nobody is there who could take any: the process is about to end.
    this.#run().catch(() => this.#reach(Number.POSITIVE_INFINITY));
  }

  /** Sends what is there without waiting for more. */
  hurry(): void {
    this.#hurry.resolve();
  }

  /** Resolves when the events up to this number were taken. */
  async sent(sequence: number): Promise<void> {
    this.hurry();
    while (this.#sent < sequence) await this.#wake.promise;
  }

  async #run(): Promise<void> {
    const { read, most, send } = this.#options;
    let isMore = false;
    for (;;) {
      if (!isMore) {
        // Its value is read again: leaving the loop ends the reader.
        for await (const _ of read(this.#sent, true)) break;
        await this.#gather();
      }
      const batch: ControlEvent[] = [];
      for await (const event of read(this.#sent, false)) if (batch.push(event) === most) break;
      const last = batch.at(-1);
      if (last === undefined) return;
      await send(batch);
      this.#reach(last.cursor.sequence);
      isMore = batch.length === most;
    }
  }

  async #gather(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, GATHER_MS);
    await Promise.race([promise, this.#hurry.promise]);
    clearTimeout(timer);
    this.#hurry = Promise.withResolvers();
  }

  #reach(sequence: number): void {
    this.#sent = sequence;
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}
