import type { SecurityEvent } from '../event.ts';

/** Takes events. `write` never throws and never waits; what cannot be kept is counted and said. */
export interface EventSink {
  /** False: there was no room for it. Whoever can, offers it again later. */
  write(event: SecurityEvent): boolean;
  /** Resolves when everything that was accepted is where it belongs. Safe to call twice. */
  close(): Promise<void>;
}

/** Told once when a sink begins to fail; the events after that are lost, the proxy goes on. */
export type SinkErrorHandler = (error: Error) => void;
