import { type ControlEvent, ControlRefusal, type EventQuery } from '@openshell/control';
import type { EventLog } from './event-log.ts';
import { readEvents } from './event-reader.ts';

/** Who reads a log at this moment: so many and no more. */
export class EventReaders {
  readonly #log: EventLog;
  readonly #most: number;
  #count = 0;

  constructor(log: EventLog, most: number) {
    this.#log = log;
    this.#most = most;
  }

  /** What the query asks for (`readEvents`). Throws `request_invalid` where there are too many readers. */
  async *read(query: EventQuery): AsyncGenerator<ControlEvent> {
    if (this.#count >= this.#most)
      throw new ControlRefusal(`events are read by ${this.#count} readers already`, {
        code: 'request_invalid',
        remedy: 'End some of them.',
      });
    this.#count += 1;
    try {
      yield* readEvents(this.#log, query);
    } finally {
      this.#count -= 1;
    }
  }
}
