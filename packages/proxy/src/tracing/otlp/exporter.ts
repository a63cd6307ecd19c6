import { messageOf } from '@openshell/base';
import type { Limits } from '../../limits.ts';
import type { FinishedSpan, SpanSink } from '../span.ts';
import { encodeSpans, type Resource } from './encode.ts';
import type { Collector, Posted } from './post.ts';

export interface ExporterOptions {
  readonly collector: Pick<Collector, 'post' | 'close'>;
  readonly resource: Resource;
  /** The operator's fields, for each export anew. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  readonly limits: Limits;
  /** One line for the operator; seldom. */
  readonly say: (line: string) => void;
}

/** Between two lines for the operator about one and the same trouble. */
const QUIET_MS = 60_000;

/**
 * Sends spans to a collector, some at a time. Nobody waits for it: what it cannot get rid of is dropped and counted, and the operator
 * is told when that begins and ends.
 */
export class OtlpExporter implements SpanSink {
  readonly #options: ExporterOptions;
  readonly #closing = new AbortController();
  #queue: FinishedSpan[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  /** Of what is tried again. */
  #retryMs: number;
  #lost = 0;
  #failing = false;
  /** The operator knows. */
  #told = false;
  /** `performance.now()` */
  #toldAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#retryMs = options.limits.spanDelay;
  }

  add(span: FinishedSpan): void {
    const { spanQueue, spanBatch, spanDelay } = this.#options.limits;
    if (this.#closed || this.#queue.length >= spanQueue) {
      this.#lost += 1;
      if (!this.#closed) this.#tell(`more than ${spanQueue} wait`);
      return;
    }
    this.#queue.push(span);
    if (this.#queue.length === spanBatch && !this.#failing) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), spanDelay).unref();
  }

  /** Sends what is there, within a bound. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { collector, limits } = this.#options;
    const late = setTimeout(() => this.#closing.abort(new Error('the proxy ends')), limits.spanFlushTime);
    await this.#sending;
    while (this.#queue.length > 0 && !this.#closing.signal.aborted) {
      const [before] = this.#queue;
      await this.#send();
      if (this.#queue[0] === before) break;
    }
    clearTimeout(late);
    clearTimeout(this.#timer);
    collector.close();
    this.#lost += this.#queue.length;
    this.#queue = [];
    if (this.#lost > 0) this.#options.say(`${this.#lost} spans were not exported`);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed) return;
    this.#sending ??= this.#send().then(() => {
      this.#sending = undefined;
      if (this.#closed || this.#queue.length === 0) return;
      const { spanBatch, spanDelay } = this.#options.limits;
      const wait = this.#failing ? this.#retryMs : this.#queue.length >= spanBatch ? 0 : spanDelay;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#flush(), wait).unref();
    });
  }

  /** One batch. It stays in the queue until somebody has it, or nobody ever will. Never rejects. */
  async #send(): Promise<void> {
    const { collector, resource, headers, limits } = this.#options;
    const batch = this.#queue.slice(0, limits.spanBatch);
    const posted = await headers().then(
      (fields) => collector.post(encodeSpans(batch, resource, limits), fields, this.#closing.signal),
      (cause: unknown): Posted => ({ kind: 'later', detail: messageOf(cause) }),
    );
    if (posted.kind !== 'later') this.#queue.splice(0, batch.length);
    this.#settle(posted, batch.length);
  }

  #settle(posted: Posted, count: number): void {
    switch (posted.kind) {
      case 'taken':
        this.#lost += posted.rejected;
        if (posted.rejected > 0) this.#failed('the collector did not want all of them');
        else this.#works();
        return;
      case 'refused':
        this.#lost += count;
        this.#failed(posted.detail);
        return;
      case 'later': {
        const { spanDelay, spanRetryTime } = this.#options.limits;
        const usual = this.#failing ? this.#retryMs * 2 : spanDelay;
        this.#retryMs = Math.min(spanRetryTime, Math.max(spanDelay, posted.afterMs ?? usual));
        this.#failed(posted.detail);
        return;
      }
      default:
        posted satisfies never;
    }
  }

  #failed(detail: string): void {
    this.#failing = true;
    this.#tell(detail);
  }

  #tell(detail: string): void {
    const now = performance.now();
    if (this.#told || now - this.#toldAt < QUIET_MS) return;
    this.#told = true;
    this.#toldAt = now;
    this.#options.say(`spans are not exported: ${detail}`);
  }

  #works(): void {
    this.#failing = false;
    this.#retryMs = this.#options.limits.spanDelay;
    if (!this.#told) return;
    this.#told = false;
    this.#options.say(`spans are exported again; ${this.#lost} were not`);
    this.#lost = 0;
  }
}
