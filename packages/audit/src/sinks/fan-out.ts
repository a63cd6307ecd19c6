import type { SecurityEvent } from '../event.ts';
import type { EventSink } from './sink.ts';

/** One sink that gives every event to several. Closing it closes them all. */
export class FanOutSink implements EventSink {
  readonly #sinks: readonly EventSink[];

  constructor(sinks: readonly EventSink[]) {
    this.#sinks = sinks;
  }

  write(event: SecurityEvent): void {
    for (const sink of this.#sinks) sink.write(event);
  }

  async close(): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.close()));
  }
}
