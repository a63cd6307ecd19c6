import { OpenShellError } from '@openshell/base';
import type { SecurityEvent } from '../event.ts';
import { findingEvent } from '../events/finding.ts';
import type { EventSink, SinkErrorHandler } from './sink.ts';

/** Writes whole lines; resolves when they are out. */
export type LineWriter = (lines: string) => Promise<void>;

export interface JsonLinesOptions {
  readonly writeLines: LineWriter;
  /** Lines go out together up to about this many UTF-16 units; a longer one goes alone. */
  readonly batchLength: number;
  readonly release: () => Promise<void>;
  readonly onError: SinkErrorHandler;
  /** Events that may wait for the medium; more are dropped, and the number of them is written when there is room. */
  readonly maxQueued?: number | undefined;
}

const MAX_QUEUED = 8192;

/** While events come faster than they are written, each further write waits this long for more of them. */
const GATHER_MS = 5;

/**
 * Events as JSON, one a line, in order. A write holds whole lines, as many as were waiting: a write for each of 15,000 events a
 * second would cost more than making them.
 */
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

  write(event: SecurityEvent): boolean {
    if (this.#failed || this.#closed) return false;
    if (this.#queue.length >= this.#maxQueued) {
      this.#dropped += 1;
      return false;
    }
    this.#queue.push(event);
    this.#draining ??= this.#drain();
    return true;
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
      if (this.#queue.length > 0 && !this.#closed)
        await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    }
    this.#draining = undefined;
  }

  async #writeAll(batch: readonly SecurityEvent[]): Promise<void> {
    const { writeLines, batchLength } = this.#options;
    try {
      let lines = '';
      for (const event of batch) {
        const line = `${JSON.stringify(event)}\n`;
        if (lines.length > 0 && lines.length + line.length > batchLength) {
          await writeLines(lines);
          lines = '';
        }
        lines += line;
      }
      await writeLines(lines);
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
