import { OpenShellError } from '@openshell/base';
import type { SecurityEvent } from '../event.ts';
import { findingEvent } from '../events/finding.ts';
import type { EventSink, SinkErrorHandler } from './sink.ts';

/** Writes one whole line; resolves when it is out. */
export type LineWriter = (line: string) => Promise<void>;

export interface JsonLinesOptions {
  readonly writeLine: LineWriter;
  readonly release: () => Promise<void>;
  readonly onError: SinkErrorHandler;
  /** Events that may wait for the medium; more are dropped, and the number of them is written when there is room. */
  readonly maxQueued?: number | undefined;
}

const MAX_QUEUED = 8192;

/** Events as JSON, one a line, in order, each with a write of its own so that a reader never sees half a line for long. */
export class JsonLinesSink implements EventSink {
  readonly #options: JsonLinesOptions;
  readonly #maxQueued: number;
  #queue: SecurityEvent[] = [];
  #dropped = 0;
  #failed = false;
  #closed = false;
  #draining: Promise<void> | undefined;

  constructor(options: JsonLinesOptions) {
    this.#options = options;
    this.#maxQueued = options.maxQueued ?? MAX_QUEUED;
  }

  write(event: SecurityEvent): void {
    if (this.#failed || this.#closed) return;
    if (this.#queue.length >= this.#maxQueued) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(event);
    this.#draining ??= this.#drain();
  }

  async close(): Promise<void> {
    if (this.#closed) return this.#draining;
    this.#closed = true;
    await this.#draining;
    await this.#options.release();
  }

  async #drain(): Promise<void> {
    // Let the caller finish its turn: whatever it reports now goes out in the same round.
    await undefined;
    while (this.#queue.length > 0 && !this.#failed) {
      const batch = this.#queue;
      this.#queue = [];
      if (this.#dropped > 0) batch.push(this.#lossReport());
      await this.#writeAll(batch);
    }
    this.#draining = undefined;
  }

  async #writeAll(batch: readonly SecurityEvent[]): Promise<void> {
    try {
      for (const event of batch) await this.#options.writeLine(`${JSON.stringify(event)}\n`);
    } catch (cause) {
      this.#failed = true;
      this.#queue = [];
      this.#options.onError(
        new OpenShellError('security events can no longer be written; those from now on are lost', {
          code: 'events_lost',
          cause,
          remedy:
            'Check the file or pipe given with --events: free space, permissions, and whether its reader still runs.',
        }),
      );
    }
  }

  #lossReport(): SecurityEvent {
    const count = this.#dropped;
    this.#dropped = 0;
    return findingEvent({
      uid: 'events-dropped',
      title: 'Security events were dropped because their file or pipe is too slow',
      severity: 'high',
      count,
    });
  }
}
