import type { SecurityEvent } from '../event.ts';
import type { EventSink } from './sink.ts';

/** The latest events, for status pages and tests. */
export class MemorySink implements EventSink {
  readonly #ring: SecurityEvent[] = [];
  readonly #capacity: number;
  #next = 0;

  /** Keeps the latest `capacity` events. */
  constructor(capacity = 1024) {
    this.#capacity = Math.max(1, capacity);
  }

  write(event: SecurityEvent): boolean {
    this.#ring[this.#next] = event;
    this.#next = (this.#next + 1) % this.#capacity;
    return true;
  }

  /** Oldest first. */
  get events(): SecurityEvent[] {
    if (this.#ring.length < this.#capacity) return this.#ring.slice();
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }

  async close(): Promise<void> {}
}
