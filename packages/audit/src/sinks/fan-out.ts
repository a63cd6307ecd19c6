import type { SecurityEvent } from '../event.ts';
import type { EventSink } from './sink.ts';

/** One sink that gives every event to several. Closing it closes them all. */
export class FanOutSink implements EventSink {
  readonly #sinks: readonly EventSink[];

  constructor(sinks: readonly EventSink[]) {
    this.#sinks = sinks;
  }

  /** False when all of them refuse: what one of them has taken must not come a second time. */
  write(event: SecurityEvent): boolean {
    let [taken, refused] = [false, false];
    for (const sink of this.#sinks) {
      if (sink.write(event)) taken = true;
      else refused = true;
    }
    return taken || !refused;
  }

  async close(): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.close()));
  }
}
